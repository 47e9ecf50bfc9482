"""Callbacks: who waits to be called back by whom (P3), and taking that back."""

from __future__ import annotations

from pydantic import Field

from router.configuration.findings import closest
from router.model.access import ApiRole
from router.model.audit import AuditEntry
from router.model.callback import Callback
from router.ports import StoreError
from router.web.api import moments
from router.web.endpoint import DESK, Asked, Endpoint, Resource
from router.web.office import Office
from router.web.problems import Problem

_DESK_AND_OWNERS = frozenset((*DESK, ApiRole.PERSON))


class CallbackResource(Resource):
    """A caller whom the router calls back as soon as the person is back."""

    id: str
    person: str
    number: str
    caller_name: str | None
    asked: str = Field(description="when the caller asked for it")
    next_try: str | None = Field(description="not before; null: as soon as the person is back")
    person_tries: int = Field(description="how often the person was called in vain")
    caller_tries: int = Field(description="how often the caller was called in vain")
    being_called: bool


class CallbacksResource(Resource):
    callbacks: list[CallbackResource] = Field(description="the oldest first")


class CallbacksApi:
    """The operations on callbacks."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def endpoints(self) -> list[Endpoint]:
        """Return what is served."""
        person = "/api/v1/people/{person}/callbacks"
        one = f"{person}/{{callback}}"
        return [
            Endpoint("GET", "/api/v1/callbacks", "Who waits for a callback", DESK, self.list_all, CallbacksResource),
            Endpoint("GET", person, "Whom somebody calls back", _DESK_AND_OWNERS, self.list_theirs, CallbacksResource),
            Endpoint("DELETE", one, "Do not call back", _DESK_AND_OWNERS, self.cancel, None, status=204),
        ]

    async def list_all(self, _asked: Asked) -> CallbacksResource:
        """Of everybody."""
        return self._listed(self._office.callbacks.everybody())

    async def list_theirs(self, asked: Asked) -> CallbacksResource:
        """A token of the role person opens its own person's only."""
        return self._listed(self._office.callbacks.of(self._person(asked)))

    async def cancel(self, asked: Asked) -> None:
        """The router calls nobody for it any more. The wish stays a message in the person's mailbox."""
        office, person = self._office, self._person(asked)
        try:
            callback = await office.callbacks.cancel(person, asked.path["callback"])
            if callback is None:
                raise Problem(404, "there is no such callback; perhaps the two have talked")
            # The number stays out of it: whoever is erased must not come back by way of the audit.
            asked_at = moments.written(callback.taken_at, office.configuration.policy.zone) or ""
            entry = AuditEntry(office.clock(), asked.actor, "cancel callback", person, f"of {asked_at}")
            await office.state_store.record(entry)
        except StoreError as error:
            raise Problem(503, f"this cannot be done now: {error}") from error

    # ------------------------------------------------------------------------------------------------ in parts

    def _person(self, asked: Asked) -> str:
        """Return the id of the person whom the path names, if the token opens theirs. Raises `Problem`."""
        name = asked.path["person"]
        if asked.token.role is ApiRole.PERSON and name != asked.token.person:
            raise Problem(403, f"this token is for {asked.token.person} alone")
        people = self._office.configuration.policy.people
        if name not in people:
            raise Problem(404, f"there is no person {name!r}; {closest(name, people)}".rstrip("; "))
        return name

    def _listed(self, callbacks: list[Callback]) -> CallbacksResource:
        zone = self._office.configuration.policy.zone
        listed = [
            CallbackResource(
                id=callback.id,
                person=callback.person,
                number=callback.number,
                caller_name=callback.caller_name,
                asked=moments.written(callback.taken_at, zone) or "",
                next_try=moments.written(callback.not_before, zone) if callback.not_before else None,
                person_tries=callback.person_tries,
                caller_tries=callback.caller_tries,
                being_called=callback.dialled,
            )
            for callback in sorted(callbacks, key=lambda callback: callback.taken_at)
        ]
        return CallbacksResource(callbacks=listed)
