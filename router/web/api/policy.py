"""The policy: its profiles, what it would do with a call, what the greylist holds."""

from __future__ import annotations

from pydantic import Field

from router.model.decision import Decision, Reason
from router.proof.simulation import Inputs, WrongInput, course, facts_of, moment, press
from router.web.api import moments
from router.web.endpoint import DESK, EVERYBODY, STAFF, Asked, Endpoint, Resource
from router.web.office import Office
from router.web.problems import Problem


class ProfileResource(Resource):
    name: str
    kind: str
    says: dict[str, str]
    offers: list[str]
    roles: list[str] = Field(description="for whose people it is (R9); empty: everybody's")


class ProfilesResource(Resource):
    profiles: list[ProfileResource]


class SimulateCall(Resource):
    """A call to be tried. The inputs are written as for `renvoi simulate`."""

    caller: str = Field(alias="from", examples=["+32475111222"])
    dialled: str = Field(alias="to", examples=["+3242200121"])
    at: str | None = Field(default=None, description="when; null: now")
    states: list[str] = Field(default=[], max_length=1000, examples=[["claire=on_call"]])
    connection: str | None = None
    withhold: bool = False
    used: list[str] = Field(default=[], max_length=100)
    keys: list[str] = Field(default=[], max_length=20, description="pressed in menus", examples=[["1"]])
    live: bool = Field(default=True, description="start from what people are doing now, where `states` says nothing")


class ReasonResource(Resource):
    clause: str
    text: str
    french: str
    source: str
    rule: str

    @classmethod
    def of(cls, reason: Reason) -> ReasonResource:
        return cls(**reason.as_dict())


class DecisionResource(Resource):
    """What would happen, and why."""

    at: str
    action: str
    target: str | None
    shown_number: str | None
    shown_name: str | None
    withhold: bool
    no_answer_after: float | None = Field(description="seconds of ringing")
    status: int = Field(description="of the refusal; 0 for none")
    person: str | None
    profile: str | None
    because: list[ReasonResource]
    rejected: list[ReasonResource]

    @classmethod
    def of(cls, decision: Decision, at: str) -> DecisionResource:
        return cls(
            at=at,
            action=decision.action,
            target=None if decision.target is None else str(decision.target),
            shown_number=decision.shown_number,
            shown_name=decision.shown_name,
            withhold=decision.withhold,
            no_answer_after=decision.no_answer_after,
            status=decision.status,
            person=decision.person,
            profile=decision.profile,
            because=[ReasonResource.of(reason) for reason in decision.because],
            rejected=[ReasonResource.of(reason) for reason in decision.rejected],
        )


class SimulationResource(Resource):
    decision: DecisionResource
    if_nobody_answers: list[DecisionResource] = Field(description="what is decided next, and next")


class EntryResource(Resource):
    """What the greylist says of a number."""

    number: str
    may_be_called: bool
    may_call: bool
    because: list[ReasonResource]


class PolicyApi:
    """The operations on the policy."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def endpoints(self) -> list[Endpoint]:
        """Return what is served."""
        return [
            Endpoint(
                "GET", "/api/v1/profiles", "What can be selected", EVERYBODY, self.list_profiles, ProfilesResource
            ),
            Endpoint(
                "POST",
                "/api/v1/simulate",
                "What would happen to a call",
                DESK,
                self.simulate_call,
                SimulationResource,
                body=SimulateCall,
            ),
            Endpoint(
                "GET",
                "/api/v1/greylist/{number}",
                "Whether a number is listed",
                STAFF,
                self.show_greylist,
                EntryResource,
            ),
        ]

    async def list_profiles(self, _asked: Asked) -> ProfilesResource:
        """The three kinds can be selected by their own names, too."""
        profiles = self._office.configuration.policy.profiles.values()
        return ProfilesResource(
            profiles=[
                ProfileResource(
                    name=profile.name,
                    kind=profile.kind,
                    says=dict(profile.says),
                    offers=list(profile.offers),
                    roles=sorted(profile.roles),
                )
                for profile in profiles
            ]
        )

    async def simulate_call(self, asked: Asked) -> SimulationResource:
        """Asks the very function that decides calls; nothing rings."""
        office, body = self._office, asked.body
        policy = office.configuration.policy
        inputs = Inputs(
            body.caller,
            body.dialled,
            tuple(body.states),
            body.connection,
            withhold=body.withhold,
            used=tuple(body.used),
        )
        try:
            now = moment(body.at, policy.zone, office.clock())
            facts = facts_of(inputs, office.configuration, now)
            if body.live:
                facts = facts._replace(
                    lines={**office.lines, **facts.lines},
                    selections={**office.states.selections, **facts.selections},
                )
            facts = press(facts, policy, now, body.keys)[-1].facts
        except WrongInput as error:
            raise Problem(422, str(error), [{"where": f"body.{error.option}", "what": str(error)}]) from error
        steps = course(facts, policy, now)
        decisions = [DecisionResource.of(step.decision, moments.written(step.at, policy.zone) or "") for step in steps]
        return SimulationResource(decision=decisions[0], if_nobody_answers=decisions[1:])

    async def show_greylist(self, asked: Asked) -> EntryResource:
        """The number in any spelling of the company's country."""
        office = self._office
        policy, now = office.configuration.policy, office.clock()
        number = policy.plan.normalise(asked.path["number"])
        if number is None:
            raise Problem(422, f"{asked.path['number']!r} is no telephone number")
        found = policy.greylist.find(number, now)
        caller = policy.greylist.blocks_caller(number, now)
        refused = found if isinstance(found, Reason) else None
        allowed = None if found is None or isinstance(found, Reason) else found.reason
        reasons = [reason for reason in (refused, allowed, caller) if reason is not None]
        return EntryResource(
            number=number,
            may_be_called=refused is None,
            may_call=caller is None,
            because=[ReasonResource.of(reason) for reason in reasons],
        )
