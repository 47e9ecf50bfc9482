"""What the media engine costs: CPU of its process per stream.  The last line is one JSON object.

    python bench/media.py [--seconds 5]

Figures of the last line:

    play_core_percent       300 announcements at once, nothing coming in: percent of one core
    play_us_per_packet      the same per packet that is sent
    talk_core_percent       300 announcements to peers that send as well, as phones do
    record_core_percent     200 recordings at once (each hears silence meanwhile)
    record_lost             packets of these that the engine did not get
    relay_us_per_packet     50 bridges of one codec: per packet that passes
    convert_us_per_packet   the same from PCMA to PCMU
    transcode_us_per_packet the same from PCMA to G.722
    relay_setup_ms          what relaying adds to the setting up of a call, one after the other: offer and answer
    relay_setup_cpu_ms      CPU of both processes for one such call, its end included

The peers live in this process, which is not measured.  Everything passes the loopback interface, where a packet that
is sent is also delivered at the sender's expense.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import uvloop

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from router.media import wav  # noqa: E402
from router.media.client import Engine  # noqa: E402
from router.media.codecs import SILENCE  # noqa: E402
from router.media.relay import EngineRelay  # noqa: E402
from router.media.session import Session  # noqa: E402
from router.model.sound import MediaEvent, MediaParty  # noqa: E402

STREAMS, RECORDINGS, BRIDGES, CALLS = 300, 200, 50, 500
TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9}
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Phones:
    """Peers that send silence every 20 ms and throw away what comes."""

    def __init__(self, count: int, codec: str) -> None:
        self.codec = codec
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        for made in self.sockets:
            made.bind(("127.0.0.1", 0))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # it fills, and the kernel throws away
        self.targets: list[tuple[str, int]] = []
        self.sent = 0

    def offer(self, number: int) -> bytes:
        port = self.sockets[number].getsockname()[1]
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP {TYPES[self.codec]} 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        ).encode()

    async def sessions(self, engine: Engine) -> list[Session]:
        made = [await engine.answer(self.offer(number), _ignore) for number in range(len(self.sockets))]
        self.targets = [("127.0.0.1", int(session.description.split(b"m=audio ")[1].split()[0])) for session in made]
        return made

    def speak(self, over: threading.Event) -> None:
        """Send until it is over; to be run in a thread."""
        kind, payload = TYPES[self.codec], SILENCE[self.codec]
        due = time.monotonic()
        tick = 0
        while not over.is_set():
            for number, (made, target) in enumerate(zip(self.sockets, self.targets, strict=True)):
                header = struct.pack("!BBHII", 0x80, kind, tick & 0xFFFF, tick * 160 & 0xFFFFFFFF, number + 1)
                made.sendto(header + payload, target)
            self.sent += len(self.sockets)
            tick += 1
            due += 0.02
            time.sleep(max(0.0, due - time.monotonic()))

    def close(self) -> None:
        for made in self.sockets:
            made.close()


def _ignore(event: MediaEvent | str) -> None:
    pass


def cpu(process: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


async def measured(engine: Engine, sessions: Sequence[Session], seconds: float) -> tuple[float, int, int]:
    """Return CPU seconds per second, and packets sent and received by the engine meanwhile."""
    await asyncio.sleep(0.5)
    before = [await session.statistics() for session in sessions]
    used, began = cpu(engine.process_id), time.monotonic()
    await asyncio.sleep(seconds)
    used, passed = cpu(engine.process_id) - used, time.monotonic() - began
    after = [await session.statistics() for session in sessions]
    sent = sum(one.sent for one in after) - sum(one.sent for one in before)
    received = sum(one.received for one in after) - sum(one.received for one in before)
    return used / passed, int(sent / passed), int(received / passed)


async def playing(engine: Engine, sound: str, seconds: float, speaking: bool) -> dict[str, float]:
    phones = Phones(STREAMS, "PCMA")
    sessions = await phones.sessions(engine)
    tasks = [asyncio.ensure_future(session.play([sound], loop=True)) for session in sessions]
    over = threading.Event()
    if speaking:
        threading.Thread(target=phones.speak, args=(over,)).start()
    share, sent, received = await measured(engine, sessions, seconds)
    over.set()
    for session in sessions:
        session.close()
    await asyncio.gather(*tasks)
    phones.close()
    if speaking:
        return {"talk_core_percent": round(100 * share, 2), "talk_packets_per_s": sent + received}
    return {"play_core_percent": round(100 * share, 2), "play_us_per_packet": round(1e6 * share / sent, 2)}


async def recording(engine: Engine, folder: str, seconds: float) -> dict[str, float]:
    phones = Phones(RECORDINGS, "PCMA")
    sessions = await phones.sessions(engine)
    over = threading.Event()
    threading.Thread(target=phones.speak, args=(over,)).start()
    await asyncio.sleep(0.2)
    tasks = [
        asyncio.ensure_future(session.record(f"{folder}/{number}.wav", max_seconds=600))
        for number, session in enumerate(sessions)
    ]
    share, _, _ = await measured(engine, sessions, seconds)
    for session in sessions:
        session.stop()
    recorded = await asyncio.gather(*tasks)
    over.set()
    for session in sessions:
        session.close()
    for one in recorded:
        await engine.discard(one)
    phones.close()
    return {"record_core_percent": round(100 * share, 2), "record_lost": sum(one.lost for one in recorded)}


async def relaying(engine: Engine, seconds: float, name: str, left: str, right: str) -> dict[str, float]:
    sides = [Phones(BRIDGES, left), Phones(BRIDGES, right)]
    sessions = [await side.sessions(engine) for side in sides]
    bridges = [await engine.bridge(*pair) for pair in zip(*sessions, strict=True)]
    over = threading.Event()
    for side in sides:
        threading.Thread(target=side.speak, args=(over,)).start()
    share, _, received = await measured(engine, [*sessions[0], *sessions[1]], seconds)
    over.set()
    for bridge in bridges:
        bridge.close()
    for session in (*sessions[0], *sessions[1]):
        session.close()
    await asyncio.sleep(0.1)
    for side in sides:
        side.close()
    return {f"{name}_us_per_packet": round(1e6 * share / received, 2)}


async def setting_up(engine: Engine) -> dict[str, float]:
    relay = EngineRelay(engine, ["127.0.0.1"])
    caller, callee = MediaParty("caller", "127.0.0.1"), MediaParty("callee", "127.0.0.1")
    phones = Phones(2, "PCMA")
    waited = 0.0
    used = cpu(engine.process_id) + time.process_time()
    for _ in range(CALLS):
        call = relay.open("", _ignore)
        began = time.monotonic()
        await call.offer(phones.offer(0), caller, callee)
        await call.answer(phones.offer(1), callee, caller)
        waited += time.monotonic() - began
        call.close()
    await asyncio.sleep(0.1)
    used = cpu(engine.process_id) + time.process_time() - used
    phones.close()
    return {
        "relay_setup_ms": round(1000 * waited / CALLS, 2),
        "relay_setup_cpu_ms": round(1000 * used / CALLS, 2),
    }


async def run(seconds: float) -> dict[str, float]:
    engine = Engine(["127.0.0.1"], first_port=40_000, last_port=50_000, timeout=0)
    await engine.start()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        sound = f"{folder}/music.wav"
        wav.write(sound, (np.sin(np.arange(80_000) * 0.2) * 3000).astype(np.int16), 8000)
        for part in (
            playing(engine, sound, seconds, speaking=False),
            playing(engine, sound, seconds, speaking=True),
            recording(engine, folder, seconds),
            relaying(engine, seconds, "relay", "PCMA", "PCMA"),
            relaying(engine, seconds, "convert", "PCMA", "PCMU"),
            relaying(engine, seconds, "transcode", "PCMA", "G722"),
            setting_up(engine),
        ):
            result = await part
            print("  ".join(f"{name} {value}" for name, value in result.items()), flush=True)
            figures |= result
    await engine.stop()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description="What the media engine costs.")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each figure is measured")
    print(json.dumps(uvloop.run(run(parser.parse_args().seconds))))


if __name__ == "__main__":
    main()
