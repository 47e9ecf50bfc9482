"""Which headers pass from one leg to the other (the table stands in docs/supported-sip.md).

The rule is: what the router does not know passes, in its order and spelling; what it writes itself, what belongs to
one hop or one dialog, and what would tell the outside about the inside, does not.
"""

from __future__ import annotations

from typing import Final

from router.sip.message import Message

# Written anew for each leg, or meaningful on one leg alone.
OWN: Final = frozenset(
    (
        "via from to call-id cseq contact max-forwards content-length route record-route path service-route "
        "allow supported require proxy-require unsupported accept allow-events authorization "
        "proxy-authorization www-authenticate proxy-authenticate authentication-info rseq rack "
        "session-expires min-se timestamp expires min-expires event subscription-state refer-to referred-by "
        "replaces target-dialog refer-sub join identity identity-info flow-timer"
    ).split()
)

# Names, addresses and equipment of one side that the other has no business to know; the policy writes what is to be
# shown.
REVEALING: Final = frozenset(
    (
        "p-asserted-identity p-preferred-identity p-called-party-id p-associated-uri p-access-network-info "
        "p-charging-vector p-charging-function-addresses p-profile-key p-served-user p-user-database "
        "p-visited-network-id remote-party-id rpid-privacy privacy diversion history-info user-agent server "
        "organization warning reply-to in-reply-to x-asterisk-hangupcause x-fs-support geolocation"
    ).split()
)

DROPPED: Final = OWN | REVEALING

# A refusal tells the caller why, and a 3xx or an identity of the callee nothing (topology hiding).
DROPPED_FROM_REFUSALS: Final = DROPPED | frozenset(
    ["content-type", "content-disposition", "content-encoding", "error-info"]
)


def passed(message: Message, dropped: frozenset[str] = DROPPED) -> str:
    """The header lines that pass, each ended by CRLF."""
    lines = message.lines_except(dropped)
    if not lines:
        return ""
    lines.append("")
    return "\r\n".join(lines)


def only(message: Message, *keys: str) -> str:
    """The lines of certain headers, each ended by CRLF."""
    for asked in keys:
        if asked in message:
            return "".join([f"{line}\r\n" for key, line in message.fields if key in keys])
    return ""
