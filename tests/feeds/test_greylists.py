"""Lists that somebody else keeps (X2): only what their keeper published comes into force, and the last good copy stays
whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from router.configuration import Configuration, load
from router.feeds import refresh
from router.feeds.copies import copy_path, keep_copy, read_copy
from router.feeds.greylists import Greylists, Reading, compile_copies, with_copies
from router.feeds.source import Version
from router.model.feeds import Feeds, GreylistFeed
from router.model.tally import Counts
from router.policy.greylist import Greylist
from tests.feeds.keeper import NO_HEADERS, Keeper

SAMPLE = Path(__file__).parents[2] / "config"
BLOCKED = "+88112345678"
ANOTHER = "+88212345678"


class Desk:
    """The lists of one router."""

    def __init__(self, folder: Path, keeper: Keeper, session: aiohttp.ClientSession) -> None:
        self.keeper = keeper
        self.session = session
        self.configuration = replace(load(SAMPLE), data_directory=folder)
        self.changes = 0
        self.failures = Counts()
        self.lists = Greylists(self._changed, self.failures)

    def _changed(self) -> None:
        self.changes += 1

    def feed(self, path: str = "/list", sha256: str = "/list.sha256", **others: object) -> GreylistFeed:
        """A feed that is looked at again and again at once."""
        feed = GreylistFeed("greylist keeper", self.keeper.url + path, "BE", 0.05, 3600.0)
        return replace(feed, sha256=self.keeper.url + sha256 if sha256.startswith("/") else sha256, **others)  # type: ignore[arg-type]

    def follow(self, *feeds: GreylistFeed) -> Configuration:
        self.configuration = replace(self.configuration, feeds=Feeds(feeds))
        self.lists.follow(
            Reading(self.configuration, compile_copies(self.configuration.data_directory, feeds)), self.session
        )
        return self.configuration

    def publishes(self, text: str, path: str = "/list", headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.keeper.gives(path, text, headers=headers)
        self.keeper.gives(path + ".sha256", f"{hashlib.sha256(text.encode()).hexdigest()}  list\n")

    def blocks(self, number: str) -> bool:
        return Greylist(self.lists.tables).match(number, 0.0) is not None

    def fault(self) -> str:
        return next(iter(self.lists.standings.values())).fault


@pytest.fixture
async def desk(
    tmp_path: Path, keeper: Keeper, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    monkeypatch.setattr(refresh, "FIRST_RETRY", 0.05)
    desk = Desk(tmp_path, keeper, session)
    yield desk
    await desk.lists.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_list_comes_into_force_and_follows_its_keeper(desk: Desk) -> None:
    desk.publishes("+881 # satellites\n")
    desk.follow(desk.feed())
    await until(lambda: desk.blocks(BLOCKED))
    assert not desk.blocks(ANOTHER)
    desk.publishes("+882\n")
    await until(lambda: desk.blocks(ANOTHER))
    assert not desk.blocks(BLOCKED)


async def test_reason_names_the_list_and_the_line(desk: Desk) -> None:
    desk.publishes("# none of these\n+881\n")
    desk.follow(desk.feed())
    await until(lambda: desk.blocks(BLOCKED))
    reason = Greylist(desk.lists.tables).match(BLOCKED, 0.0)
    assert reason is not None
    assert (reason.clause, reason.source) == ("X2", "greylist keeper:2")


@pytest.mark.parametrize("nonsense", ["<html>Sign in</html>", "+881\n" + "nothing\n" * 100, "\0\0\0", ""])
async def test_nonsense_leaves_the_last_good_copy(desk: Desk, nonsense: str) -> None:
    desk.publishes("+881\n" + "".join(f"+88{number}\n" for number in range(300, 500)))
    desk.follow(desk.feed())
    await until(lambda: desk.blocks(BLOCKED))
    desk.publishes(nonsense)
    await until(lambda: desk.fault() != "")
    assert desk.blocks(BLOCKED)
    assert desk.failures[("greylist keeper",)] >= 1
    copy = read_copy(copy_path(desk.configuration.data_directory, "greylist", desk.feed().url))
    assert copy is not None
    assert copy.data.startswith(b"+881\n")


async def test_wrong_checksum_leaves_the_last_good_copy(desk: Desk) -> None:
    desk.publishes("+881\n")
    desk.follow(desk.feed())
    await until(lambda: desk.blocks(BLOCKED))
    desk.keeper.gives("/list", "+882\n")
    await until(lambda: "its SHA-256 is another one" in desk.fault())
    assert desk.blocks(BLOCKED)
    assert not desk.blocks(ANOTHER)
    desk.publishes("+882\n")
    await until(lambda: desk.blocks(ANOTHER))
    assert desk.fault() == ""


@pytest.mark.parametrize("disaster", ["hangs", "ends", "fails", "truncates", "no checksum"])
async def test_broken_source_leaves_the_last_good_copy(desk: Desk, disaster: str) -> None:
    desk.publishes("+881\n")
    desk.follow(desk.feed())
    await until(lambda: desk.blocks(BLOCKED))
    match disaster:
        case "hangs":
            desk.keeper.hangs("/list")
        case "ends":
            await desk.keeper.close()
        case "fails":
            desk.keeper.gives("/list", "+882\n", status=500)
        case "truncates":
            desk.keeper.breaks_off("/list", b"+882\n")
        case "no checksum":
            desk.keeper.gives("/list", "+882\n")
            desk.keeper.gives("/list.sha256", "<html>")
    await until(lambda: desk.fault() != "")
    assert desk.blocks(BLOCKED)
    assert not desk.blocks(ANOTHER)


async def test_checksum_may_stand_in_the_configuration(desk: Desk) -> None:
    desk.publishes("+881\n")
    desk.follow(desk.feed(sha256=hashlib.sha256(b"+882\n").hexdigest()))
    await until(lambda: "its SHA-256 is another one" in desk.fault())
    desk.publishes("+882\n")
    await until(lambda: desk.blocks(ANOTHER))


async def test_only_the_keeper_can_sign(desk: Desk) -> None:
    keeper, stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    desk.keeper.gives("/list", "+881\n")
    desk.keeper.gives("/list.sig", b64encode(stranger.sign(b"+881\n")) + b"\n")
    public = keeper.public_key().public_bytes_raw()
    desk.follow(desk.feed(sha256="", signature=f"{desk.keeper.url}/list.sig", signed_by=public))
    await until(lambda: "its signature is not that of its keeper" in desk.fault())
    assert not desk.blocks(BLOCKED)
    desk.keeper.gives("/list.sig", b64encode(keeper.sign(b"+881\n")) + b"\n")
    await until(lambda: desk.blocks(BLOCKED))


async def test_copy_is_used_at_once_after_a_restart(desk: Desk, tmp_path: Path) -> None:
    desk.publishes("+881\n")
    configuration = desk.follow(desk.feed())
    await until(lambda: desk.blocks(BLOCKED))
    await desk.lists.close()
    await desk.keeper.close()
    assert with_copies(configuration).policy.greylist.match(BLOCKED, 0.0) is not None
    restarted = Desk(tmp_path, desk.keeper, desk.session)
    restarted.follow(desk.feed())
    assert restarted.blocks(BLOCKED)
    await until(lambda: restarted.fault() != "")
    assert restarted.blocks(BLOCKED)
    await restarted.lists.close()


async def test_up_to_date_list_is_not_read_again(desk: Desk) -> None:
    desk.publishes("+881\n", headers={"ETag": '"1"'})
    desk.follow(desk.feed())
    await until(lambda: desk.blocks(BLOCKED))
    path = copy_path(desk.configuration.data_directory, "greylist", desk.feed().url)
    os.utime(path, (0, 0))
    await until(lambda: path.stat().st_mtime > time.time() - 60)
    assert desk.changes == 1


async def test_same_list_once_more_is_not_read_again(desk: Desk) -> None:
    desk.publishes("+881\n")
    desk.follow(desk.feed())
    await until(lambda: desk.blocks(BLOCKED))
    await until(lambda: len(desk.keeper.asked) > 10)
    assert desk.changes == 1


async def test_damaged_copy_is_fetched_anew(desk: Desk) -> None:
    desk.publishes("+881\n", headers={"ETag": '"1"'})
    path = copy_path(desk.configuration.data_directory, "greylist", desk.feed().url)
    keep_copy(path, b"<html>", Version('"1"'), time.time())
    desk.follow(desk.feed())
    await until(lambda: desk.blocks(BLOCKED))


async def test_reload_adds_and_removes_lists(desk: Desk) -> None:
    desk.publishes("+881\n")
    desk.publishes("+882\n", path="/other")
    desk.follow(desk.feed())
    await until(lambda: desk.blocks(BLOCKED))
    desk.follow(desk.feed(), desk.feed("/other", "/other.sha256"))
    assert desk.blocks(BLOCKED)
    await until(lambda: desk.blocks(ANOTHER))
    desk.follow(desk.feed("/other", "/other.sha256"))
    assert not desk.blocks(BLOCKED)
    assert desk.blocks(ANOTHER)
    asked = len(desk.keeper.asked)
    await until(lambda: len(desk.keeper.asked) > asked + 4)
    assert "/list" not in {request.path for request in desk.keeper.asked[asked + 2 :]}


async def test_list_may_block_callers_as_well(desk: Desk) -> None:
    desk.publishes("+881\n")
    desk.follow(desk.feed(inbound=True))
    await until(lambda: desk.blocks(BLOCKED))
    reason = Greylist(desk.lists.tables).blocks_caller(BLOCKED, 0.0)
    assert reason is not None
    assert reason.clause == "G9"


def test_copy_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = copy_path(tmp_path, "greylist", "https://claire:secret@lists.example/?token=secret")
    assert "secret" not in str(path)
    keep_copy(path, b"+881\n", Version('"1"', "today"), 1000.0)
    keep_copy(path, b"+882\n", Version(), 2000.0)
    copy = read_copy(path)
    assert copy is not None
    assert (copy.data, copy.version, copy.fetched_at) == (b"+882\n", Version(), 2000.0)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o077 == 0
