"""Bearer tokens (RFC 6750): who asks, by the hash of what they present."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from router.model.access import ApiRole, ApiToken
from router.model.tally import Counts
from router.ports import Clock
from router.web.problems import Problem

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="renvoi"'}


class Tokens:
    """Admits requests to the API. `accepted` may be replaced at a reload.

    Attributes:
        verdicts: by ("admitted" | "unknown" | "expired" | "missing" | "forbidden",).
    """

    def __init__(self, accepted: Iterable[ApiToken], clock: Clock) -> None:
        self.accepted = tuple(accepted)
        self.verdicts = Counts()
        self._clock = clock

    def admit(self, authorization: str | None, roles: frozenset[ApiRole]) -> ApiToken:
        """Return whose token the Authorization field carries.

        Raises:
            Problem: 401 without a valid token, 403 where its role does not open this.
        """
        scheme, _, presented = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not presented:
            self.verdicts["missing",] += 1
            raise Problem(401, "give a token: Authorization: Bearer …", headers=CHALLENGE)
        digest = hashlib.sha256(presented.strip().encode("utf-8", "surrogateescape")).digest()
        found: ApiToken | None = None
        for token in self.accepted:  # all of them, so that the time tells nothing
            if hmac.compare_digest(token.sha256, digest):
                found = token
        if found is None:
            self.verdicts["unknown",] += 1
            raise Problem(401, "the token is not known", headers=CHALLENGE)
        if found.until is not None and self._clock() >= found.until:
            self.verdicts["expired",] += 1
            raise Problem(401, f"the token {found.name} has expired", headers=CHALLENGE)
        if found.role not in roles:
            self.verdicts["forbidden",] += 1
            raise Problem(403, f"a token of the role {found.role} does not open this")
        self.verdicts["admitted",] += 1
        return found
