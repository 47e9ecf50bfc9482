"""Work done aside: what comes back is what was made, and whatever goes wrong there is a clear error here."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

import pytest

from router import aside
from router.configuration import ConfigurationError, load
from router.policy.greylist import Greylist
from router.policy.prefixes import ListSource, PrefixTable
from tests.feeds.work import company, die, fail, give_back, grow, spin, unpicklable, wait_for_ever

BENCH = Path(__file__).parents[2] / "bench" / "config"


async def test_value_comes_back_and_what_is_shared_stays_shared() -> None:
    members = await aside.run(company, 5_000)
    assert members == company(5_000)
    assert isinstance(members, MappingProxyType)
    assert {id(member.team) for member in members.values()} == {id(members["0"].team)}


async def test_arguments_arrive_whole() -> None:
    value = [tuple(bytes([number]) * 50_000 for number in range(40)), {"a": (1, 2.5, None, frozenset({"x"}))}]
    assert await aside.run(give_back, value) == value


async def test_configuration_is_the_same_from_aside() -> None:
    made, own = await aside.run(load, BENCH), load(BENCH)
    assert made.policy.people == own.policy.people
    assert made.policy.extensions["3001"] is made.policy.people["person0001"]
    assert (made.trunks, made.pbxs, made.accounts, made.hash) == (own.trunks, own.pbxs, own.accounts, own.hash)


def test_every_piece_of_a_configuration_is_small() -> None:
    frames = list(aside._frames(load(BENCH)))
    assert len(frames) > 100
    assert max(map(len, frames)) < 512 * 1024


async def test_long_greylist_arrives_in_pieces() -> None:
    table = PrefixTable.of(((f"88{number:06}", 0, number) for number in range(100_000)), (ListSource("list.txt"),))
    arrived = await aside.run(give_back, Greylist((table,)))
    assert isinstance(arrived, Greylist)
    assert arrived.entry_count == 100_000
    assert arrived.match("+88099999123", 0.0) == Greylist((table,)).match("+88099999123", 0.0)
    assert max(map(len, aside._frames(table))) < 512 * 1024


async def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(aside.AsideError, match=r"spin took longer than 0\.5 seconds"):
        await aside.run_within(0.5, spin)


async def test_what_takes_too_much_memory_is_ended() -> None:
    with pytest.raises(aside.AsideError, match="grow needs more than 4096 MiB of memory"):
        await aside.run(grow)


async def test_child_that_is_killed_is_an_error() -> None:
    with pytest.raises(aside.AsideError, match=r"die ended without a result \(killed by SIGKILL\)"):
        await aside.run(die)


async def test_result_that_cannot_cross_is_an_error() -> None:
    with pytest.raises(aside.AsideError, match=r"unpicklable: .*pickle"):
        await aside.run(unpicklable)


async def test_error_of_the_work_is_raised_here(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no \.yaml file here") as raised:
        await aside.run(load, tmp_path)
    assert raised.value.findings[0].mark.file == str(tmp_path)


async def test_error_that_cannot_cross_is_named() -> None:
    with pytest.raises(aside.AsideError, match="fail failed: UnusualError: 1 and 2"):
        await aside.run(fail)


async def test_given_up_work_leaves_no_child(tmp_path: Path) -> None:
    task = asyncio.create_task(aside.run(wait_for_ever, tmp_path / "pid"))
    async with asyncio.timeout(30):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_dismantling_lets_go_of_everything() -> None:
    class Watched:
        gone = 0

        def __del__(self) -> None:
            Watched.gone += 1

    value: list[object] = [{number: (Watched(), [Watched()] * 3) for number in range(1_000)}]
    await aside.dismantle(value)
    assert value == []
    assert Watched.gone == 2_000


async def test_work_that_is_given_up_while_its_child_begins_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []
    spawn = aside._spawn

    def noted() -> subprocess.Popen[bytes]:
        begun.append(spawn())
        return begun[-1]

    monkeypatch.setattr(aside, "_spawn", noted)
    for turns in range(6):
        running = asyncio.ensure_future(aside.run(company, 10))
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    async with asyncio.timeout(10):
        while any(child.returncode is None for child in begun):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_work_that_is_given_up_twice_leaves_no_child(tmp_path: Path) -> None:
    """A router that stops gives up what it has given up already, and has no thread free for a farewell."""
    threads, release = ThreadPoolExecutor(1), threading.Event()
    asyncio.get_running_loop().set_default_executor(threads)
    running = asyncio.create_task(aside.run(wait_for_ever, tmp_path / "pid"))
    async with asyncio.timeout(30):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    blocked = threads.submit(release.wait)
    for _ in range(2):
        running.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await running
    release.set()
    await asyncio.wrap_future(blocked)
    await asyncio.to_thread(int)  # whatever waited for the thread has had it
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
