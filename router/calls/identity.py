"""Who is shown: From, P-Asserted-Identity, Privacy, Diversion and History-Info of a leg, out of a decision.

Each is a small pure function over the values that the policy decided; nothing that a caller wrote is copied unquoted.
"""

from __future__ import annotations

from typing import Final

from router.model.decision import Decision, Diversion
from router.sip.name_addr import quote

ANONYMOUS: Final = '"Anonymous" <sip:anonymous@anonymous.invalid>'  # RFC 3323 §4.1

# RFC 5806 reason → cause of RFC 4458, as History-Info carries it (RFC 7044 §5).
_CAUSES: Final = {
    "user-busy": 486,
    "no-answer": 408,
    "unavailable": 503,
    "unconditional": 302,
    "time-of-day": 302,
    "do-not-disturb": 302,
    "away": 302,
}
_USER_SAFE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,;?/")


def user_part(text: str) -> str:
    """Escape a user part (RFC 3261 §25.1); numbers and extensions come back as they are."""
    if text.lstrip("+").isalnum() and text.isascii():
        return text
    return "".join(
        c if c in _USER_SAFE else "".join(f"%{b:02X}" for b in c.encode("utf-8", "surrogateescape")) for c in text
    )


def from_value(decision: Decision, number: str | None, host: str, inside: bool) -> str:
    """From value without tag.

    Args:
        number: the shown number as the far end wants it written; None when there is none.
        host: host part of the URI.
        inside: the far end is a device of the company, which sees a withheld number as anonymous too.
    """
    if decision.withhold or number is None:
        return ANONYMOUS
    name = decision.shown_name
    return f"{quote(name)} <sip:{user_part(number)}@{host}>" if name else f"<sip:{user_part(number)}@{host}>"


def asserted(decision: Decision, number: str | None, host: str) -> str:
    """P-Asserted-Identity and, for a withheld number, Privacy (RFC 3325 §9). For trunks and PBXs alone."""
    if number is None:
        return "Privacy: id\r\n" if decision.withhold else ""
    name = decision.shown_name
    shown = f"{quote(name)} " if name else ""
    line = f"P-Asserted-Identity: {shown}<sip:{user_part(number)}@{host}>\r\n"
    return f"{line}Privacy: id\r\n" if decision.withhold else line


def diverted(diversions: tuple[Diversion, ...], numbers: list[str], host: str, target: str) -> str:
    """Diversion (RFC 5806, latest first) and History-Info (RFC 7044, oldest first) of a forwarded call.

    Args:
        numbers: the diverting numbers as the far end wants them written, in the order of `diversions`.
        target: URI to which this leg goes.
    """
    if not diversions:
        return ""
    lines = []
    for diversion, number in zip(reversed(diversions), reversed(numbers), strict=True):
        lines.append(f"Diversion: <sip:{user_part(number)}@{host}>;reason={diversion.reason};counter=1\r\n")
    index, cause, mapped = "1", "", ""
    for diversion, number in zip(diversions, numbers, strict=True):
        lines.append(f"History-Info: <sip:{user_part(number)}@{host}{cause}>;index={index}{mapped}\r\n")
        cause = f";cause={_CAUSES.get(diversion.reason, 302)}"
        mapped = f";mp={index}"
        index += ".1"
    lines.append(f"History-Info: <{target}{cause}>;index={index}{mapped}\r\n")
    return "".join(lines)
