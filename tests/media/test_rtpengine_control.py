"""What is said to an rtpengine is said again when it is lost, not for ever, and only its own answer counts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router.media.bencode import decode, encode
from router.media.rtpengine_control import Control, UnknownCallError, UnreachableError
from router.ports import EngineError, OfferError

PATIENCE = (0.02, 0.02, 0.05)


class Engine:
    """A socket in the place of an rtpengine: what comes is put aside, what goes is up to the test."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._router: tuple[str, int] = ("", 0)
        asyncio.get_running_loop().add_reader(self.socket, self._came)

    def _came(self) -> None:
        data, self._router = self.socket.recvfrom(65536)
        self.waiting.put_nowait(data)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    async def heard(self) -> tuple[bytes, object]:
        """Return the cookie and the command of the next datagram."""
        async with asyncio.timeout(5):
            cookie, _, body = (await self.waiting.get()).partition(b" ")
        return cookie, decode(body)

    def says(self, data: bytes, by: socket.socket | None = None) -> None:
        (by or self.socket).sendto(data, self._router)

    def close(self) -> None:
        if self.socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self.socket)
            self.socket.close()


@pytest_asyncio.fixture(loop_scope="module")
async def engine() -> AsyncIterator[Engine]:
    made = Engine()
    yield made
    made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def control(engine: Engine) -> AsyncIterator[Control]:
    made = Control("127.0.0.1", engine.port)
    await made.open()
    yield made
    made.close()


PONG = encode({"result": "pong"})


async def test_a_command_that_was_lost_is_repeated_with_its_cookie(engine: Engine, control: Control) -> None:
    answer = control.ask("ping", patience=(0.02, 5.0))
    first, command = await engine.heard()
    again, repeated = await engine.heard()
    assert again == first
    assert command == repeated == {"command": b"ping"}
    engine.says(again + b" " + PONG)
    assert await answer == {"result": b"pong"}


async def test_two_commands_have_two_cookies_and_each_gets_its_own_answer(engine: Engine, control: Control) -> None:
    one, other = control.ask("query", {"call-id": "1"}), control.ask("query", {"call-id": "2"})
    (first, _), (second, _) = await engine.heard(), await engine.heard()
    engine.says(second + b" " + encode({"result": "ok", "of": 2}))
    engine.says(first + b" " + encode({"result": "ok", "of": 1}))
    assert (await one)["of"] == 1
    assert (await other)["of"] == 2


async def test_what_is_no_answer_is_passed_over(engine: Engine, control: Control) -> None:
    answer = control.ask("ping")
    cookie, _ = await engine.heard()
    strangers = [
        b"", b" ", b"\xff" * 50, b"wrong-1 " + PONG, cookie, cookie + b" ", cookie + b" d6:resul", cookie + b" i1e",
    ]  # fmt: skip
    for data in strangers:
        engine.says(data)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        engine.says(cookie + b" " + encode({"result": "error"}), by=stranger)  # the kernel does not let it in
    engine.says(cookie + b" " + PONG)
    assert await answer == {"result": b"pong"}
    assert control.strays == len(strangers)


async def test_patience_has_an_end(engine: Engine, control: Control) -> None:
    with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{engine.port}: no answer within 0\.1 s") as failure:
        await control.ask("ping", patience=PATIENCE)
    assert not failure.value.refused
    heard = [await engine.heard() for _ in PATIENCE]
    assert len(set(map(str, heard))) == 1
    assert engine.waiting.empty()


async def test_where_nobody_listens_patience_is_not_needed(engine: Engine) -> None:
    control = Control("127.0.0.1", engine.port)
    await control.open()
    engine.close()
    with pytest.raises(UnreachableError, match="refused") as failure:
        await control.ask("ping")
    assert failure.value.refused
    control.close()


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        ({"result": "error", "error-reason": "Failed to parse SDP"}, OfferError, "Failed to parse SDP"),
        ({"result": "error", "error-reason": "Unknown call-id"}, UnknownCallError, "refuses offer: Unknown call-id"),
        ({"result": "error", "error-reason": "Ran out of ports"}, EngineError, "Ran out of ports"),
        ({"result": "load limit", "message": "Parallel session limit reached"}, EngineError, "limit reached"),
        ({"result": "error"}, EngineError, "error"),
        ({}, EngineError, "no reason given"),
    ],
)
async def test_a_refusal_says_why_and_whose_fault_it_is(
    engine: Engine, control: Control, answer: dict[str, str], kind: type[Exception], text: str
) -> None:
    asked = control.ask("offer")
    cookie, _ = await engine.heard()
    engine.says(cookie + b" " + encode(answer))
    with pytest.raises(kind, match=text) as failure:
        await asked
    assert type(failure.value) is kind


async def test_a_description_that_fits_into_no_datagram_is_not_sent(engine: Engine, control: Control) -> None:
    with pytest.raises(OfferError, match="too long"):
        await control.ask("offer", {"sdp": b"x" * 65_000})
    control.ask("ping")
    assert (await engine.heard())[1] == {"command": b"ping"}


async def test_closing_ends_what_waits(control: Control) -> None:
    answer = control.ask("ping")
    control.close()
    with pytest.raises(UnreachableError, match="closed"):
        await answer
