"""The composition root: the only place that wires the rooms together, and the life of the process.

Start: configuration, stores, sockets, trunks; `renvoi ready` once it answers. SIGHUP reloads: a bad configuration is
refused and the old one stays; calls in progress keep the policy they began with. SIGTERM and SIGINT drain: no new
calls, those in progress may end, within a bound.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
import uvloop

from router import aside, native
from router.calls.authentication import Gate
from router.calls.call import Call
from router.calls.clock import PolicyClock
from router.calls.exchange import Exchange
from router.calls.lines import Lines
from router.calls.peers import Peers
from router.calls.private_phones import CONNECTED, GONE, PrivatePhones
from router.calls.registrar import Bounds, Registrar
from router.calls.states import States
from router.calls.trunk import TrunkLine, Trunks
from router.configuration import Configuration, ConfigurationError, Finding, load
from router.configuration.findings import Mark
from router.feeds.greylists import Reading, compile_copies, read_configuration
from router.feeds.subscriptions import Subscriptions
from router.model.audit import AuditEntry
from router.model.tally import Histogram
from router.observe.catalogue import DECISION_BOUNDS, SETUP_BOUNDS, Sources, declare
from router.observe.logs import BoundedLog, configure
from router.observe.metrics import Metrics
from router.observe.past_calls import latest_records
from router.observe.records import RecordWriter
from router.ports import Flow, StoreError
from router.sip.digest import DigestServer
from router.sip.errors import LocalError
from router.sip.ids import Ids
from router.sip.stack import Stack
from router.stores.bindings import SqliteBindings
from router.stores.database import Database
from router.stores.journal import Journal
from router.stores.states import SqliteStates
from router.transport.drive import Drive
from router.transport.transports import ListenerError, Transports
from router.web.application import create_app
from router.web.server import WebServer
from router.web.tokens import Tokens

DRAIN_SECONDS = 10.0  # how long calls in progress may go on after SIGTERM before they are hung up
MAX_ACCOUNTS_SHOWN = 30
FAREWELL_SECONDS = 1.0  # how long the last BYEs may wait for their answers
EXPIRY_INTERVAL = 1.0  # seconds between looks for bindings and selections that have expired
RETIRE_INTERVAL = 5.0  # seconds between looks whether a call still follows the configuration before the last reload
COLLECT_INTERVAL = 30.0  # seconds between looks for garbage, in quiet moments only
QUIET_MESSAGES = 100  # received per second; below it the router is idle enough for a full collection

_Result = TypeVar("_Result")
_log = structlog.get_logger("router.app")


class Router:
    """One running router: made with a configuration, started and stopped once."""

    def __init__(self, configuration: Configuration, clock: PolicyClock) -> None:
        self.configuration = configuration
        self.clock = clock
        self.loop = asyncio.get_running_loop()
        self.drive = Drive(self.loop.call_later)
        self.transports = Transports(self.drive.receive, self._flow_failed)
        self.stack = self.drive.stack = Stack(Ids(os.urandom), self.transports)
        self.hostile = BoundedLog(structlog.get_logger("router.sip"), self.loop.call_later)
        self.stack.on_malformed = self._malformed
        self.serving = False
        self._monotonic = time.monotonic
        self._digest_key = os.urandom(32)
        self._collecting: asyncio.TimerHandle | None = None
        self._expiring: asyncio.TimerHandle | None = None
        self._received_before = 0
        self._reloading = asyncio.Lock()
        self._waiting_reload: asyncio.Task[tuple[Finding, ...]] | None = None  # the next one, not begun yet
        self._tasks: set[asyncio.Task[Any]] = set()  # end with the router

    # ----------------------------------------------------------------------------------------- start and stop

    async def start(self) -> None:
        """Open everything. Raises OSError or StoreError with a text that says what to do."""
        configuration = self.configuration
        configuration.data_directory.mkdir(parents=True, exist_ok=True)
        self.database = await Database.open(configuration.data_directory / "renvoi.sqlite")
        self.bindings = SqliteBindings(self.database)
        saved = await self.bindings.load()
        self.state_store = SqliteStates(self.database)
        self.journal = Journal(self.state_store)
        self.states = States(self.journal)
        self.states.restore(await self.state_store.load(), self.clock())
        self.journal.keep_configuration(configuration.texts, self._loaded(configuration, "start"))
        self.private_phones = PrivatePhones(configuration.accounts, self.journal)
        self.private_phones.restore(await self.state_store.entries_of((CONNECTED, GONE)), self.clock())
        self.records = RecordWriter(configuration.record_path, configuration.policy.zone, disk_changed=_disk_changed)
        await self.transports.start(configuration.listeners)
        self._build(configuration)
        self.subscriptions = Subscriptions(self._take_lists, self.states.set_calendar, self.clock)
        self._follow_feeds(
            Reading(configuration, compile_copies(configuration.data_directory, configuration.feeds.greylists))
        )
        self.registrar.restore(saved, self.clock())
        self._note_registrations()
        self._expire()
        self.tokens = Tokens(configuration.api_tokens, self.clock)
        app = create_app(self._metrics().registry, self._readiness, self, self.tokens)
        self.web = await WebServer.start(app, configuration.http_host, configuration.http_port)
        self.trunks.start(self._monotonic())
        self.drive.flush()
        self.serving = True
        gc.collect()
        gc.freeze()
        # No cycle survives a call (see calls/), so automatic collections would only walk what lives: they are made in
        # quiet moments instead.
        gc.disable()
        self._collecting = self.loop.call_later(COLLECT_INTERVAL, self._collect)

    def _build(self, configuration: Configuration) -> None:
        stack = self.stack
        stack.introduce(configuration.user_agent)
        self.lines = Lines(account.person for account in configuration.accounts.values())
        self.gate = Gate(configuration.accounts, self._digest(configuration), self.clock)
        self.registrar = Registrar(
            configuration.accounts, self.bindings, _bounds(configuration), self.lines.registration_changed
        )
        self.trunks = Trunks(configuration.trunks, stack, self.transports, stack.ids.token)
        self.trunks.on_change = self._trunk_changed
        self.exchange = Exchange(
            stack,
            configuration.policy,
            Peers(configuration.trunks, configuration.pbxs),
            self.gate,
            self.registrar,
            self.trunks,
            self.lines,
            self.clock,
            self.records.write,
            Histogram(SETUP_BOUNDS),
            Histogram(DECISION_BOUNDS),
            self.states,
            self.private_phones,
        )
        self.exchange.configuration = configuration.hash
        if configuration.policy.limits.groups:
            try:
                latest = latest_records(configuration.record_path)
                self.exchange.limited_calls.recall(configuration.policy, latest, self.clock())
            except FileNotFoundError:
                _log.info("no call records yet", path=str(configuration.record_path))

    def _digest(self, configuration: Configuration) -> DigestServer:
        return DigestServer(configuration.realm, self._digest_key, os.urandom, configuration.digest_algorithms)

    def _loaded(self, configuration: Configuration, actor: str) -> AuditEntry:
        """The audit's entry for a configuration that comes into force."""
        return AuditEntry(self.clock(), actor, "load configuration", configuration.hash, after=configuration.hash)

    async def stop(self, drain_seconds: float = DRAIN_SECONDS) -> None:
        """Drain and close: no new calls, those in progress may end, the rest is hung up; then everything is written."""
        self.exchange.draining = True
        self.serving = False
        deadline = self._monotonic() + drain_seconds
        while self.exchange.calls and self._monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # asking now and then costs the calls nothing, an event would
        now = self._monotonic()
        self.exchange.end_all(now)
        self.trunks.stop(now)
        self.drive.flush()
        deadline = now + FAREWELL_SECONDS
        while (self.stack.dialogs or not self.trunks.settled) and self._monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        self.drive.stop()
        for timer in (self._collecting, self._expiring):
            if timer is not None:
                timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.subscriptions.close()
        await self.web.close()
        await self.transports.close()
        await self.records.close()
        await self.journal.close()
        await self.bindings.close()
        await self.database.close()

    async def reload(self, actor: str) -> tuple[Finding, ...]:
        """Read the configuration again, aside, and swap it for the one in force in a single step; calls in progress
        keep theirs. The record file is opened anew.

        Whoever asks while one reading is under way shares the next one.

        Args:
            actor: who asked, for the audit: "SIGHUP", "token operations".

        Returns:
            What was found. With errors among it, all is logged and the old configuration stays.
        """
        return await asyncio.shield(self.reload_soon(actor))

    def reload_soon(self, actor: str) -> asyncio.Task[tuple[Finding, ...]]:
        """As `reload`, for those who do not wait."""
        if self._waiting_reload is None:
            self._waiting_reload = self._background(self._reload(actor), "reload")
        return self._waiting_reload

    async def _reload(self, actor: str) -> tuple[Finding, ...]:
        async with self._reloading:
            self._waiting_reload = None
            self.records.reopen()
            old = [self.configuration]
            directory = self.configuration.directory
            try:
                reading = await aside.run(read_configuration, directory, self.subscriptions.greylists.compiled)
                self._follow(reading)
            except ConfigurationError as error:
                findings = error.findings
            except (LocalError, aside.AsideError, OSError) as error:
                findings = (Finding(Mark(str(directory), 0), str(error)),)
            else:
                new = reading.configuration
                gc.freeze()
                self._background(self._retire(old), "retire configuration")
                self.journal.keep_configuration(new.texts, self._loaded(new, actor))
                _log.info("configuration reloaded", hash=new.hash[:12], actor=actor)
                with suppress(StoreError):  # which the journal has logged, and tries again
                    await self.journal.written()
                return new.warnings
            for finding in findings:
                _log.error("configuration refused", finding=str(finding))
            return findings

    def _follow(self, reading: Reading) -> None:
        """Put a configuration in force. Raises `LocalError` with everything left as it was."""
        new, old, now = reading.configuration, self.configuration, self._monotonic()
        self.trunks.replace(new.trunks, now)
        if (new.listeners, new.http_host, new.http_port) != (old.listeners, old.http_host, old.http_port):
            _log.warning("listeners change only at a restart")
        exchange = self.exchange
        self._follow_feeds(reading)
        exchange.configuration = new.hash
        exchange.peers = Peers(new.trunks, new.pbxs)
        self.stack.introduce(new.user_agent)
        self.gate.accounts = new.accounts
        self.tokens.accepted = new.api_tokens
        if (new.realm, new.digest_algorithms) != (old.realm, old.digest_algorithms):
            self.gate.digest = self._digest(new)
        self.registrar.set_accounts(new.accounts)
        self.private_phones.set_accounts(new.accounts, self.clock())
        self.registrar.bounds = _bounds(new)
        self._note_registrations()
        self.drive.flush()

    def _follow_feeds(self, reading: Reading) -> None:
        """Put a configuration's policy in force, with the lists and calendars that it names."""
        self.configuration = reading.configuration
        self._own_greylist = reading.configuration.policy.greylist
        self.subscriptions.follow(reading)
        self._take_lists()

    def _take_lists(self) -> None:
        """Put the lists of prefixes in force that are there by now: calls that begin from now on go by them."""
        policy = replace(self.configuration.policy, greylist=self._own_greylist.with_lists(self.subscriptions.tables))
        self.configuration = replace(self.configuration, policy=policy)
        self.exchange.policy = policy

    async def _retire(self, old: list[Any]) -> None:
        """Let go of a configuration, once no call follows it any more. `old` holds the last reference to it."""
        calls = set(self.exchange.calls)
        while calls:
            await asyncio.sleep(RETIRE_INTERVAL)
            calls &= self.exchange.calls
        await aside.dismantle(old)

    def _background(self, work: Coroutine[Any, Any, _Result], name: str) -> asyncio.Task[_Result]:
        task = self.loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _note_registrations(self) -> None:
        """Tell the line states who has a registered device, after a start or a reload."""
        people = {account.person for account in self.configuration.accounts.values()}
        self.lines.replace_people(people, filter(self.registrar.registered, people))

    def _expire(self) -> None:
        self._expiring = self.loop.call_later(EXPIRY_INTERVAL, self._expire)
        now = self.clock()
        self.registrar.expire(now)
        self.states.prune(now)

    def _flow_failed(self, flow: Flow, data: bytes) -> None:
        now = self._monotonic()
        self.stack.flow_failed(flow, data, now)
        self.trunks.flow_failed(flow, data, now)
        if not data:
            self.registrar.flow_failed(flow)
        self.drive.flush()

    # ------------------------------------------------------------------------------------ what the API asks

    def calls_in_progress(self) -> Iterable[Call]:
        return self.exchange.calls

    def trunks_up(self) -> Mapping[str, tuple[bool, str]]:
        return {name: (line.up, line.cause) for name, line in self.trunks.lines.items()}

    def registered(self, account: str) -> bool:
        return bool(self.registrar.contacts(account, self.clock()))

    # --------------------------------------------------------------------------------------------- watching

    def _collect(self) -> None:
        """Look for garbage when nothing else is to be done; what is found is a mistake of ours, not a cost of each
        call."""
        self._collecting = self.loop.call_later(COLLECT_INTERVAL, self._collect)
        received = sum(self.stack.requests.values()) + sum(self.stack.responses.values())
        rate = (received - self._received_before) / COLLECT_INTERVAL
        self._received_before = received
        if rate < QUIET_MESSAGES:
            gc.collect()

    def _malformed(self, flow: Flow, text: str) -> None:
        self.hostile.warning(
            "malformed", "message could not be served", peer=f"{flow.source[0]}:{flow.source[1]}", fault=text
        )

    def _trunk_changed(self, line: TrunkLine) -> None:
        _log.warning("trunk is up" if line.up else "trunk is down", trunk=line.trunk.name, cause=line.cause)

    def _readiness(self) -> dict[str, bool]:
        return {
            "serving": self.serving,
            "not draining": not getattr(self, "exchange", None) or not self.exchange.draining,
            **self.subscriptions.checks(),
        }

    def _private_phones(self) -> tuple[float, int]:
        days = self.private_phones.days(self.clock())
        return max(days, default=0.0), sum(one > self.configuration.private_phone_days for one in days)

    def _metrics(self) -> Metrics:
        stack, exchange = self.stack, self.exchange
        metrics = Metrics()
        declare(
            metrics,
            Sources(
                requests=stack.requests,
                responses=stack.responses,
                retransmissions=stack.retransmissions,
                malformed=stack.malformed,
                transport=self.transports.messages,
                connections=self.transports.connections,
                authentication=self.gate.verdicts,
                dialogs=lambda: len(stack.dialogs),
                transactions=lambda: stack.transactions,
                calls=lambda: len(exchange.calls),
                registrations=lambda: self.registrar.size,
                private_phones=self._private_phones,
                phones_unlisted=lambda: len(self.registrar.unlisted(self.configuration.phone_models)),
                setup_seconds=exchange.setup_seconds,
                decisions=exchange.decisions,
                decision_seconds=exchange.decision_seconds,
                trunks=lambda: {(name,): float(line.up) for name, line in self.trunks.lines.items()},
                records=self.records.counts,
                feed_ages=self.subscriptions.age_seconds,
                feeds_ok=self.subscriptions.ok,
                feed_failures=self.subscriptions.failures,
                configuration=lambda: {"hash": self.configuration.hash[:12]},
            ),
        )
        return metrics


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
        signal.SIGHUP: lambda: router.reload_soon("SIGHUP"),
    }
    try:
        await router.start()
    except (ListenerError, StoreError, OSError) as error:
        _complain(str(error))
        return 1
    for number, handler in handlers.items():
        router.loop.add_signal_handler(number, handler)
    _announce(router)
    await stopping.wait()
    _log.info("draining", calls=len(router.exchange.calls))
    await router.stop()
    return 0


def _bounds(configuration: Configuration) -> Bounds:
    bounds = configuration.registrar
    return Bounds(bounds.min_expires, bounds.default_expires, bounds.max_expires)


def _clock_start(clock: str | None, configuration: Configuration) -> float | None:
    if clock is None:
        return None
    start = datetime.fromisoformat(clock)
    if start.tzinfo is None:
        start = start.replace(tzinfo=configuration.policy.zone)
    return start.timestamp()


def _announce(router: Router) -> None:
    """Say what listens where, whose the sample phones are, and that calls can come."""
    configuration = router.configuration
    write = sys.stdout.write
    write(f"{configuration.company_name}: configuration {configuration.hash[:12]} from {configuration.directory}\n")
    for listener in router.transports.listeners:
        host = f"[{listener.host}]" if ":" in listener.host else listener.host
        write(f"  sip   {listener.transport:4} {host}:{listener.port}\n")
    write(f"  http       {router.web.url}/metrics\n")
    _announce_accounts(configuration)
    hot_path = "compiled" if native.compiled() else "interpreted, at half the speed; `make native` compiles it"
    write(f"  hot path   {hot_path}\n")
    write("renvoi ready\n")
    sys.stdout.flush()


def _announce_accounts(configuration: Configuration) -> None:
    """List the phones' accounts of a small company; their secrets stand in the configuration, never here."""
    accounts = configuration.accounts.values()
    sys.stdout.write(f"  accounts   {len(accounts)}, in the realm {configuration.realm}")
    if len(accounts) > MAX_ACCOUNTS_SHOWN:
        sys.stdout.write("\n")
        return
    sys.stdout.write(" (secrets: see `devices` in the configuration)\n")
    for account in accounts:
        sys.stdout.write(f"             {account.user:<12} {account.connection:<10} {account.person}\n")


def _disk_changed(error: OSError | None) -> None:
    if error is None:
        _log.info("call records are written again")
    else:
        _log.error("call records cannot be written; they wait in memory", fault=str(error))


def _complain(text: str) -> None:
    sys.stderr.write(f"renvoi: {text}\n")
