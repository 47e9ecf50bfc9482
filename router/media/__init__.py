"""Sound: an RTP engine in a process of its own, and the router's side of it (docs/adr/0011).

`client.py` implements `ports.MediaEngine`; nothing else of this room is meant for the rooms above. SIP never appears
here; SDP texts do.
"""
