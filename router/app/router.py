"""One running router: how the rooms are wired together, and its start and stop."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

import structlog

from router.app.figures import measured
from router.app.garbage import QuietMoments
from router.app.messages import Messages
from router.app.reload import Reloading
from router.app.retention import Retention
from router.app.sound import Sound
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
from router.configuration import Configuration, Finding
from router.feeds.greylists import Reading, compile_copies
from router.feeds.subscriptions import Subscriptions
from router.model.audit import AuditEntry
from router.model.tally import Histogram
from router.observe.catalogue import DECISION_BOUNDS, SETUP_BOUNDS
from router.observe.logs import BoundedLog
from router.observe.past_calls import latest_records
from router.observe.records import RecordWriter
from router.ports import Flow
from router.sip.digest import DigestServer
from router.sip.ids import Ids
from router.sip.stack import Stack
from router.stores.bindings import SqliteBindings
from router.stores.callbacks import SqliteCallbacks
from router.stores.database import Database
from router.stores.journal import Journal
from router.stores.mailboxes import SqliteMailboxes
from router.stores.mails import SqliteMails
from router.stores.queues import SqliteQueues
from router.stores.recordings import SqliteRecordings
from router.stores.states import SqliteStates
from router.transport.drive import Drive
from router.transport.transports import Transports
from router.web.application import create_app
from router.web.server import WebServer
from router.web.tokens import Tokens

DRAIN_SECONDS = 10.0  # how long calls in progress may go on after SIGTERM before they are hung up
FAREWELL_SECONDS = 1.0  # how long the last BYEs may wait for their answers
EXPIRY_INTERVAL = 1.0  # seconds between looks for bindings and selections that have expired

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
        self._expiring: asyncio.TimerHandle | None = None
        self.reloading = Reloading(self)
        self.garbage = QuietMoments(self._messages_received)

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
        self.keep_configuration("start")
        self.mailboxes = await SqliteMailboxes.open(
            self.database, configuration.data_directory, configuration.mailboxes, configuration.voicemail
        )
        self.callback_store = SqliteCallbacks(self.database)
        self.recordings = await SqliteRecordings.open(self.database, configuration.data_directory)
        self.private_phones = PrivatePhones(configuration.accounts, self.journal)
        self.private_phones.restore(await self.state_store.entries_of((CONNECTED, GONE)), self.clock())
        self.records = RecordWriter(configuration.record_path, configuration.policy.zone, disk_changed=_disk_changed)
        await self.transports.start(configuration.listeners)
        self._build(configuration)
        lamps = self.exchange.message_summary
        self.messages = Messages(self.mailboxes, SqliteMails(self.database), lamps, self.clock, self.drive.flush)
        self.messages.follow(configuration)
        self.subscriptions = Subscriptions(self._take_lists, self.states.set_calendar, self.clock)
        self._follow_feeds(
            Reading(configuration, compile_copies(configuration.data_directory, configuration.feeds.greylists))
        )
        self.registrar.restore(saved, self.clock())
        self._note_registrations()
        self._expire()
        self.tokens = Tokens(configuration.api_tokens, self.clock)
        self.sound = Sound(self.exchange.attendant, self.mailboxes, self.drive.flush)
        app = create_app(measured(self).registry, self._readiness, self, self.tokens)
        self.web = await WebServer.start(app, configuration.http_host, configuration.http_port)
        self.exchange.attendant.audit = self.journal.record
        self.exchange.recordings.store = self.recordings
        self.retention = Retention(self.recordings, self.clock)
        await self.sound.start(configuration)
        await self.callbacks.resume(self.callback_store)
        self.queue_store = SqliteQueues(self.database)
        self.queues.watch_profiles()
        await self.queues.resume(self.queue_store, configuration.queues, configuration.agents)
        self.trunks.start(self._monotonic())
        self.drive.flush()
        self.serving = True
        self.garbage.begin()

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
        self.callbacks = self.exchange.callbacks
        self.queues = self.exchange.queues
        self.callbacks.rules = configuration.callbacks
        self.exchange.configuration = configuration.hash
        self.exchange.text_messages.reply_refused = self._reply_refused
        if configuration.policy.limits.groups:
            try:
                latest = latest_records(configuration.record_path)
                self.exchange.limited_calls.recall(configuration.policy, latest, self.clock())
            except FileNotFoundError:
                _log.info("no call records yet", path=str(configuration.record_path))

    def _digest(self, configuration: Configuration) -> DigestServer:
        return DigestServer(configuration.realm, self._digest_key, os.urandom, configuration.digest_algorithms)

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
        await self.sound.stop()
        await self.messages.close()
        self.drive.stop()
        self.garbage.end()
        if self._expiring is not None:
            self._expiring.cancel()
        await self.reloading.close()
        await self.subscriptions.close()
        await self.web.close()
        await self.transports.close()
        await self.records.close()
        await self.journal.close()
        await self.mailboxes.close()
        await self.retention.close()
        await self.recordings.close()
        await self.callback_store.close()
        self.queues.stop()
        await self.queue_store.close()
        await self.bindings.close()
        await self.database.close()

    # ------------------------------------------------------------------------------- another configuration

    async def reload(self, actor: str) -> tuple[Finding, ...]:
        """Read the configuration again and put it in force; calls in progress keep theirs. The record file is opened
        anew.

        Args:
            actor: who asked, for the audit: "SIGHUP", "token operations".

        Returns:
            What was found. With errors among it, all is logged and the old configuration stays.
        """
        return await asyncio.shield(self.reloading.soon(actor))

    def keep_configuration(self, actor: str) -> None:
        """Write down the configuration that `actor` put in force, and its texts (P1)."""
        known_as = self.configuration.hash
        entry = AuditEntry(self.clock(), actor, "load configuration", known_as, after=known_as)
        self.journal.keep_configuration(self.configuration.texts, entry)

    def follow(self, reading: Reading) -> None:
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
        self.messages.follow(new)
        self.sound.follow(new)
        self.callbacks.rules = new.callbacks
        self.queues.configure(new.queues, new.agents)
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

    def _messages_received(self) -> int:
        return sum(self.stack.requests.values()) + sum(self.stack.responses.values())

    def _malformed(self, flow: Flow, text: str) -> None:
        self.hostile.warning(
            "malformed", "message could not be served", peer=f"{flow.source[0]}:{flow.source[1]}", fault=text
        )

    def _reply_refused(self, trunk: str) -> None:
        self.hostile.warning("text reply", "reply to a text message refused", trunk=trunk)

    def _trunk_changed(self, line: TrunkLine) -> None:
        _log.warning("trunk is up" if line.up else "trunk is down", trunk=line.trunk.name, cause=line.cause)

    def _readiness(self) -> dict[str, bool]:
        return {
            "serving": self.serving,
            "not draining": not self.exchange.draining,
            **self.subscriptions.checks(),
            **self.sound.checks(),
        }


def _bounds(configuration: Configuration) -> Bounds:
    bounds = configuration.registrar
    return Bounds(bounds.min_expires, bounds.default_expires, bounds.max_expires)


def _disk_changed(error: OSError | None) -> None:
    if error is None:
        _log.info("call records are written again")
    else:
        _log.error("call records cannot be written; they wait in memory", fault=str(error))
