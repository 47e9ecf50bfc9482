"""`make bench`: what a call costs the router, and how many calls it carries.  The last line is one JSON object.

    python bench/run.py [--sipbench PATH] [--quick]

Figures of the last line (null where the load harness is missing):

    cpu_ms_per_call    user and system time of the router per call, at 1,000 calls/s, on an aged process
    max_cps            most calls per second that one core sustains
    setup_p99_ms       INVITE to 200, 99th percentile, at 1,000 calls/s
    reload_ms          how much longer than most the slowest INVITE to 200 takes, at 500 calls/s with a reload every 2 s
    without_reload_ms  the same without any reload: what the machine does to the slowest of 10,000 calls
    reload_failed      calls that fail meanwhile
    kb_per_held_call   memory that an established call holds, on a process that never carried more
    decide_us          one decision of the policy: 1,000 people, 10,000 greylist prefixes
    parse_us           one INVITE of 940 bytes, cut into start line and headers
    reload_hold_ms     longest stretch for which a reload holds the event loop, in processor time
    greylist_us        finding a number, or that it is not listed, among 1,000,000 greylist prefixes
    media, waiting     what `bench/media.py` and `bench/waiting.py` say, each with a last line of its own

The harness (`sipbench.py step|search|hold`, with SIPp) is not part of the project: name its file or folder with
`--sipbench` or the environment variable SIPBENCH.  It wants the router on 127.0.0.1:5060, and pins it to CPU 0 and
SIPp to CPU 1.
A Python process is to be aged before it is measured: pauses of the garbage collector show only then.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from router.policy.greylist import Greylist

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = ROOT / "bench" / "config"
START_SECONDS = 30.0  # longest wait for `renvoi ready`
DIALLED, CALLER = "442079460123", "+442071234567"  # as the harness dials

INVITE = (
    f"INVITE sip:{DIALLED}@127.0.0.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-12345-1-0\r\n"
    "Max-Forwards: 70\r\n"
    f'From: "Bench Caller" <sip:{CALLER}@127.0.0.1:5070>;tag=12345c1\r\n'
    f"To: <sip:{DIALLED}@127.0.0.1:5060>\r\n"
    "Call-ID: 1-12345@127.0.0.1\r\n"
    "CSeq: 1 INVITE\r\n"
    f"Contact: <sip:{CALLER}@127.0.0.1:5070>\r\n"
    "User-Agent: bench/1.0\r\n"
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO\r\n"
    "Supported: replaces, timer\r\n"
    f"P-Asserted-Identity: <sip:{CALLER}@127.0.0.1>\r\n"
    "Content-Type: application/sdp\r\n"
)
SDP = (
    "v=0\r\no=bench 123451 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)
INVITE_BYTES = 940
PREFIXES = 1_000_000
LOOK_UPS = 20_000


@dataclass(frozen=True)
class Effort:
    """How long the harness takes for each figure."""

    rate: int  # calls/s of the measured steps
    seconds: int  # of one step
    repeats: int  # steps to age the process, and again to measure it
    search_rate: int  # calls/s at which the search for the maximum begins
    search_seconds: int
    precision: float
    held_calls: int
    held_seconds: int


FULL = Effort(1000, 20, 3, 2500, 8, 1.05, 5000, 20)
QUICK = Effort(1000, 5, 1, 3000, 4, 1.2, 1000, 8)


def microseconds(act: Callable[[], object], repeats: int = 7, number: int = 20_000) -> float:
    """Best mean time of one `act`, in microseconds: what the machine's other work adds is not ours."""
    return round(min(timeit.repeat(act, repeat=repeats, number=number)) / number * 1e6, 2)


def parse_microseconds() -> float:
    """Time to parse an INVITE of 940 bytes."""
    from router.sip.message import parse

    bare = f"{INVITE}Content-Length: {len(SDP)}\r\n\r\n{SDP}"
    padding = f"X-Padding: {'x' * (INVITE_BYTES - len(bare) - len('X-Padding: ') - 2)}\r\n"
    data = f"{INVITE}{padding}Content-Length: {len(SDP)}\r\n\r\n{SDP}".encode()
    assert len(data) == INVITE_BYTES, len(data)
    return microseconds(lambda: parse(data))


def decide_microseconds() -> float:
    """Time of the decision that the harness's call needs."""
    from router.configuration import load
    from router.model.decision import Action, Facts, Origin
    from router.policy import decide

    configuration = load(CONFIGURATION)
    now = datetime(2026, 11, 24, 10, 0, tzinfo=UTC).timestamp()
    facts = Facts(Origin.PBX, configuration.pbxs[0].name, DIALLED, caller_number=CALLER)
    decision = decide(facts, configuration.policy, now)
    assert decision.action is Action.DIAL, decision
    return microseconds(lambda: decide(facts, configuration.policy, now))


def greylist_microseconds() -> float:
    """Time to look a number up among a million prefixes: the mean of numbers that are listed and of others.

    There are so many numbers that the processor's cache does not know them all.
    """
    from router.policy.greylist import Greylist
    from router.policy.prefixes import ListSource, PrefixTable

    chance = random.Random(1)
    prefixes = [
        str(chance.randrange(10 ** (length - 1), 10**length)) for length in chance.choices(range(5, 12), k=PREFIXES)
    ]
    table = PrefixTable.of([(prefix, 0, line) for line, prefix in enumerate(prefixes, 1)], (ListSource("bench"),))
    greylist = Greylist([table])
    listed = [f"+{prefix:5<12}" for prefix in chance.sample(prefixes, LOOK_UPS)]
    others: list[str] = []
    while len(others) < LOOK_UPS:
        number = f"+{chance.randrange(10**11, 10**12)}"
        if greylist.entry(number) is None:
            others.append(number)
    figures = [look_up_microseconds(greylist, numbers) for numbers in (listed, others)]
    print(f"greylist: {figures[0]:.2f} us to find a number, {figures[1]:.2f} us to find that it is not listed")
    return round(sum(figures) / len(figures), 2)


def look_up_microseconds(greylist: Greylist, numbers: list[str]) -> float:
    """Mean time to look one of these numbers up."""

    def look_up() -> None:
        for number in numbers:
            greylist.entry(number)

    return min(timeit.repeat(look_up, repeat=7, number=1)) / len(numbers) * 1e6


def reload_hold_milliseconds() -> float:
    """The longest stretch for which a reload holds the event loop, in a process that has nothing else in memory."""
    command = [sys.executable, "bench/reloading.py"]
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return float(ran.stdout.split()[-1])


def last_line_of(name: str) -> dict[str, float]:
    """Run another benchmark of this folder, and return its figures."""
    ran = subprocess.run([sys.executable, f"bench/{name}.py"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return figures


@contextmanager
def running_router() -> Iterator[int]:
    """Serve `bench/config` in a folder of its own; yields the process id.  `SystemExit` when it does not start."""
    with tempfile.TemporaryDirectory(prefix="renvoi-bench-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "router", "serve", "--config", CONFIGURATION, "--log-level", "warning"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            wait_until_ready(process)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    """Wait for `renvoi ready`, and go on reading what the router says so that its pipe never fills."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    said: list[str] = []
    while "renvoi ready" not in (said[-1] if said else ""):
        try:
            line = lines.get(timeout=START_SECONDS)
        except queue.Empty:
            line = None
        if line is None:
            raise SystemExit("the router did not start:\n" + "".join(said))
        said.append(line)


def harness(script: Path, command: str, pid: int, flags: tuple[str, ...] = (), **options: object) -> dict[str, Any]:
    """Run one command of the harness, show its lines, and return its summary."""
    arguments = [sys.executable, str(script), command, "--pid", str(pid), "--label", "renvoi", *flags]
    for name, value in options.items():
        arguments += [f"--{name}", str(value)]
    print("$ sipbench.py", command, *arguments[3:], flush=True)
    summary: dict[str, Any] = {}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith('{"summary"'):
                summary = json.loads(line)["summary"]
    if process.returncode != 0 or not summary:
        raise SystemExit(f"the harness failed in {command!r} (exit {process.returncode})")
    return summary


def find_harness(named: str | None) -> Path | None:
    """The harness's script: what was named, or its `sipbench.py` where a folder was named; None when nothing was.

    Raises `SystemExit` when there is nothing at the place that was named.
    """
    if not named:
        return None
    path = Path(named)
    script = path / "sipbench.py" if path.is_dir() else path
    if not script.is_file():
        raise SystemExit(f"no load harness at {script}: name the file sipbench.py, or its folder")
    return script.resolve()


def measure(script: Path, effort: Effort) -> dict[str, float | None]:
    """The figures that need calls."""
    from bench.reloading import longest_setup

    step: dict[str, Any] = {"rate": effort.rate, "seconds": effort.seconds, "repeat": effort.repeats}
    with running_router() as pid:
        harness(script, "step", pid, **step)  # ages the process
        at_rate = harness(script, "step", pid, **step)
        search = harness(
            script, "search", pid, rate=effort.search_rate, seconds=effort.search_seconds, precision=effort.precision
        )
        without_reload_ms, _ = longest_setup(partial(harness, script), pid, reloads=False)
        reload_ms, reload_failed = longest_setup(partial(harness, script), pid, reloads=True)
    with running_router() as pid:
        held = harness(script, "hold", pid, calls=effort.held_calls, rate=500, hold=effort.held_seconds)
    failed = {"step": at_rate["verdicts"], "hold": [held["verdict"]]}
    for command, verdicts in failed.items():
        if set(verdicts) != {"ok"}:
            print(f"bench: not every run of {command} was good: {verdicts}", file=sys.stderr)
    return {
        "cpu_ms_per_call": at_rate["cpu_ms_per_call_median"],
        "max_cps": search["max_cps"],
        "setup_p99_ms": at_rate["setup_p99_ms_median"],
        "without_reload_ms": without_reload_ms,
        "reload_ms": reload_ms,
        "reload_failed": reload_failed,
        "kb_per_held_call": held["kb_per_call"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sipbench", metavar="PATH", help="the load harness, by file or folder (default: $SIPBENCH)")
    parser.add_argument("--quick", action="store_true", help="two minutes instead of ten, and rougher figures")
    options = parser.parse_args()
    script = find_harness(options.sipbench or os.environ.get("SIPBENCH"))
    sys.path.insert(0, str(ROOT))

    loaded: dict[str, float | None] = dict.fromkeys(
        (
            *("cpu_ms_per_call", "max_cps", "setup_p99_ms"),
            *("without_reload_ms", "reload_ms", "reload_failed", "kb_per_held_call"),
        ),
        None,
    )
    if script is None:
        print("bench: no load harness (--sipbench or SIPBENCH), so only the micro-benchmarks run", file=sys.stderr)
    else:
        loaded = measure(script, QUICK if options.quick else FULL)
    figures = {
        "decide_us": decide_microseconds(),
        "parse_us": parse_microseconds(),
        "greylist_us": greylist_microseconds(),
        "reload_hold_ms": reload_hold_milliseconds(),
    }
    others = {name: last_line_of(name) for name in ("media", "waiting")}
    print(json.dumps({**loaded, **figures, **others}))


if __name__ == "__main__":
    main()
