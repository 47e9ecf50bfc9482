"""People: what they are doing, and the profile that is in force (P1, P2, R8)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from router.configuration.findings import closest
from router.model.access import ApiRole
from router.model.decision import Facts, LineState, Origin, SelectedBy, Selection
from router.policy.profile import profile_in_force
from router.policy.question import Question
from router.policy.selecting import problem_with
from router.policy.snapshot import Person
from router.ports import StoreError
from router.web.api import moments
from router.web.endpoint import EVERYBODY, STAFF, Asked, Endpoint, Resource
from router.web.office import Office
from router.web.problems import Problem


class SelectionResource(Resource):
    """A profile that somebody selected for a person."""

    profile: str
    by: SelectedBy
    since: str
    until: str | None = Field(description="automatic return; null: until it is changed")
    forward: str
    actor: str
    in_force: bool = Field(description="whether its time has come and is not over; another one may weigh more")


class InForce(Resource):
    """The profile by which calls to a person are treated now."""

    profile: str
    kind: str
    by: str = Field(description="administrator, person, calendar or schedule")
    until: str | None
    forward: str


class DeviceResource(Resource):
    account: str
    kind: str
    registered: bool


class PersonResource(Resource):
    """A person and their state at this moment."""

    id: str
    name: str
    role: str
    line: LineState
    profile: InForce | None = Field(description="null: available, as no profile is in force")
    selections: list[SelectionResource]
    devices: list[DeviceResource]


class PeopleResource(Resource):
    people: list[PersonResource]


class Select(Resource):
    """The profile to be in force for a person."""

    profile: str = Field(examples=["meeting"])
    until: str | None = Field(default=None, examples=["2026-11-24T15:30"], description="automatic return (ISO 8601)")
    minutes: float | None = Field(
        default=None, gt=0, le=60 * 24 * 366, description="automatic return, in place of until"
    )
    forward: str = Field(
        default="", max_length=64, description='where calls go meanwhile (R8): a target, a person or a number with "+"'
    )


class Whose(Resource):
    """Whose selection is taken back."""

    by: Literal["administrator", "person"] | None = Field(
        default=None, description="an administrator may take back a person's own selection as well; default: one's own"
    )


class PeopleApi:
    """The operations on people."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def endpoints(self) -> list[Endpoint]:
        """Return what is served."""
        person = "/api/v1/people/{person}"
        profile = f"{person}/profile"
        return [
            Endpoint("GET", "/api/v1/people", "Everybody's state", STAFF, self.list_people, PeopleResource),
            Endpoint("GET", person, "One person's state", EVERYBODY, self.get_person, PersonResource),
            Endpoint("PUT", profile, "Select a profile", _MAY_SELECT, self.select_profile, PersonResource, body=Select),
            Endpoint(
                "DELETE", profile, "Return to the schedule", _MAY_SELECT, self.return_to_schedule, PersonResource, Whose
            ),
        ]

    async def list_people(self, _asked: Asked) -> PeopleResource:
        """Line state, profile in force and devices of everybody."""
        return PeopleResource(
            people=[self._person(person) for person in self._office.configuration.policy.people.values()]
        )

    async def get_person(self, asked: Asked) -> PersonResource:
        """A token of the role person opens its own person only."""
        return self._person(self._named(asked))

    async def select_profile(self, asked: Asked) -> PersonResource:
        """An administrator's selection weighs more than the person's own (G4) and is bound by no limit of R8. Once
        this is answered the next call follows it, and a power cut does not undo it."""
        person, office, body = self._named(asked), self._office, asked.body
        zone, now = office.configuration.policy.zone, office.clock()
        if body.until is not None and body.minutes is not None:
            raise Problem(422, "give until or minutes, not both")
        until = moments.read(body.until, zone, "body.until") if body.until is not None else None
        if body.minutes is not None:
            until = now + 60 * body.minutes
        if until is not None and until <= now:
            raise Problem(422, "until lies in the past", [{"where": "body.until", "what": "lies in the past"}])
        selection = Selection(person.id, body.profile, _by(asked), now, until, body.forward, asked.actor)
        self._check(selection, now)
        office.states.select(selection, now)
        await self._stored()
        return self._person(person)

    async def return_to_schedule(self, asked: Asked) -> PersonResource:
        """Takes back what was selected; a calendar or the schedule then says what holds. Without a selection nothing
        changes."""
        person, office = self._named(asked), self._office
        by = SelectedBy(asked.query.by) if asked.query.by else _by(asked)
        if by is SelectedBy.ADMINISTRATOR and _by(asked) is not by:
            raise Problem(403, "only an administrator takes back what an administrator selected")
        if office.states.take_back(person.id, by, asked.actor, office.clock()):
            await self._stored()
        return self._person(person)

    # ------------------------------------------------------------------------------------------------ in parts

    def _named(self, asked: Asked) -> Person:
        name = asked.path["person"]
        if asked.token.role is ApiRole.PERSON and name != asked.token.person:
            raise Problem(403, f"this token is for {asked.token.person} alone")
        people = self._office.configuration.policy.people
        person = people.get(name)
        if person is None:
            raise Problem(404, f"there is no person {name!r}; {closest(name, people)}".rstrip("; "))
        return person

    def _check(self, selection: Selection, now: float) -> None:
        policy = self._office.configuration.policy
        if selection.profile not in policy.profiles:
            what = f"there is no profile {selection.profile!r}; {closest(selection.profile, policy.profiles)}"
            raise Problem(422, what.rstrip("; "), [{"where": "body.profile", "what": what}])
        problem = problem_with(selection, policy, now)
        if problem is not None:
            raise Problem(403, str(problem))

    async def _stored(self) -> None:
        try:
            await self._office.states.stored()
        except StoreError as error:
            raise Problem(503, f"it is in force, but could not be saved yet: {error}") from error

    def _person(self, person: Person) -> PersonResource:
        office = self._office
        configuration = office.configuration
        policy, now = configuration.policy, office.clock()
        zone = policy.zone
        selections = office.states.of(person.id)
        # Asked like a call to this person; who calls and what was dialled plays no part in it.
        question = Question(Facts(Origin.TRUNK, "", "", selections=office.states.selections), policy, now)
        in_force = profile_in_force(question, person)
        return PersonResource(
            id=person.id,
            name=person.name,
            role=person.role,
            line=office.lines.get(person.id, LineState.IDLE),
            profile=None
            if in_force is None
            else InForce(
                profile=in_force.profile.name,
                kind=in_force.profile.kind,
                by=in_force.by,
                until=moments.written(in_force.until, zone),
                forward=in_force.forward,
            ),
            selections=[
                SelectionResource(
                    profile=selection.profile,
                    by=selection.by,
                    since=moments.written(selection.since, zone) or "",
                    until=moments.written(selection.until, zone),
                    forward=selection.forward,
                    actor=selection.actor,
                    in_force=selection.since <= now and (selection.until is None or now < selection.until),
                )
                for selection in selections
            ],
            devices=[
                DeviceResource(
                    account=account.user, kind=account.connection, registered=office.registered(account.user)
                )
                for account in configuration.accounts.values()
                if account.person == person.id
            ],
        )


_MAY_SELECT = frozenset((ApiRole.ADMINISTRATOR, ApiRole.PERSON))


def _by(asked: Asked) -> SelectedBy:
    return SelectedBy.PERSON if asked.token.role is ApiRole.PERSON else SelectedBy.ADMINISTRATOR
