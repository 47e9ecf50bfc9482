"""Queues over HTTP: what a wallboard, a supervisor and an agent see and do (Q7, Q10, Q16)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router.model.queue_events import AgentAnswered, CallerEntered, CallerHungUp, Connected
from tests.web.test_api import Desk

QUEUES = """
queues:
  sales: {name: Service Commercial, number: "+3242200150", agents: [paul, claire], rings: longest_idle}
"""


class NobodysDesk:
    """Looks after places as if nobody were there."""

    def ring(self, agent: str, waited: float) -> None: ...
    def release(self, agent: str, cause: object) -> None: ...
    def connect(self, agent: str, waited: float) -> None: ...
    def call_back(self, agent: str, number: str) -> None: ...
    def announce(self, position: int, first: bool) -> None: ...
    def give_notice(self, seconds: float) -> None: ...
    def overflow(self, cause: object) -> None: ...
    def refuse(self) -> None: ...


@pytest.fixture
async def desk(tmp_path: Path, unused_tcp_port_factory: Any, unused_udp_port_factory: Any) -> AsyncIterator[Desk]:
    async with aiohttp.ClientSession() as client:
        desk = Desk(tmp_path, client, [unused_udp_port_factory(), unused_tcp_port_factory(), unused_udp_port_factory()])
        desk.file.write_text(desk.text + QUEUES)
        await desk.start()
        yield desk
        await desk.stop()


def enters(desk: Desk, place: str, caller: str, tier: int = 1) -> None:
    floor = desk.router.queues
    floor.enter(NobodysDesk(), CallerEntered(place, "sales", desk.router.clock(), caller, tier))


async def test_who_waits_and_who_answers(desk: Desk) -> None:
    enters(desk, "a", "+32475111222")
    enters(desk, "b", "+32475333444")
    status, queue = await desk.ask("wall", "GET", "/api/v1/queues/sales")
    assert (status, queue["name"], queue["open"], queue["waiting"]) == (200, "Service Commercial", True, 2)
    assert [(place["position"], place["caller"]) for place in queue["places"]] == [
        (1, "+32475111222"),
        (2, "+32475333444"),
    ]
    assert queue["agents"] == {"paul": "unreachable", "claire": "unreachable"}
    assert queue["hours"][0]["entered"] == 2
    assert (await desk.ask("wall", "GET", "/api/v1/queues"))[1]["queues"][0]["id"] == "sales"
    assert (await desk.ask("paul", "GET", "/api/v1/queues/sales"))[0] == 403
    assert (await desk.ask("wall", "GET", "/api/v1/queues/sale"))[0] == 404


async def test_a_caller_is_let_in_front(desk: Desk) -> None:
    """Q16."""
    enters(desk, "a", "+32475111222")
    enters(desk, "b", "+32475333444")
    path = "/api/v1/queues/sales/places/b/tier"
    assert (await desk.ask("wall", "PUT", path, {"tier": 0}))[0] == 403
    status, queue = await desk.ask("desk", "PUT", path, {"tier": 0})
    assert (status, [place["id"] for place in queue["places"]]) == (200, ["b", "a"])
    assert (await desk.ask("desk", "PUT", "/api/v1/queues/sales/places/c/tier", {"tier": 0}))[0] == 404
    assert (await desk.ask("desk", "DELETE", "/api/v1/queues/sales/places/a"))[0] == 409


async def test_agents_say_whether_queues_may_ring_them(desk: Desk) -> None:
    """Q10: themselves, or the reception for them; it stands in the audit."""
    desk.router.lines.registration_changed("paul", True)
    assert (await desk.ask("paul", "GET", "/api/v1/agents/paul"))[1]["state"] == "idle"
    status, agent = await desk.ask("paul", "PUT", "/api/v1/agents/paul/duty", {"duty": "pause", "reason": "café"})
    assert (status, agent["state"], agent["reason"]) == (200, "paused", "café")
    assert (await desk.ask("desk", "PUT", "/api/v1/agents/paul/duty", {"duty": "in"}))[1]["state"] == "idle"
    assert (await desk.ask("desk", "PUT", "/api/v1/agents/paul/duty", {"duty": "out"}))[1]["state"] == "logged_out"
    assert (await desk.ask("paul", "PUT", "/api/v1/agents/claire/duty", {"duty": "out"}))[0] == 403
    assert (await desk.ask("desk", "PUT", "/api/v1/agents/nobody/duty", {"duty": "out"}))[0] == 404
    entries = (await desk.ask("boss", "GET", "/api/v1/audit"))[1]["entries"]
    said = [(entry["actor"], entry["action"], entry["after"]) for entry in entries if entry["subject"] == "paul"]
    assert ("token paul", "agent pause", "café") in said and ("token desk", "agent out", "") in said


async def test_what_an_agent_says_to_callers(desk: Desk) -> None:
    """Q7: the script for the agent's screen, with the names filled in."""
    [agent, _] = (await desk.ask("wall", "GET", "/api/v1/agents"))[1]["agents"]
    assert agent["script"]["sales"].startswith("Hello and welcome to Atelier, you are speaking to Paul Servais.")


async def test_a_wallboard_hears_what_happens(desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {desk.tokens['wall']}"}
    async with desk.client.get(f"{desk.router.web.url}/api/v1/events", headers=headers) as stream:
        assert stream.content_type == "text/event-stream"
        assert await stream.content.readuntil(b"\n\n") == b": listening\n\n"
        enters(desk, "a", "+32475111222")
        desk.router.queues.tell(CallerHungUp("a"))
        names: list[str] = []
        async with asyncio.timeout(10):
            while "PlaceEnded" not in names:
                event, data = (await stream.content.readuntil(b"\n\n")).decode().strip().split("\n")
                names.append(event.removeprefix("event: "))
                fields = json.loads(data.removeprefix("data: "))
    assert names == ["CallerEntered", "CallerHungUp", "PlaceEnded"]
    assert (fields["place"], fields["ended"], fields["queue"]) == ("a", "abandoned", "sales")
    async with desk.client.get(f"{desk.router.web.url}/api/v1/events") as stream:
        assert stream.status == 401


async def test_a_wallboard_does_not_keep_the_router_from_stopping(desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {desk.tokens['wall']}"}
    async with desk.client.get(f"{desk.router.web.url}/api/v1/events", headers=headers) as stream:
        await stream.content.readuntil(b"\n\n")
        async with asyncio.timeout(8):
            await desk.router.web.close()
            assert await stream.content.read() == b""


async def test_what_is_counted(desk: Desk) -> None:
    """Q2: how long callers wait, with a bucket of three minutes."""
    floor = desk.router.queues
    desk.router.lines.registration_changed("paul", True)
    enters(desk, "a", "+32475111222")
    floor.tell(AgentAnswered("paul", "a"))
    floor.tell(Connected("a"))
    enters(desk, "b", "+32475333444")
    async with desk.client.get(f"{desk.router.web.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    for expected in (
        'queue_waiting{queue="sales"} 1.0',
        'queue_answered_total{queue="sales"} 1.0',
        'queue_wait_seconds_bucket{le="180.0",queue="sales"} 1.0',
        'queue_agents{state="on_call"} 1.0',
        'queue_agents{state="unreachable"} 1.0',
    ):
        assert expected in lines, expected
