"""Where an account can be reached: what a REGISTER leaves behind (RFC 3261 §10)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of one account.

    Args:
        user: the account, which is the AOR's user part.
        contact: the Contact's URI as the device wrote it, without headers; the Request-URI of calls to it.
        expires_at: POSIX seconds.
        call_id, cseq: of the REGISTER that last renewed it (RFC 3261 §10.3 step 7).
        transport, host, port: where requests to it are sent: "udp" or "tcp", an IP literal without brackets. This is
            the address that the REGISTER came from wherever the Contact names another host, as behind NAT.
        q: preference, 0 to 1.
        path: Path values, topmost first, each for a Route of its own (RFC 3327); () when it came directly.
        params: the Contact's other parameters as written, each with its ";", to be given back.
        instance: `+sip.instance` (RFC 5626 §4.1), or "".
        user_agent: as the device calls itself, or "".
    """

    user: str
    contact: str
    expires_at: float
    call_id: str
    cseq: int
    transport: str
    host: str
    port: int
    q: float = 1.0
    path: tuple[str, ...] = ()
    params: str = ""
    instance: str = ""
    user_agent: str = ""
