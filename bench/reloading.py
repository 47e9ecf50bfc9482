"""What a reload costs the calls that come meanwhile: 1,000 people, 10,000 greylist prefixes.

    python bench/reloading.py          the longest stretch for which a reload holds the event loop

`make bench` measures the same with calls: 500 a second, with a reload every two seconds.
"""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = ROOT / "bench" / "config"
RATE, SECONDS = 500, 20  # calls/s, and for how long
INTERVAL = 2.0  # seconds between two reloads
RELOADS = 3  # without calls

# Runs one command of the harness against a process, with flags and options; returns its summary.
Harness = Callable[..., dict[str, Any]]


def longest_setup(harness: Harness, pid: int, reloads: bool) -> tuple[float, int]:
    """Place calls, with or without reloads.

    Returns:
        How much longer the slowest call took from INVITE to 200 than most, in milliseconds; how many calls failed.
    """
    over = threading.Event()

    def reload() -> None:
        while not over.wait(INTERVAL):
            os.kill(pid, signal.SIGHUP)

    reloading = threading.Thread(target=reload)
    if reloads:
        reloading.start()
    with tempfile.TemporaryDirectory(prefix="renvoi-reload-") as folder:
        os.environ["TMPDIR"] = folder
        try:
            harness("step", pid, ("--keep",), rate=RATE, seconds=SECONDS, repeat=1)
        finally:
            del os.environ["TMPDIR"]
            over.set()
            if reloads:
                reloading.join()
        runs = [
            [float(row["response_time_ms"]) for row in csv.DictReader(file.read_text().splitlines(), delimiter=";")]
            for file in Path(folder).rglob("*_rtt.csv")
        ]
    milliseconds = max(runs, key=len)  # the other one is the warm-up
    return round(max(milliseconds) - median(milliseconds), 2), RATE * SECONDS - len(milliseconds)


async def longest_hold() -> float:
    """Reload a router without calls; return the longest stretch between two turns of its loop, in milliseconds of
    processor time, so that it does not matter what else the machine does."""
    from router.app import Router
    from router.calls.clock import PolicyClock
    from router.configuration import load

    with tempfile.TemporaryDirectory(prefix="renvoi-reload-") as folder:
        configuration = load(CONFIGURATION)
        listeners = (replace(configuration.listeners[0], port=0),)
        data = Path(folder)
        router = Router(
            replace(
                configuration,
                listeners=listeners,
                http_port=0,
                data_directory=data,
                record_path=data / "calls.jsonl",
            ),
            PolicyClock(),
        )
        del configuration
        await router.start()
        loop = asyncio.get_running_loop()
        longest, before, measuring = 0.0, time.thread_time(), True

        def turn() -> None:
            nonlocal longest, before
            now = time.thread_time()
            longest, before = max(longest, now - before), now
            if measuring:
                loop.call_soon(turn)

        router.garbage.end()  # garbage is looked for in quiet moments, which is another matter
        turn()
        for _ in range(RELOADS):
            await router.reload("bench")
            while len(router.reloading.tasks) > 1:  # noqa: ASYNC110  (until the configuration before is gone)
                await asyncio.sleep(0.01)
        measuring = False
        await router.stop(0.0)
    return round(longest * 1e3, 2)


def main() -> None:
    sys.path.insert(0, str(ROOT))
    import uvloop

    print(f"reload_hold_ms {uvloop.run(longest_hold())}")


if __name__ == "__main__":
    main()
