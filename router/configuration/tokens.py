"""Bearer tokens of the API: how they are made, and how the configuration keeps them (as hashes only)."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import tzinfo

from router.configuration.peers import end_of_exception
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.model.access import ApiRole, ApiToken

_HASH = re.compile(r"sha256:([0-9a-f]{64})")
TOKEN_BYTES = 32  # of chance: no dictionary and no time suffices, so that a plain hash protects it


def new_token() -> tuple[str, str]:
    """Return a fresh token, and what stands for it in the configuration ("sha256:…")."""
    token = f"renvoi_{secrets.token_urlsafe(TOKEN_BYTES)}"
    return token, f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def compile_tokens(document: Document, sources: Sources, zone: tzinfo) -> tuple[ApiToken, ...]:
    """Return the API's tokens; what is wrong with them goes to the findings of `sources`."""
    tokens: list[ApiToken] = []
    seen: dict[str, str] = {}
    for name, section in document.api.tokens.items():
        location = ("api", "tokens", name)
        mark, gaps = sources.mark(*location), sources.gaps
        found = _HASH.fullmatch(section.hash)
        if found is None:
            if not gaps.covers(*location, "hash"):
                sources.error(mark, "the hash of a token is sha256: and 64 hexadecimal digits", "make it: renvoi token")
            continue
        other = seen.setdefault(found[1], name)
        if other != name:
            sources.error(mark, f"{name} and {other} are the same token", "make each its own: renvoi token")
        role = ApiRole(section.role)
        if role is ApiRole.PERSON:
            if section.person is None and not gaps.covers(*location, "person"):
                sources.error(mark, f"the token {name} is for a person, but says not whose", "add person: with an id")
            elif section.person not in document.people and not gaps.excuse(section.person or "", "people"):
                sources.error(mark, f"there is no person {section.person!r}", "write the id below people:")
        elif section.person is not None:
            sources.error(mark, f"a token of the role {role} belongs to no person", "take person: away")
        until = end_of_exception(section.until, zone) if section.until else None
        tokens.append(ApiToken(name, bytes.fromhex(found[1]), role, section.person, until))
    return tuple(tokens)
