"""SIP addresses in a configuration."""

from __future__ import annotations

from router.sip.errors import RemoteError
from router.sip.uri import SipUri, parse_uri


def sip_address_problem(text: str) -> str:
    """Say what keeps `text` from being a SIP address that calls can be sent to; "" when nothing does."""
    try:
        uri = parse_uri(text)
    except RemoteError as error:
        return error.text
    return "" if isinstance(uri, SipUri) else "not a SIP address"
