"""The torture messages of RFC 4475 and RFC 5118 against a running router.

The messages and the verdicts (`expect.json`) lie in a folder that the environment variable SIP_VECTORS names.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from .conftest import StartRouter
from .processes import eventually
from .router_process import Router
from .wire import Wire

VECTORS = os.environ.get("SIP_VECTORS")

pytestmark = [
    pytest.mark.skipif(VECTORS is None, reason="SIP_VECTORS does not name the folder of the torture messages"),
    pytest.mark.timeout(180),
]

# RFC 3261 §18.2.2: answers go to the address that a request came from, but to the port in its Via. Here all are free.
SENDER = "127.0.0.2"
ANSWER_SECONDS = 2.0


@dataclass
class Vector:
    """One raw message and what an endpoint may answer: `codes`, or one of `also`; no code at all means silence."""

    name: str
    raw: bytes
    kind: str
    codes: list[int]
    also: list[int] = field(default_factory=list)

    @property
    def transaction(self) -> tuple[bytes, ...]:
        """What a server recognises a retransmission by (RFC 3261 §17.2.3): sent-by, branch and method."""
        via = re.search(rb"(?im)^(?:via|v)\s*:[^\r]*?[/ \t](\S+?)\s*;[^\r]*?branch\s*=\s*([^;,\s]+)", self.raw)
        method = self.raw.partition(b" ")[0]
        return (method, *via.groups()) if via else (self.raw,)

    def fault(self, finals: set[int]) -> str | None:
        """What is wrong with these final answers, or None."""
        if not self.codes:
            return f"answered {sorted(finals)}, must be ignored" if finals else None
        if finals & {*self.codes, *self.also}:
            return None
        if self.kind == "liberal" and finals and max(finals) < 500:
            return None
        return f"answered {sorted(finals) or 'nothing'}, wanted {self.codes} or {self.also}"


def vectors(collection: str) -> list[Vector]:
    """All messages of "rfc4475" or "rfc5118" that have a verdict."""
    folder = Path(VECTORS or "") / collection
    expected: dict[str, dict[str, Any]] = json.loads((folder / "expect.json").read_text())
    return [
        Vector(path.stem, path.read_bytes(), *(expected[path.stem][key] for key in ("kind", "codes", "also")))
        for path in sorted((folder / "raw").iterdir())
        if path.stem in expected
    ]


def rounds(collection: str) -> list[list[Vector]]:
    """The messages in as few rounds as it takes that none of a round looks like a retransmission of another."""
    result: list[list[Vector]] = []
    for vector in vectors(collection):
        for members in result:
            if vector.transaction not in [member.transaction for member in members]:
                members.append(vector)
                break
        else:
            result.append([vector])
    return result


class Sender:
    """UDP sockets at one address: the port that sends, and each port that a Via names, where answers come."""

    def __init__(self, router: Router) -> None:
        self._router = (router.host, router.port)
        self._sockets: dict[int, socket.socket] = {}
        self._bind(5060)

    def _bind(self, port: int) -> None:
        if port not in self._sockets:
            receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            receiver.bind((SENDER, port))
            receiver.setblocking(False)
            self._sockets[port] = receiver

    def send(self, raw: bytes) -> None:
        """Send a message from port 5060, listening at its Via's port first."""
        via = re.search(rb"(?im)^(?:via|v)\s*:[^\r\n]*?:(\d{4,5})\s*(?:;|,|\r|$)", raw)
        if via and 1024 <= int(via.group(1)) < 65536:
            self._bind(int(via.group(1)))
        self._sockets[5060].sendto(raw, self._router)

    def received(self) -> Iterator[bytes]:
        """Yield what has come so far."""
        for receiver in self._sockets.values():
            while True:
                try:
                    yield receiver.recv(65535)
                except BlockingIOError:
                    break

    def close(self) -> None:
        for receiver in self._sockets.values():
            receiver.close()


def final_codes(data: bytes) -> set[int]:
    """Status codes of the final responses in some received bytes."""
    codes = (int(code) for code in re.findall(rb"(?:\A|\r\n)SIP/2\.0 (\d{3}) ", data))
    return {code for code in codes if code >= 200}


def is_alive(probe: Wire, router: Router) -> bool:
    """Whether OPTIONS is answered, after everything that was sent before it."""
    return probe.asks(probe.request("OPTIONS", f"sip:{router.address}"), seconds=2).status == 200


@pytest.mark.parametrize("collection", ["rfc4475", "rfc5118"])
def test_over_udp(start_router: StartRouter, collection: str) -> None:
    faults: list[str] = []
    for number, members in enumerate(rounds(collection)):
        router = start_router(name=f"router-{number}")
        before = router.resident_kilobytes
        faults += _fire_over_udp(router, members)
        assert router.resident_kilobytes - before < 16 * 1024
        eventually("no call is left of them", router.has_no_calls)
        router.end()
    assert not faults, "\n".join(faults)


def _fire_over_udp(router: Router, members: list[Vector]) -> Iterator[str]:
    sender = Sender(router)
    with Wire(router.address, host="127.0.0.3") as probe:
        for vector in members:
            sender.send(vector.raw)
            assert is_alive(probe, router), f"dead after {vector.name}"
            finals: set[int] = set()
            # The vector was read before the probe was; only an answer that waits for somebody is still missing.
            deadline = time.monotonic() + (ANSWER_SECONDS if vector.codes else 0.0)
            while True:
                for data in sender.received():
                    finals |= final_codes(data)
                if finals or time.monotonic() > deadline:
                    break
                time.sleep(0.02)
            if fault := vector.fault(finals):
                yield f"{vector.name} ({vector.kind}): {fault}"
    sender.close()


@pytest.mark.parametrize("collection", ["rfc4475", "rfc5118"])
def test_over_tcp(start_router: StartRouter, collection: str) -> None:
    """Each on a connection of its own.  A message that is not all there may wait for the rest instead."""
    faults: list[str] = []
    for number, members in enumerate(rounds(collection)):
        router = start_router(name=f"router-{number}")
        faults += _fire_over_tcp(router, members)
        eventually("no call is left of them", router.has_no_calls)
        router.end()
    assert not faults, "\n".join(faults)


def _fire_over_tcp(router: Router, members: list[Vector]) -> Iterator[str]:
    with Wire(router.address, host="127.0.0.3") as probe:
        for vector in members:
            with socket.create_connection((router.host, router.port), source_address=(SENDER, 0)) as connection:
                connection.sendall(vector.raw)
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(ANSWER_SECONDS if vector.codes else 0.3)
                answered = _read_until_final(connection)
            assert is_alive(probe, router), f"dead after {vector.name}"
            if _is_cut_short(vector.raw) and not answered:
                continue
            if fault := vector.fault(answered):
                yield f"{vector.name} ({vector.kind}): {fault}"


def _read_until_final(connection: socket.socket) -> set[int]:
    received = b""
    while not final_codes(received):
        try:
            data = connection.recv(65536)
        except (TimeoutError, ConnectionError):
            break
        if not data:
            break
        received += data
    return final_codes(received)


def _is_cut_short(raw: bytes) -> bool:
    head, _, body = raw.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)\s*$", head)
    return length is not None and int(length.group(1)) > len(body)
