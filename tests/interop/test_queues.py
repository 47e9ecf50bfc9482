"""Queues in a real router, with callers and agents by the dozen who hear and are heard (Q2 to Q5, Q9 to Q16)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.calls.voice_story import tone, write_coded_prompts, write_wav

from .company import Company
from .party import CALLERS_HOST, Party, until
from .processes import Ports
from .router_process import Router

pytestmark = pytest.mark.timeout(90)

QUEUE = "+3242200150"
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
MUSIC_HERTZ = 330.0


@pytest.fixture
def company(ports: Ports, tmp_path: Path) -> Company:
    """A company with a queue of twelve agents, 301 to 312, who are rung one at a time."""
    company = Company(ports, tmp_path)
    document = company.document
    first = ports.free(200)
    write_coded_prompts(made(tmp_path / "config" / "prompts"))
    write_wav(tmp_path / "config" / "music.wav", tone(MUSIC_HERTZ, 3.0))
    document["media"] = {"ports": f"{first}-{first + 199}", "recordings": "prompts"}
    document["trunks"]["first"]["from"].append(CALLERS_HOST)
    document["targets"]["voicemail"] = {"mailbox": "{person}"}
    del document["targets"]["queue:sales"]
    for number in range(301, 313):
        document["people"][f"agent{number}"] = {
            "name": f"Agent {number}",
            "role": "standard",
            "extension": str(number),
            "devices": {"desk": {"kind": "fixed", "user": str(number), "secret": f"secret-{number}"}},
        }
    document["codes"] = {"agent_in": "*45", "agent_out": "*46", "agent_pause": "*47"}
    document["queues"] = {
        "sales": {
            "name": "Service Commercial",
            "number": QUEUE,
            "agents": [f"agent{number}" for number in range(301, 313)],
            "rings": "longest_idle",
            "ring_for": "4s",
            "music": {"file": "music.wav", "licence": "made here", "instrumental": "true"},
            "announce_every": "1s",
            "priority": ["+32475999*"],
        }
    }
    return company


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
async def join(start_router: Callable[..., Router]) -> AsyncIterator[Callable[..., Any]]:
    """Lets callers and agents come to a router: `await join("301")`, `await join("paul", calls="+32475…")`."""
    parties: list[Party] = []

    async def come(name: str, router: Router, *, calls: str = "") -> Party:
        if calls:
            party = await Party.join(name, router.address, CALLERS_HOST)
            parties.append(party)
            return await party.calls(QUEUE, calls)
        parties.append(await Party.agent(name, router.address))
        return parties[-1]

    yield come
    for party in parties:
        party.leave()


Join = Callable[..., Any]


async def answered(router: Router, count: int) -> None:
    """Wait until so many callers were connected."""
    await until(f"{count} talk or talked", lambda: router.metric("queue_answered_total") == count)


async def test_a_dozen_callers_are_served_in_their_order(start_router: Callable[..., Router], join: Join) -> None:
    """Q3, Q9: each hears their place, and is told when it improves; whoever came first is served first."""
    router = await asyncio.to_thread(start_router)
    callers = [await join(f"caller{number}", router, calls=f"+324751112{number:02}") for number in range(12)]
    for position, caller in enumerate(callers, 1):
        await caller.hears("queue.hold", f"position.{position}", "queue.thanks")
    for caller in callers:
        await caller.hears_tone(MUSIC_HERTZ)
    agent = await join("301", router)
    for number, caller in enumerate(callers):
        invite = await agent.is_rung()
        assert invite.user("From") == f"+324751112{number:02}", invite["From"]
        assert f"Service Commercial: {caller.name}" in invite["From"]
        agent.answers()
        if number < 3:  # sound costs time, order does not
            await caller.ear.say(tone(600, 0.4))
            await agent.hears_tone(600, 0.2)
            await agent.ear.say(tone(900, 0.4))
            await caller.hears_tone(900, 0.2)
        else:
            await answered(router, number + 1)
        agent.hangs_up()
        await caller.is_hung_up()
        if number < 3:
            await callers[number + 1].hears("position.1")
    assert router.metric("queue_answered_total", queue="sales") == 12
    assert router.metric("queue_waiting", queue="sales") == 0
    await until("nothing is left", lambda: router.metric("media_streams") == 0)


async def test_everybody_is_rung_and_one_answers(
    company: Company, start_router: Callable[..., Router], join: Join
) -> None:
    """Q10: the others learn that the call was completed elsewhere, and the two hear each other within 300 ms."""
    company.document["queues"]["sales"]["rings"] = "ring_all"
    router = await asyncio.to_thread(start_router)
    agents = [await join(str(number), router) for number in range(301, 313)]
    caller = await join("paul", router, calls="+32475111222")
    for agent in agents:
        await agent.is_rung()
    await caller.hears("position.1")
    speaking = asyncio.create_task(caller.ear.say(tone(600, 2.0)))
    agents[7].answers()
    await until("the agent hears the caller", lambda: agents[7].ear.packets)
    for agent in agents:
        if agent is not agents[7]:
            cancel = await agent.is_cancelled()
            assert cancel["Reason"] == ELSEWHERE
    await agents[7].hears_tone(600)
    await speaking
    agents[7].hangs_up()
    await until("the caller is hung up", lambda: caller.ended)
    record = (await asyncio.to_thread(router.records, 2))[-1]
    assert [leg["peer"] for leg in record["legs"] if leg["status"] == 200] == ["308"]
    assert len(record["legs"]) == 12


async def test_two_answer_at_the_same_instant(
    company: Company, start_router: Callable[..., Router], join: Join
) -> None:
    """Q10: one of them talks, the other is hung up at once."""
    company.document["queues"]["sales"]["rings"] = "ring_all"
    router = await asyncio.to_thread(start_router)
    first, second = await join("301", router), await join("302", router)
    caller = await join("paul", router, calls="+32475111222")
    await first.is_rung()
    await second.is_rung()
    first.answers()
    second.answers()
    await until("the second is let go of", lambda: first.ended or second.ended)
    winner = second if first.ended else first
    await caller.ear.say(tone(600, 0.5))
    await winner.hears_tone(600)
    caller.hangs_up()
    await until("the winner is hung up", lambda: winner.ended)


async def test_customers_of_importance_go_first(start_router: Callable[..., Router], join: Join) -> None:
    """Q16: two tiers, each in its order; whoever is overtaken is not told of a place that they do not have."""
    router = await asyncio.to_thread(start_router)
    numbers = ["+32475111001", "+32475111002", "+32475999001", "+32475999002"]
    callers = [await join(f"c{at}", router, calls=number) for at, number in enumerate(numbers)]
    for caller, position in zip(callers, (1, 2, 1, 2), strict=True):
        await caller.hears(f"position.{position}")
    agent = await join("301", router)
    for served, number in enumerate(("+32475999001", "+32475999002", "+32475111001", "+32475111002"), 1):
        invite = await agent.is_rung()
        assert invite.user("From") == number
        agent.answers()
        await answered(router, served)
        agent.hangs_up()


async def test_who_rejects_or_vanishes_is_passed_over(start_router: Callable[..., Router], join: Join) -> None:
    """Q14: the next one is rung; who is rung too long, too."""
    router = await asyncio.to_thread(start_router)
    agents = [await join(str(number), router) for number in range(301, 304)]
    caller = await join("paul", router, calls="+32475111222")
    rung = await until("an agent is rung", lambda: next((agent for agent in agents if agent.rings), None))
    await rung.is_rung()
    rung.refuses(603)
    others = [agent for agent in agents if agent is not rung]
    second = await until("the next is rung", lambda: next((agent for agent in others if agent.rings), None))
    await second.is_rung()
    second.vanish()
    [third] = [agent for agent in others if agent is not second]
    await third.is_rung(20)
    third.answers()
    await third.ear.say(tone(900, 0.5))
    await caller.hears_tone(900)
    assert rung.count("INVITE") == 1
    caller.hangs_up()


async def test_nobody_waits_for_ever(company: Company, start_router: Callable[..., Router], join: Join) -> None:
    """Q2, G3: told before, then the mailbox."""
    wait = {"after": "6s", "then": "voicemail", "notice": "3s before"}
    company.document["queues"]["sales"]["max_wait"] = wait
    router = await asyncio.to_thread(start_router)
    caller = await join("paul", router, calls="+32475111222")
    await caller.hears("position.1", "queue.notice_message", "greeting.hello", "record.after_tone")
    assert router.metric("queue_overflow_total", queue="sales", cause="max_wait") == 1
    caller.hangs_up()


async def test_a_key_works_at_every_moment(start_router: Callable[..., Router], join: Join) -> None:
    """Q5: during the welcome, during an announcement, during music."""
    router = await asyncio.to_thread(start_router)
    for moment in ("queue.hold", "position.1", ""):
        caller = await join("paul", router, calls="+32475111222")
        if moment:
            await caller.hears(moment)
        else:
            await caller.hears_tone(MUSIC_HERTZ)
        caller.ear.press(1)
        await caller.hears("greeting.hello")
        caller.hangs_up()
    assert router.metric("queue_places_ended_total", queue="sales", ended="left") == 3


@pytest.mark.parametrize(("at", "waits"), [("16:59:50", True), ("17:00:00", False)])
async def test_closing_time(
    company: Company, start_router: Callable[..., Router], join: Join, at: str, waits: bool
) -> None:
    """Q11, Q13, G8: who called before 17:00 is served after it; who calls then is sent elsewhere."""
    queue = company.document["queues"]["sales"]
    queue |= {"hours": "office", "closed": {"voicemail": "anna"}}
    for role in company.document["roles"].values():
        role.pop("schedule", None)  # the agents stay as long as somebody waits
    router = await asyncio.to_thread(start_router, clock=f"2026-11-24T{at}+01:00")
    caller = await join("paul", router, calls="+32475111222")
    if not waits:
        await caller.hears("greeting.hello")
        caller.hangs_up()
        return
    await caller.hears("position.1")
    await asyncio.sleep(11)  # until the queue has closed: there is no other clock here than the real one
    agent = await join("301", router)
    await agent.is_rung()
    agent.answers()
    await agent.ear.say(tone(900, 0.5))
    await caller.hears_tone(900)
    late = await join("late", router, calls="+32475333444")
    await late.hears("greeting.hello")
    late.hangs_up()
    caller.hangs_up()
    await until("the agent is hung up", lambda: agent.ended)


async def test_a_killed_router_forgets_neither_agents_nor_places(
    start_router: Callable[..., Router], company: Company, join: Join
) -> None:
    """Q9: after kill -9 a log-out holds, and whoever was cut off and calls again goes before others."""
    router = await asyncio.to_thread(Router, company, name="killed")
    first = await join("first", router, calls="+32475111001")
    await first.hears("position.1")
    agent = await join("301", router)
    await agent.is_rung()
    agent.refuses(486)
    assert await agent.dials("*46") == 200
    router.process.end(signal.SIGKILL)
    again = await asyncio.to_thread(start_router, clock="2026-11-24T10:01:00+01:00")
    other = await join("other", again, calls="+32475111002")
    await other.hears("position.1")
    back = await join("back", again, calls="+32475111001")
    await back.hears("position.1")
    assert again.metric("queue_agents", state="logged_out") == 1
    back.hangs_up()
    other.hangs_up()
