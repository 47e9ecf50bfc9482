"""Recordings of calls over HTTP: who finds and hears them, what stands in the audit, and their erasure (X3)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router.model.decision import Reason
from router.model.recording import Direction, KeptRecording, RecordedPart
from tests.stores.test_recordings import part
from tests.web.test_mailboxes_api import CUSTOMER, TUESDAY_TEN, Desk

BECAUSE = Reason("X3", "calls of Claire Dubois are recorded", "recording.yaml:2", "les appels…", "recording")


@pytest.fixture
async def desk(tmp_path: Path, unused_tcp_port_factory: Any, unused_udp_port_factory: Any) -> AsyncIterator[Desk]:
    async with aiohttp.ClientSession() as client:
        desk = Desk(tmp_path, client, [unused_udp_port_factory(), unused_tcp_port_factory(), unused_udp_port_factory()])
        await desk.router.start()
        yield desk
        await desk.router.stop(drain_seconds=0)


def exists(path: str) -> bool:
    return os.path.exists(path)


async def recorded(desk: Desk, caller: str = CUSTOMER, called: str = "201", at: float = TUESDAY_TEN) -> KeptRecording:
    store = desk.router.recordings
    draft = await store.begin(at)
    parts: list[RecordedPart] = [part(draft, 1000, -1000, 1.0)]
    kept = KeptRecording(
        draft.id,
        "call-1",
        at,
        0.0,
        caller,
        called,
        ("claire",),
        Direction.INBOUND,
        (BECAUSE,),
        "le contrat",
        at + 86400,
    )
    return await store.confirm(kept, parts)


async def test_an_administrator_finds_and_hears_recordings_and_that_is_audited(desk: Desk) -> None:
    kept = await recorded(desk)
    await recorded(desk, "201", "+3243334455", TUESDAY_TEN + 60)
    found = await desk.ask("boss", "GET", "recordings", number="0475 11 12 22")
    assert found.content["recordings"] == [
        {
            "id": kept.id,
            "call_id": "call-1",
            "began": "2026-11-24T10:00:00+01:00",
            "seconds": 1.0,
            "caller": CUSTOMER,
            "called": "201",
            "people": ["claire"],
            "direction": "inbound",
            "because": [BECAUSE.as_dict()],
            "legal_basis": "le contrat",
            "keep_until": "2026-11-25T10:00:00+01:00",
        }
    ]
    heard = await desk.ask("boss", "GET", f"recordings/{kept.id}")
    assert (heard.status, heard.content[:4], heard.headers["Content-Type"]) == (200, b"RIFF", "audio/wav")
    assert '"20261124-100000.wav"' in heard.headers["Content-Disposition"]
    assert await desk.audit() == [
        ("token boss", "listen to recording", f"recording {kept.id}"),
        ("token boss", "list recordings", "all"),
    ]
    assert "475111222" not in str((await desk.ask("boss", "GET", "audit")).content)


@pytest.mark.parametrize("token", ["desk", "wall", "claire"])
async def test_nobody_else_does_not_even_for_their_own_calls(desk: Desk, token: str) -> None:
    kept = await recorded(desk)
    for method, path in (("GET", "recordings"), ("GET", f"recordings/{kept.id}"), ("DELETE", f"recordings/{kept.id}")):
        assert (await desk.ask(token, method, path)).status == 403
    assert await desk.router.recordings.recording(kept.id) == kept


async def test_a_recording_is_deleted(desk: Desk) -> None:
    kept = await recorded(desk)
    assert (await desk.ask("boss", "DELETE", f"recordings/{kept.id}")).status == 204
    assert (await desk.ask("boss", "GET", f"recordings/{kept.id}")).status == 404
    assert not exists(desk.router.recordings.sound(kept.id))
    assert await desk.audit() == [("token boss", "delete recording", f"recording {kept.id}")]


async def test_whoever_is_erased_is_erased_from_recordings_as_well(desk: Desk) -> None:
    await recorded(desk)
    await recorded(desk, "201", CUSTOMER)
    other = await recorded(desk, "+32475111223")
    answer = await desk.ask("boss", "DELETE", "people-data", number="0475 11 12 22")
    assert answer.content == {"messages": 0, "recordings": 2}
    left = (await desk.ask("boss", "GET", "recordings")).content["recordings"]
    assert [one["id"] for one in left] == [other.id]


async def test_what_makes_no_sense_is_told(desk: Desk) -> None:
    assert (await desk.ask("boss", "GET", "recordings", since="yesterday")).status == 422
    assert (await desk.ask("boss", "GET", "recordings/..%2Fx")).status == 404
    assert (await desk.ask("boss", "POST", "calls/recording", {"do": "stop"})).status == 422
    assert (await desk.ask("boss", "POST", "calls/recording", {"do": "pause"})).status == 422
    assert (await desk.ask("boss", "POST", "calls/recording", {"do": "pause", "call_id": "x"})).status == 404
    answer = await desk.ask("claire", "POST", "calls/recording", {"do": "pause"})
    assert (answer.status, "on the account of claire" in answer.content["detail"]) == (404, True)
    assert (await desk.ask("wall", "POST", "calls/recording", {"do": "pause"})).status == 403
