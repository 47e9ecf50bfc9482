"""The process: it starts a router, answers signals, and ends when the router has drained.

SIGHUP reloads; SIGTERM and SIGINT drain: no new calls, those in progress may end, within a bound.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
import uvloop

from router import native
from router.app.ready import announce
from router.app.router import Router
from router.calls.clock import PolicyClock
from router.configuration import Configuration, ConfigurationError, load
from router.model.iso_time import read_moment
from router.observe.logs import configure
from router.ports import StoreError
from router.transport.transports import ListenerError

_log = structlog.get_logger("router.app")


def serve(config_directory: Path, clock: str | None, log_level: str) -> int:
    """Run the router until SIGTERM or SIGINT.

    Args:
        config_directory: the configuration.
        clock: ISO 8601 time at which the policy's clock starts, None for now; without offset, in the company's zone.
    Returns:
        The exit code: 0, or 1 when it could not start (what is wrong stands on standard error).
    """
    configure(log_level)
    try:
        native.check()
    except native.OutdatedError as error:
        _complain(str(error))
        return 1
    try:
        configuration = load(config_directory)
    except ConfigurationError as error:
        _complain(str(error))
        return 1
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(configuration, clock))


async def _serve(configuration: Configuration, clock: str | None) -> int:
    router = Router(configuration, PolicyClock(_clock_start(clock, configuration)))
    stopping = asyncio.Event()
    handlers: dict[signal.Signals, Callable[[], Any]] = {
        signal.SIGTERM: stopping.set,
        signal.SIGINT: stopping.set,
        signal.SIGHUP: lambda: router.reloading.soon("SIGHUP"),
    }
    try:
        await router.start()
    except (ListenerError, StoreError, OSError) as error:
        _complain(str(error))
        return 1
    for number, handler in handlers.items():
        router.loop.add_signal_handler(number, handler)
    announce(router)
    await stopping.wait()
    _log.info("draining", calls=len(router.exchange.calls))
    await router.stop()
    return 0


def _clock_start(clock: str | None, configuration: Configuration) -> float | None:
    if clock is None:
        return None
    return read_moment(clock, configuration.policy.zone)


def _complain(text: str) -> None:
    sys.stderr.write(f"renvoi: {text}\n")
