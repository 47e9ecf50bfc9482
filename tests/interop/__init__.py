"""The router among real peers: SIPp as phones and trunks, baresip as phones, raw bytes from the wire."""
