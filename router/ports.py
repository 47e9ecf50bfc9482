"""What the core needs from the outside, as Protocols. Rooms above implement them; `app` plugs them in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from router.model.audit import AuditEntry
from router.model.binding import Binding
from router.model.callback import Callback
from router.model.decision import Selection
from router.model.mail import QueuedMail
from router.model.message import Message, MessageCounts, MessageDraft, MessageKind, MessageState
from router.model.queue import FloorChanges, StoredFloor
from router.model.recording import KeptRecording, RecordedPart, RecordingDraft
from router.model.sound import MediaEvent, MediaParty, Played, Recorded, StreamStatistics


class Flow(Protocol):
    """Where bytes come from and go to: one UDP peer of one listener, or one TCP connection (RFC 5626's word).

    The same object is handed in for every message of that peer, so identity and attribute look-ups are cheap.
    `send` never blocks, never raises for a network fault (that is reported by `FlowFailed`), and keeps order.
    """

    transport: str  # as in Via: "UDP", "TCP"
    reliable: bool
    source: tuple[str, int]  # the peer's address: IP literal without brackets, port
    local: tuple[str, int]  # our address on this listener
    via: str  # how our Via begins: "SIP/2.0/UDP 127.0.0.1:5060", IPv6 in brackets, advertised address applied
    contact: str  # host part of our Contact: "127.0.0.1:5060" or "127.0.0.1:5060;transport=tcp"

    def send(self, data: bytes) -> None: ...


class FlowDirectory(Protocol):
    """Gives the flow to a destination at once, without waiting (the transports' side of RFC 3261 §18.1)."""

    def flow_to(self, transport: str, host: str, port: int) -> Flow:
        """Return a flow to `host` (IP literal or name) over `transport` ("udp", "tcp").

        A name is resolved, and a connection opened, behind this: the flow keeps what is sent meanwhile, within
        a bound, and reports a failure like any other. Raises `LookupError` when no listener of that transport and
        address family exists.
        """
        ...


# Called by a transport for each complete message. `data` is one datagram, or one message framed from a stream.
MessageReceiver = Callable[[bytes, Flow], None]

# Called when a flow is broken: a TCP connection failed or closed, or an ICMP error came back for a datagram. `data`
# is the beginning of the datagram that could not be delivered, or b"" when the whole flow is gone.
FlowFailed = Callable[[Flow, bytes], None]


class Clock(Protocol):
    """The policy's clock: POSIX seconds. SIP timers never use it."""

    def __call__(self) -> float: ...


class BindingStore(Protocol):
    """Keeps the registrar's bindings over a restart. The registrar works in memory and writes behind."""

    async def load(self) -> list[Binding]:
        """Return everything that was saved, expired bindings included. Raises `StoreError` when it cannot be read."""
        ...

    def save(self, user: str, bindings: Sequence[Binding]) -> None:
        """Make `bindings` all that is kept of an account, within a second. Never waits, never raises for a fault of the
        medium: that is logged, and tried again."""
        ...

    async def close(self) -> None:
        """Write what is still to be written. Raises `StoreError` when that fails."""
        ...


class StateStore(Protocol):
    """Keeps what people and administrators selected, and who changed what."""

    async def load(self) -> list[Selection]:
        """Return every selection that was saved, those that are over included. Raises `StoreError`."""
        ...

    async def change(self, person: str, selections: Sequence[Selection], entry: AuditEntry) -> None:
        """Make `selections` all that is kept of a person, together with the audit entry, before it returns: what was
        confirmed survives a power cut. Raises `StoreError`; then neither was saved."""
        ...

    async def record(self, entry: AuditEntry) -> None:
        """Keep an audit entry that belongs to no selection. Raises `StoreError`."""
        ...

    async def keep_configuration(self, texts: bytes, entry: AuditEntry) -> None:
        """Keep the texts of a configuration that came into force (see `configuration.texts`), together with the audit
        entry, whose subject is its hash; `entry.before` becomes the hash of the one before. One that is in force
        already is not kept again. Raises `StoreError`."""
        ...

    async def audit(self, *, since: float, until: float, subject: str, limit: int) -> list[AuditEntry]:
        """Return the newest entries in [since, until), newest first; `subject` "" for all. Raises `StoreError`."""
        ...

    async def close(self) -> None: ...


class StoreError(Exception):
    """A store cannot be read or written; the text says which one, why, and what to do."""


class StateJournal(Protocol):
    """Takes changes at once and hands them to a `StateStore` one after the other, behind the calls."""

    def change(self, person: str, selections: Sequence[Selection], entry: AuditEntry) -> None:
        """See `StateStore.change`; never waits, never raises for a fault of the medium: that is logged, and tried
        again."""
        ...

    def record(self, entry: AuditEntry) -> None:
        """See `StateStore.record`, in the same manner."""
        ...

    def keep_configuration(self, texts: bytes, entry: AuditEntry) -> None:
        """See `StateStore.keep_configuration`, in the same manner."""
        ...

    def when_written(self, told: Callable[[StoreError | None], None]) -> None:
        """Call `told` once everything taken so far is kept (perhaps at once), or with what the store says of the
        first that it refuses."""
        ...

    async def written(self) -> None:
        """Wait for the same. Raises `StoreError`."""
        ...


class StoreFullError(StoreError):
    """Nothing more can be kept because the disk is full, or almost."""


class MailboxFullError(StoreError):
    """A mailbox holds as many messages, or as long ones, as it may."""


class SoundRefusedError(StoreError):
    """A sound that was to be kept is none, or not of the kind that is kept; the text says what it should be."""


# Called with the name of a mailbox whose messages changed.
MailboxListener = Callable[[str], None]


class MailboxStore(Protocol):
    """Keeps the messages that callers leave, and the greetings that they hear.

    What was confirmed survives a power cut and a kill at any moment; of what was not, nothing is left after a restart.
    Mailboxes are those of the configuration; `LookupError` is raised for any other one.
    """

    async def begin(
        self, mailbox: str, caller: str | None, caller_name: str | None, now: float, reason: str = ""
    ) -> MessageDraft:
        """Keep a place for a message; its owner calls `confirm` or `discard`.

        Args:
            caller, caller_name, reason: see `Message`.
            now: POSIX seconds on the policy's clock.

        Raises `MailboxFullError`, `StoreFullError`, `StoreError`, `LookupError`.
        """
        ...

    async def confirm(
        self,
        draft: MessageDraft,
        seconds: float,
        *,
        urgent: bool = False,
        kind: MessageKind = MessageKind.MESSAGE,
    ) -> Message:
        """Make a draft a message, durably, before it returns. Whoever is to hear of it by e-mail will.

        Its sound stands at `draft.path`; a `CALLBACK` may have none. It is done even if the task that waits is
        cancelled meanwhile; discarding the draft then has no effect. Raises `StoreError`; then it stays a draft.
        """
        ...

    async def discard(self, draft: MessageDraft) -> None:
        """Forget a draft, with its sound. Never raises for a fault of the medium: a restart does the rest. Without
        effect on a message that was confirmed."""
        ...

    async def messages(self, mailbox: str) -> list[Message]:
        """Return the messages of a mailbox: new ones first, among them the urgent ones, the oldest first in each part.
        Raises `StoreError`."""
        ...

    async def message(self, identity: str) -> Message | None:
        """Return one message. Raises `StoreError`."""
        ...

    def sound(self, message: Message) -> str:
        """Return the path of a message's sound, whether there is one or not."""
        ...

    async def mark(self, identity: str, state: MessageState) -> Message | None:
        """Put a message into another state; None where there is no such message. Raises `StoreError`."""
        ...

    async def delete(self, identity: str) -> bool:
        """Delete a message; False where there is none. Raises `StoreError`."""
        ...

    async def forward(self, identity: str, mailbox: str) -> Message | None:
        """Put a copy of a message into another mailbox, as a new one; None where there is no such message. Raises as
        `begin` does."""
        ...

    def counts(self, mailbox: str) -> MessageCounts:
        """Return how many messages a mailbox has, from memory; zeros for one that is not known."""
        ...

    def watch(self, told: MailboxListener) -> None:
        """Call `told` after each change of a mailbox's counts, for good."""
        ...

    def greeting(self, mailbox: str, kind: str) -> str | None:
        """Return the path of the owner's own greeting for a kind of profile ("available", "busy_other", "absent"), from
        memory; None where there is none."""
        ...

    async def new_greeting(self, mailbox: str) -> str:
        """Return an absolute path at which a greeting can be recorded, for `set_greeting`. Raises `StoreFullError`,
        `StoreError`, `LookupError`."""
        ...

    async def set_greeting(self, mailbox: str, kind: str, sound: bytes | str) -> None:
        """Keep a greeting, durably, in place of the one before.

        Args:
            sound: a WAV file (8 or 16 kHz, mono, 16 bits, up to three minutes), or the path of one, which then is gone.

        Raises `SoundRefusedError`, `StoreFullError`, `StoreError`, `LookupError`; then the one before stays.
        """
        ...

    async def remove_greeting(self, mailbox: str, kind: str) -> bool:
        """Remove a greeting; False where there was none. Raises `StoreError`."""
        ...

    async def erase(self, number: str, spelled: Callable[[str], str | None] | None = None) -> int:
        """Delete every message of a caller, in all mailboxes; return how many.

        Args:
            number: the caller's.
            spelled: gives the one spelling of a number in which `number` is written, or None; without it callers are
                compared as they were received.

        Raises `StoreError`.
        """
        ...


class CallbackStore(Protocol):
    """Keeps who is to be called back (P3). What returned survives a power cut."""

    async def load(self) -> list[Callback]:
        """Return all that were kept, the oldest first. Raises `StoreError`."""
        ...

    async def add(self, callback: Callback) -> None:
        """Keep another one. Raises `StoreError`."""
        ...

    async def change(self, callback: Callback) -> bool:
        """Keep what became of one; False where there is none with this id any more. Raises `StoreError`."""
        ...

    async def remove(self, identity: str) -> None:
        """Forget one. Raises `StoreError`."""
        ...


class RecordingStore(Protocol):
    """Keeps recordings of calls (X3). What was confirmed survives a power cut and a kill at any moment; of what was
    not, nothing is left after a restart."""

    async def begin(self, now: float) -> RecordingDraft:
        """Keep a place for a recording; its owner calls `confirm` or `discard`.

        Args:
            now: POSIX seconds on the policy's clock at which its sound begins.

        Raises `StoreFullError`, `StoreError`.
        """
        ...

    async def confirm(self, recording: KeptRecording, parts: Sequence[RecordedPart]) -> KeptRecording:
        """Make a draft a recording, durably, before it returns; the rest is done even if the task that waits is
        cancelled.

        Args:
            recording: with the id and the beginning of the draft; how long it is, is taken from its sound, and told.
            parts: in their order, at least one; where one begins later than the one before ends, there is silence.
                Their files are gone afterwards.

        Raises `StoreFullError`, `StoreError`; then it stays a draft.
        """
        ...

    async def discard(self, draft: RecordingDraft, parts: Sequence[RecordedPart] = ()) -> None:
        """Forget a draft, with its parts. Never raises for a fault of the medium: a restart does the rest."""
        ...

    async def recordings(
        self, *, since: float, until: float, person: str, number: str, limit: int
    ) -> list[KeptRecording]:
        """Return the newest that began in [since, until), newest first. Raises `StoreError`.

        Args:
            person: id of one of our people in the call; number: of a party, as it was kept; "" for all.
        """
        ...

    async def recording(self, identity: str) -> KeptRecording | None:
        """Return one. Raises `StoreError`."""
        ...

    def sound(self, identity: str) -> str:
        """Return the path of a recording's sound, a WAV file: the caller is on the left, the called on the right."""
        ...

    async def delete(self, identity: str) -> bool:
        """Delete one; False where there is none. Raises `StoreError`."""
        ...

    async def erase(self, number: str, spelled: Callable[[str], str | None] | None = None) -> int:
        """Delete the recordings of all calls from and to a number; return how many. See `MailboxStore.erase`."""
        ...


class QueueStore(Protocol):
    """Keeps waiting lines over a restart: who has a place, what agents do, what came of the callers."""

    async def load(self, hours_since: float) -> StoredFloor:
        """Return everything that was saved; of the statistics, the hours that began since (POSIX seconds). Raises
        `StoreError` when it cannot be read."""
        ...

    def save(self, changes: FloorChanges) -> None:
        """Keep what changed, within a second. Never waits, never raises for a fault of the medium: that is logged, and
        tried again."""
        ...

    def when_written(self, told: Callable[[StoreError | None], None]) -> None:
        """Call `told` once everything saved so far would survive a power cut (perhaps at once), or with what the store
        says when it refuses."""
        ...

    async def written(self) -> None:
        """Wait for the same. Raises `StoreError`."""
        ...

    async def close(self) -> None:
        """Write what is still to be written. Raises `StoreError` when that fails."""
        ...


class MailQueue(Protocol):
    """E-mails about messages that wait to be sent. Whoever confirms a message puts them there with it."""

    async def due(self, now: float, limit: int) -> list[QueuedMail]:
        """Return at most `limit` that are due, the longest due first. Raises `StoreError`."""
        ...

    async def next_due(self) -> float | None:
        """Return when the next one is due, POSIX seconds; None where none waits. Raises `StoreError`."""
        ...

    async def put_off(self, identity: int, due_at: float) -> None:
        """Count an attempt that failed, and wait until `due_at`. Raises `StoreError`."""
        ...

    async def remove(self, identity: int) -> None:
        """Take one out: it is sent, or never will be. Raises `StoreError`."""
        ...


class MediaError(Exception):
    """Something cannot be played, recorded or opened; the text says what and why. The session, if any, goes on."""


class OfferError(MediaError):
    """An SDP offer or answer holds nothing that can be served: no audio, no common codec, no address (becomes 488)."""


class SoundError(MediaError):
    """A sound to be played cannot be read; the text names the file and says what it should be."""


class DiskFullError(MediaError):
    """A recording cannot be kept because the disk is full, or almost."""


class EngineError(MediaError):
    """The engine died, or is not there yet; or it has no port left."""


# Called for what happens to a session unasked. Never called for what an awaited method already returned.
MediaListener = Callable[[MediaEvent], None]


class MediaSession(Protocol):
    """Our side of one audio stream: it plays, listens for keys, records.

    One thing is played at a time, and one recorded; both may happen at once. When the engine dies, what is awaited
    raises `EngineError`, and the listener hears `EngineDied`.
    """

    description: bytes  # the SDP that we said last: an answer, or an offer
    codec: str  # "PCMA", "PCMU", "G722"; "" before our offer is answered
    passed: StreamStatistics  # what passed so far, as last counted: at most a second ago

    async def accept(self, answer: bytes) -> None:
        """Take the other side's answer to our offer. Raises `OfferError`."""
        ...

    async def renegotiate(self, offer: bytes) -> bytes:
        """Take a new offer of the other side (re-INVITE, hold) and return our answer. Raises `OfferError`; then all
        stays as it was. Where its sound comes from is learned anew."""
        ...

    async def play(self, sources: Sequence[str], *, interruptible: str = "", loop: bool = False) -> Played:
        """Play WAV files (8 or 16 kHz, 16 bits) one after the other without a gap, instead of what is played.

        Args:
            interruptible: keys that end it; one that was pressed before and waits ends it at once.
            loop: begin again at the end, until stopped.

        Raises `SoundError` before anything is heard.
        """
        ...

    def stop(self) -> None:
        """End playing and recording at once."""
        ...

    async def key(self, seconds: float) -> str:
        """Return the next key that was pressed and ended nothing, or "" after so many seconds."""
        ...

    def keys(self) -> str:
        """Take the keys that wait."""
        ...

    def press(self, key: str) -> None:
        """Take a key that came by another way (SIP INFO) like one that came in the sound."""
        ...

    async def send_keys(self, keys: str) -> None:
        """Press keys towards the other side (RFC 4733, or tones where it has none); return when they are sent."""
        ...

    async def record(
        self, path: str, *, max_seconds: float, silence_seconds: float = 0.0, stop_keys: str = ""
    ) -> Recorded:
        """Record what the other side sends, as a WAV file of 16 bits.

        Args:
            path: where it is to be; until `MediaEngine.keep` it is beside, under a temporary name.
            silence_seconds: end it after so much silence, at the beginning too; 0: never.
            stop_keys: keys that end it.

        Returns when the file is complete and synchronised. If the task that waits is cancelled, the recording is
        discarded: to keep what was said before the other side hung up, `close` the session and let this return.

        Raises `DiskFullError`, at once or later; `MediaError` when it cannot be written. Nothing is left then.
        """
        ...

    async def statistics(self) -> StreamStatistics:
        """Return what passed so far, counted now."""
        ...

    def close(self) -> None:
        """End the session. What is awaited returns with `CLOSED`. Idempotent."""
        ...


class MediaBridge(Protocol):
    """Two sessions that hear each other. Playing to one of them lets it hear that instead, as long as it lasts."""

    async def record(self, path: str, *, max_seconds: float) -> Recorded:
        """Record both sides in stereo: the first session left, the second right. See `MediaSession.record`."""
        ...

    def stop(self) -> None:
        """End the recording."""
        ...

    def close(self) -> None:
        """Part the two, which live on. A recording ends with `CLOSED`. Idempotent."""
        ...


class MediaEngine(Protocol):
    """Makes sessions. Everything awaited takes milliseconds; nothing blocks."""

    async def answer(
        self, offer: bytes, told: MediaListener, *, host: str = "", trusted: Sequence[str] = ()
    ) -> MediaSession:
        """Make a session from the other side's offer; `session.description` is the answer.

        Args:
            host: our IP literal for RTP; "": what the engine was started with.
            trusted: further IP literals that its sound may come from, besides what the offer says: that of its
                signalling, because a phone behind NAT does not know its own.

        Raises `OfferError`, `EngineError`.
        """
        ...

    async def offer(self, told: MediaListener, *, host: str = "", trusted: Sequence[str] = ()) -> MediaSession:
        """Make a session that offers all it can do; `session.accept` takes the answer. Raises `EngineError`."""
        ...

    async def bridge(self, left: MediaSession, right: MediaSession) -> MediaBridge:
        """Let two sessions hear each other, whatever their codecs are."""
        ...

    async def keep(self, recorded: Recorded) -> None:
        """Give a recording its name, durably. Raises `MediaError` when that fails, `DiskFullError` among them."""
        ...

    async def discard(self, recorded: Recorded) -> None:
        """Remove a recording that is not wanted. Never raises for one that is gone."""
        ...


# Called once, when the sound of a relayed call is gone for good, with why: "engine" (it died) or "silence" (nothing has
# come from any party for long). Never called for what an awaited method already raised, nor after `close`.
RelayLost = Callable[[str], None]


class RelayedCall(Protocol):
    """The sound between two parties, who are called "caller" and "callee" here whoever they are.

    Offers and answers pass through it as each is on its way from one to the other (RFC 3264): whoever gives one sees
    our address in what comes back, never the other's. Where several are called for one caller, there is one for each.

    What is awaited may be overtaken by `close`: it then raises `EngineError`, and nothing is left of it.
    """

    @property
    def bridge(self) -> MediaBridge | None:
        """The two who hear each other, to record them; None before, and where the relay cannot do that."""
        ...

    async def offer(self, sdp: bytes, giver: MediaParty, taker: MediaParty) -> bytes:
        """Take the offer of one party, first or later, and return the one to be made to the other.

        Raises `OfferError` for an offer of no use, with everything left as it was; `EngineError`.
        """
        ...

    async def answer(self, sdp: bytes, giver: MediaParty, taker: MediaParty) -> bytes:
        """Take the answer of one party to the offer that `taker` made, and return what the taker is to be answered.
        The two hear each other from now on. Another answer to the same offer may follow (2xx after 18x).

        Raises `OfferError` for an answer of no use, `EngineError`.
        """
        ...

    def session(self, name: str) -> MediaSession | None:
        """Return our side of the sound of "caller" or "callee", to play to them and hear their keys; None where there
        is none yet, or where the relay cannot do that. Whoever asks does not close it."""
        ...

    def close(self) -> None:
        """It is over: give everything back, at once. Idempotent."""
        ...


class MediaRelay(Protocol):
    """What calls are relayed by: our own engine, or rtpengine. Nothing blocks; what is awaited takes milliseconds, and
    raises within a few seconds where the engine is silent."""

    @property
    def ready(self) -> bool:
        """Whether calls can be relayed now, as far as is known."""
        ...

    def open(self, call_id: str, lost: RelayLost) -> RelayedCall:
        """Begin to relay between two parties; nothing is asked of the engine yet.

        Args:
            call_id: letters and digits that no other has.
        """
        ...


class SessionRelay(MediaRelay, Protocol):
    """A relay by an engine that also speaks to callers itself."""

    def take_over(
        self, caller: MediaSession, callee: MediaSession, bridge: MediaBridge, lost: RelayLost
    ) -> RelayedCall:
        """Go on with two who hear each other already: sessions and bridge are the relayed call's from now on. Raises
        `MediaError` for a session of another engine."""
        ...
