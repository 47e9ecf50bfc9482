"""The whole router with its feeds, and with reloads: what comes into force is seen by the next decision."""

from __future__ import annotations

import asyncio
import gc
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from router.app import Router
from router.calls.clock import PolicyClock
from router.configuration import load
from router.feeds import calendars, refresh
from router.model.decision import Action, Decision, Facts, Origin
from tests.feeds.company import COMPANY
from tests.feeds.keeper import Keeper
from tests.feeds.test_events import UTC_EVENT, calendar

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=ZoneInfo("Europe/Brussels")).timestamp()
SATELLITE = "+88112345678"


class Desk:
    """A running router and its configuration files."""

    def __init__(self, folder: Path, keeper: Keeper, free_port: int) -> None:
        self.folder = folder
        self.keeper = keeper
        self.document: dict[str, Any] = yaml.safe_load(COMPANY)
        self.document["sip"]["listen"] = f"udp:127.0.0.1:{free_port}"
        self.document["http"] = {"listen": f"127.0.0.1:{free_port}"}
        self.document["storage"] = {"directory": str(folder / "var")}
        self.document["greylist"] = {
            "sources": [{"url": f"{keeper.url}/list", "sha256": f"{keeper.url}/list.sha256", "every": "10s"}]
        }

    def write(self) -> Path:
        directory = self.folder / "config"
        directory.mkdir(exist_ok=True)
        (directory / "company.yaml").write_text(yaml.safe_dump(self.document, sort_keys=False))
        return directory

    async def start(self) -> None:
        self.router = Router(load(self.write()), PolicyClock(NOW))
        await self.router.start()

    def publishes(self, text: str) -> None:
        self.keeper.gives("/list", text)
        self.keeper.gives("/list.sha256", hashlib.sha256(text.encode()).hexdigest())

    def decides(self, dialled: str, caller: str = "+442071234567") -> Decision:
        """The decision on a call that begins now: of claire's PBX to the outside, or from the outside to claire."""
        exchange = self.router.exchange
        outside = dialled.startswith("+88")
        facts = Facts(
            Origin.PBX if outside else Origin.TRUNK,
            "pbx" if outside else "trunk",
            dialled,
            caller_number="201" if outside else caller,
            selections=self.router.states.selections,
        )
        return exchange.decide(facts, exchange.policy)


@pytest.fixture
async def desk(
    tmp_path: Path, keeper: Keeper, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    for module, name in ((refresh, "FIRST_RETRY"), (calendars, "PAUSE_SECONDS"), (calendars, "START_SECONDS")):
        monkeypatch.setattr(module, name, 0.1)
    desk = Desk(tmp_path, keeper, unused_tcp_port)
    yield desk
    await desk.router.stop(0.0)
    gc.enable()
    gc.unfreeze()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_list_of_somebody_else_decides_the_next_call(desk: Desk) -> None:
    desk.publishes("+882\n")
    await desk.start()
    await until(lambda: desk.decides("+88212345678").action is Action.REFUSE)
    assert desk.decides(SATELLITE).action is Action.DIAL
    assert desk.router._readiness()["feed greylist 127.0.0.1"] is True
    desk.publishes("<html>")
    desk.document["greylist"]["sources"][0]["stale_after"] = "0s"
    desk.write()
    await desk.router.reload("SIGHUP")
    decision = desk.decides("+88212345678")
    assert decision.action is Action.REFUSE
    assert [reason.source for reason in decision.because if reason.clause == "X2"] == ["greylist 127.0.0.1:1"]
    await until(lambda: desk.router.subscriptions.ok()[("greylist 127.0.0.1",)] == 0.0)
    assert desk.decides("+88212345678").action is Action.REFUSE
    assert desk.router._readiness()["feed greylist 127.0.0.1"] is False


async def test_meeting_in_the_calendar_decides_the_next_call(desk: Desk) -> None:
    desk.publishes("")
    desk.document["people"]["claire"]["calendar"] = f"{desk.keeper.url}/claire.ics"
    desk.document["profiles"]["meeting"]["from_calendar"] = "true"
    desk.keeper.gives("/claire.ics", calendar(UTC_EVENT))
    await desk.start()
    await until(lambda: desk.decides("+3242200121").profile == "meeting")
    assert str(desk.decides("+3242200121").target) == "reception"


async def test_reload_puts_a_new_policy_in_force(desk: Desk) -> None:
    desk.publishes("")
    await desk.start()
    assert desk.decides(SATELLITE).action is Action.DIAL
    desk.document["greylist"]["prefixes"] = ["+881"]
    desk.write()
    assert await desk.router.reload("SIGHUP") == ()
    assert desk.decides(SATELLITE).action is Action.REFUSE
    audit = await desk.router.state_store.audit(
        since=0, until=NOW * 2, subject=desk.router.configuration.hash, limit=10
    )
    assert [(entry.actor, entry.action) for entry in audit] == [("SIGHUP", "load configuration")]


async def test_bad_configuration_changes_nothing_and_names_every_error(desk: Desk) -> None:
    desk.publishes("")
    await desk.start()
    before = desk.router.configuration.hash
    desk.document["people"]["claire"]["role"] = "captain"
    desk.document["greylist"]["prefixes"] = ["nothing"]
    desk.write()
    findings = await desk.router.reload("SIGHUP")
    assert {finding.clause for finding in findings} == {"S1", "X2"}
    assert desk.router.configuration.hash == before  # the list that came meanwhile makes it another object


async def test_reloads_that_are_asked_for_meanwhile_are_one(desk: Desk) -> None:
    desk.publishes("")
    await desk.start()
    first = desk.router.reloading.soon("first")
    await until(lambda: desk.router.reloading._turn.locked())
    desk.document["company"]["name"] = "Atelier du Nord"
    desk.write()
    others = [desk.router.reloading.soon(f"other {number}") for number in range(20)]
    assert len({first, *others}) == 2
    await asyncio.gather(first, *others)
    assert desk.router.configuration.company_name == "Atelier du Nord"
