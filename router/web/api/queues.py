"""Queues: who waits, who answers, and what came of it (Q1 to Q17); a stream of what happens, for wallboards."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from router.calls.queue_floor import QueueFloor
from router.configuration.findings import closest
from router.model.access import ApiRole
from router.model.decision import FeatureKind
from router.model.queue import SERVICE_LEVELS, AgentState, HourCounts, PlaceState
from router.model.queue_events import CallbackCancelled, CallerMoved
from router.ports import StoreError
from router.web.api import moments
from router.web.endpoint import DESK, EVERYBODY, STAFF, Asked, Endpoint, Resource
from router.web.office import Office
from router.web.problems import Problem


class PlaceResource(Resource):
    """Somebody in a queue."""

    id: str
    position: int = Field(description="1 is the first; 0: not in the line now (talks, or is to be called back later)")
    state: PlaceState
    caller: str | None = Field(description="null: withheld")
    tier: int = Field(description="0: goes first (Q16)")
    arrived: str
    waited: float = Field(description="seconds")
    estimate: float | None = Field(description="seconds of the wait to be expected from now on; null: not known")
    callback: str | None = Field(description="number to be called back; null for who waits on the line")
    agents: list[str] = Field(description="who is rung for them, or talks with them")


class HourResource(Resource):
    """What came of the callers in one hour."""

    hour: str
    entered: int
    refused: int
    answered: int
    abandoned: int
    left: int
    overflowed: int
    callbacks: int
    longest: float = Field(description="seconds that somebody waited")
    average: float | None = Field(description="seconds that those waited who were answered; null: nobody was")
    service_levels: dict[str, float | None] = Field(description="share that was answered within so many seconds")


class QueueResource(Resource):
    """A queue at this moment."""

    id: str
    name: str
    number: str | None
    open: bool
    strategy: str
    waiting: int
    places: list[PlaceResource]
    agents: dict[str, AgentState]
    hours: list[HourResource] = Field(description="of today, the newest first")


class QueuesResource(Resource):
    queues: list[QueueResource]


class AgentResource(Resource):
    """Somebody who answers queues."""

    id: str
    name: str
    state: AgentState
    reason: str = Field(description="of a pause")
    calls: int = Field(description="conversations of today")
    queues: list[str]
    script: dict[str, str] = Field(description="what they say to a caller (Q7), by queue")


class AgentsResource(Resource):
    agents: list[AgentResource]


class Duty(Resource):
    """Whether queues may ring an agent."""

    duty: Literal["in", "out", "pause"]
    reason: str = Field(default="", max_length=64, examples=["lunch"], description="of a pause")


class Tier(Resource):
    """Before whom a caller goes."""

    tier: int = Field(ge=0, le=9, description="0 goes before 1")


class QueuesApi:
    """The operations on queues and agents."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def endpoints(self) -> list[Endpoint]:
        """Return what is served."""
        queues, agents = "/api/v1/queues", "/api/v1/agents"
        place = f"{queues}/{{queue}}/places/{{place}}"
        return [
            Endpoint("GET", queues, "All queues", STAFF, self.list_queues, QueuesResource),
            Endpoint("GET", f"{queues}/{{queue}}", "One queue", STAFF, self.get_queue, QueueResource),
            Endpoint("PUT", f"{place}/tier", "Let a caller go first", DESK, self.move_place, QueueResource, body=Tier),
            Endpoint("DELETE", place, "Take a callback back", DESK, self.cancel_callback, None, status=204),
            Endpoint("GET", agents, "All agents", STAFF, self.list_agents, AgentsResource),
            Endpoint("GET", f"{agents}/{{agent}}", "One agent", EVERYBODY, self.get_agent, AgentResource),
            Endpoint(
                "PUT",
                f"{agents}/{{agent}}/duty",
                "Log in, out, or pause",
                _MAY_SAY,
                self.set_duty,
                AgentResource,
                body=Duty,
            ),
        ]

    async def list_queues(self, _asked: Asked) -> QueuesResource:
        """Who waits, who answers, and what came of today's callers."""
        return QueuesResource(queues=[self._queue(name) for name in self._floor.services])

    async def get_queue(self, asked: Asked) -> QueueResource:
        """Who waits, who answers, and what came of today's callers."""
        return self._queue(self._named(asked))

    async def move_place(self, asked: Asked) -> QueueResource:
        """Puts a caller among those who go first, or back (Q16)."""
        queue = self._named(asked)
        self._place(asked, queue)
        self._floor.tell(CallerMoved(asked.path["place"], asked.body.tier))
        self._floor.flush()
        return self._queue(queue)

    async def cancel_callback(self, asked: Asked) -> None:
        """Somebody who was promised to be called back is not called any more."""
        place = self._place(asked, self._named(asked))
        if place.callback is None:
            raise Problem(409, "who waits on the line cannot be taken off it")
        self._floor.tell(CallbackCancelled(place.id))
        self._floor.flush()

    async def list_agents(self, _asked: Asked) -> AgentsResource:
        """What each of them does."""
        return AgentsResource(agents=[self._agent(name) for name in self._floor.floor.staff.agents])

    async def get_agent(self, asked: Asked) -> AgentResource:
        """A token of the role person opens its own person only."""
        return self._agent(self._who(asked))

    async def set_duty(self, asked: Asked) -> AgentResource:
        """Who is on a call finishes it; "in" also ends a pause, a rest and the time after a call."""
        agent, body = self._who(asked), asked.body
        self._floor.agent_says(agent, _DUTIES[body.duty], asked.actor, body.reason)
        self._floor.flush()
        try:
            await self._floor.stored()
            await self._office.states.stored()  # the audit
        except StoreError as error:
            raise Problem(503, f"it is in force, but could not be saved yet: {error}") from error
        return self._agent(agent)

    # ------------------------------------------------------------------------------------------------ in parts

    @property
    def _floor(self) -> QueueFloor:
        return self._office.queues

    def _named(self, asked: Asked) -> str:
        name = asked.path["queue"]
        if name not in self._floor.services:
            raise Problem(404, f"there is no queue {name!r}; {closest(name, self._floor.services)}".rstrip("; "))
        return name

    def _who(self, asked: Asked) -> str:
        name = asked.path["agent"]
        if asked.token.role is ApiRole.PERSON and name != asked.token.person:
            raise Problem(403, f"this token is for {asked.token.person} alone")
        agents = self._floor.floor.staff.agents
        if name not in agents:
            raise Problem(404, f"{name!r} answers no queue; {closest(name, agents)}".rstrip("; "))
        return name

    def _place(self, asked: Asked, queue: str) -> PlaceResource:
        identity = asked.path["place"]
        for place in self._places(queue):
            if place.id == identity:
                return place
        raise Problem(404, f"nobody has the place {identity!r} in {queue}")

    def _queue(self, name: str) -> QueueResource:
        floor = self._floor
        service, line = floor.services[name], floor.floor.lines[name]
        today = self._office.clock() - 86_400
        hours = [counts for (queue, hour), counts in floor.floor.statistics.hours.items() if queue == name]
        number = self._office.configuration.policy.queues[name].number
        return QueueResource(
            id=name,
            name=service.title,
            number=number or None,
            open=floor.is_open(name),
            strategy=service.rules.strategy.value,
            waiting=len(line),
            places=self._places(name),
            agents={member.agent: floor.floor.staff.agents[member.agent].state() for member in service.rules.members},
            hours=[self._hour(counts) for counts in reversed(hours) if counts.hour > today],
        )

    def _places(self, name: str) -> list[PlaceResource]:
        floor, zone, now = self._floor.floor, self._office.configuration.policy.zone, self._office.clock()
        line = floor.lines[name]
        found = []
        for place in line.places.values():
            position = line.position(place)
            found.append(
                PlaceResource(
                    id=place.id,
                    position=position,
                    state=place.state,
                    caller=place.caller,
                    tier=place.tier,
                    arrived=moments.written(place.arrived, zone) or "",
                    waited=round(place.waited(now), 1),
                    estimate=line.estimate(position) if position else None,
                    callback=place.callback or None,
                    agents=sorted(agent.name for agent in floor.staff.agents.values() if agent.place == place.id),
                )
            )
        return sorted(found, key=lambda place: (not place.position, place.position))

    def _hour(self, counts: HourCounts) -> HourResource:
        return HourResource(
            hour=moments.written(counts.hour, self._office.configuration.policy.zone) or "",
            entered=counts.entered,
            refused=counts.refused,
            answered=counts.answered,
            abandoned=counts.abandoned,
            left=counts.left,
            overflowed=counts.overflowed,
            callbacks=counts.callbacks,
            longest=round(counts.longest, 1),
            average=round(counts.waited / counts.answered, 1) if counts.answered else None,
            service_levels={f"{level:g}": counts.service_level(at) for at, level in enumerate(SERVICE_LEVELS)},
        )

    def _agent(self, name: str) -> AgentResource:
        configuration, floor = self._office.configuration, self._floor
        agent = floor.floor.staff.agents[name]
        person = configuration.policy.people[name]
        queues = {
            queue: service
            for queue, service in floor.services.items()
            if any(member.agent == name for member in service.rules.members)
        }
        language = configuration.languages[0] if configuration.languages else "en"
        return AgentResource(
            id=name,
            name=person.name,
            state=agent.state(),
            reason=agent.reason,
            calls=agent.calls,
            queues=list(queues),
            script={
                queue: service.words(language, configuration.company_name, person.name)
                for queue, service in queues.items()
            },
        )


_MAY_SAY = frozenset((ApiRole.ADMINISTRATOR, ApiRole.RECEPTION, ApiRole.PERSON))
_DUTIES = {"in": FeatureKind.AGENT_IN, "out": FeatureKind.AGENT_OUT, "pause": FeatureKind.AGENT_PAUSE}
