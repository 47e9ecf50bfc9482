"""Every metric of the router: its name, its meaning, and the numbers it reads. No label ever holds a phone number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from router import __version__
from router.media.figures import Figures
from router.model.tally import Counts, Histogram
from router.observe.metrics import Metrics

# Upper bounds in seconds. Set-up: from what the router adds (a millisecond) to a caller who gives up.
SETUP_BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 32.0)
# Decision: its budget is 20 microseconds.
DECISION_BOUNDS = (5e-06, 1e-05, 2e-05, 5e-05, 1e-04, 2e-04, 5e-04, 1e-03, 1e-02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the numbers are. A callable is asked at each scrape; it must not wait.

    Args:
        requests: by (method, direction), direction being "in" or "out".
        responses: by (method, code, direction).
        retransmissions: by (method, direction).
        malformed: by (reason,).
        transport: by (transport, event).
        connections: by (transport, event, reason).
        authentication: by (verdict,).
        dialogs, transactions, calls: how many live now.
        registrations: bindings in force now.
        private_phones: days for which the oldest exception has lasted, and how many last longer than they should (D2).
        phones_unlisted: registered phones that the inventory does not know (D3).
        setup_seconds: with `SETUP_BOUNDS`.
        decisions: by (action, rule).
        decision_seconds: with `DECISION_BOUNDS`.
        trunks: 1 for a trunk that can be used and 0 for one that cannot, by (trunk,).
        records: by (outcome,).
        feed_ages: seconds since each source of somebody else's was last found up to date, by (feed,).
        feeds_ok: 0 for a source whose last look failed, else 1, by (feed,).
        feed_failures: by (feed,).
        configuration: what identifies the configuration in force, such as its hash.
        messages: by (outcome,); emails: the same, about messages.
        recordings: of answered calls, by (result, clause); kept_recordings: by (outcome,).
        without_greeting: how many people recorded no greeting (V2).
        callbacks: by (outcome,); callbacks_waiting: callers who are still to be called back (P3).
        media: what the media engine counts.
        rtpengines_up, rtpengine_calls: 1 where it answers, else 0, and how many calls it relays for us, by (address,).
        rtpengine_commands: by (address, command, result); rtpengine_lost: by (why,).
        relayed: by (way, outcome).
        queue_waiting: callers who wait now, and queue_waits: seconds that those waited who were answered, by (queue,).
        queue_answered, queue_abandoned: by (queue,).
        queue_ended: by (queue, how it ended); queue_overflows: by (queue, cause).
        queue_agents: how many are in each state, by (state,).
    """

    requests: Counts
    responses: Counts
    retransmissions: Counts
    malformed: Counts
    transport: Counts
    connections: Counts
    authentication: Counts
    dialogs: Callable[[], float]
    transactions: Callable[[], float]
    calls: Callable[[], float]
    registrations: Callable[[], float]
    private_phones: Callable[[], tuple[float, int]]
    phones_unlisted: Callable[[], float]
    setup_seconds: Histogram
    decisions: Counts
    decision_seconds: Histogram
    trunks: Callable[[], Mapping[tuple[str], float]]
    records: Counts
    configuration: Callable[[], Mapping[str, str]]
    feed_ages: Callable[[], Mapping[tuple[str], float]] = dict
    feeds_ok: Callable[[], Mapping[tuple[str], float]] = dict
    feed_failures: Counts = field(default_factory=Counts)
    messages: Counts = field(default_factory=Counts)
    recordings: Counts = field(default_factory=Counts)
    kept_recordings: Counts = field(default_factory=Counts)
    emails: Counts = field(default_factory=Counts)
    without_greeting: Callable[[], float] = float
    callbacks: Counts = field(default_factory=Counts)
    callbacks_waiting: Callable[[], float] = float
    media: Figures = field(default_factory=Figures)
    relayed: Counts = field(default_factory=Counts)
    queue_waiting: Callable[[], Mapping[tuple[str], float]] = dict
    queue_waits: Callable[[], Mapping[tuple[str], Histogram]] = dict
    queue_answered: Counts = field(default_factory=Counts)
    queue_abandoned: Counts = field(default_factory=Counts)
    queue_overflows: Counts = field(default_factory=Counts)
    queue_ended: Counts = field(default_factory=Counts)
    queue_agents: Callable[[], Mapping[tuple[str], float]] = dict
    rtpengines_up: Callable[[], Mapping[tuple[str], float]] = dict
    rtpengine_calls: Callable[[], Mapping[tuple[str], float]] = dict
    rtpengine_commands: Counts = field(default_factory=Counts)
    rtpengine_lost: Counts = field(default_factory=Counts)


def declare(metrics: Metrics, sources: Sources) -> None:
    """Declare every metric of the router. Raises `ValueError` when done twice."""
    metrics.counter(
        "sip_requests_total",
        "SIP requests, retransmissions not counted.",
        ["method", "direction"],
        sources.requests,
    )
    metrics.counter(
        "sip_responses_total",
        "SIP responses, retransmissions not counted.",
        ["method", "code", "direction"],
        sources.responses,
    )
    metrics.counter(
        "sip_retransmissions_total",
        "SIP messages sent again, or received again and absorbed.",
        ["method", "direction"],
        sources.retransmissions,
    )
    metrics.counter(
        "sip_malformed_total",
        "What arrived and could not be served as SIP.",
        ["reason"],
        sources.malformed,
    )
    metrics.counter(
        "sip_transport_events_total",
        "What the sockets did: messages received and sent, drops, keep-alives.",
        ["transport", "event"],
        sources.transport,
    )
    metrics.counter(
        "sip_connections_total",
        "TCP connections opened, refused and closed, and why.",
        ["transport", "event", "reason"],
        sources.connections,
    )
    metrics.counter(
        "sip_authentication_total",
        "What came of requests that had to prove who sent them.",
        ["verdict"],
        sources.authentication,
    )
    metrics.gauge("sip_dialogs_active", "Dialogs that exist now; a plain call has two.", sources.dialogs)
    metrics.gauge("sip_transactions_active", "Transactions that exist now.", sources.transactions)
    metrics.gauge("sip_calls_active", "Calls that exist now, ringing ones included.", sources.calls)
    metrics.gauge("sip_registrations_active", "Bindings in force now.", sources.registrations)
    metrics.gauge(
        "private_phone_oldest_days",
        "Days since the private phone that has been connected longest first registered.",
        lambda: sources.private_phones()[0],
    )
    metrics.gauge(
        "private_phones_overdue",
        "Private phones that have been connected for more days than inventory.private_phone_days.",
        lambda: sources.private_phones()[1],
    )
    metrics.gauge(
        "phones_unlisted",
        "Registered phones whose User-Agent is not in inventory.phones.",
        sources.phones_unlisted,
    )
    metrics.histogram(
        "sip_setup_seconds",
        "From the caller's INVITE to the answer of the callee.",
        sources.setup_seconds,
    )
    metrics.counter(
        "policy_decisions_total",
        "Decisions by what is to be done and the clause of the policy that decided.",
        ["action", "rule"],
        sources.decisions,
    )
    metrics.histogram("policy_decision_seconds", "Time that one decision took.", sources.decision_seconds)
    metrics.gauge_by("trunk_up", "Whether a trunk can be used (1) or not (0).", ["trunk"], sources.trunks)
    metrics.counter(
        "call_records_total",
        "Call records written, and lost because the disk refused them for too long.",
        ["outcome"],
        sources.records,
    )
    metrics.gauge_by(
        "feed_age_seconds",
        "Time since a list or calendar of somebody else's was last found up to date.",
        ["feed"],
        sources.feed_ages,
    )
    metrics.gauge_by("feed_ok", "Whether the last look at it succeeded (1) or not (0).", ["feed"], sources.feeds_ok)
    metrics.counter("feed_failures_total", "Looks at it that failed.", ["feed"], sources.feed_failures)
    metrics.counter(
        "voicemail_messages_total",
        "Messages kept, discarded, refused (mailbox or disk full, store failed), deleted, expired and erased.",
        ["outcome"],
        sources.messages,
    )
    metrics.counter(
        "recordings_total",
        "Answered calls that there are rules of recording for, by what became of that and the clause that decided.",
        ["result", "clause"],
        sources.recordings,
    )
    metrics.counter(
        "recordings_kept_total",
        "Recordings kept, discarded, failed (disk full, store failed), deleted, expired and erased.",
        ["outcome"],
        sources.kept_recordings,
    )
    metrics.counter(
        "voicemail_emails_total",
        "E-mails about messages sent, put off, refused for good and given up.",
        ["outcome"],
        sources.emails,
    )
    metrics.gauge(
        "mailboxes_without_greeting",
        "People who have a mailbox and recorded no greeting.",
        sources.without_greeting,
    )
    _declare_media(metrics, sources.media)
    metrics.counter(
        "media_relays_total",
        "Attempts to call somebody whose sound was to be relayed, by the way that was wanted (relay, rtpengine): "
        "relayed, direct (it went without), failed (it went nowhere); and lost: of those relayed, the ones whose sound "
        "ended before they did.",
        ["way", "outcome"],
        sources.relayed,
    )
    _declare_rtpengines(metrics, sources)
    _declare_queues(metrics, sources)
    metrics.counter(
        "callbacks_total",
        "Callers who wished to be called back (P3): taken, connected, tried in vain, left to the person, cancelled.",
        ["outcome"],
        sources.callbacks,
    )
    metrics.gauge("callbacks_waiting", "Callers who are still to be called back.", sources.callbacks_waiting)
    metrics.information("renvoi_build", "The version that runs.", lambda: {"version": __version__})
    metrics.information("renvoi_configuration", "The configuration in force.", sources.configuration)


def _declare_media(metrics: Metrics, media: Figures) -> None:
    """Declare what is known of sound."""
    metrics.gauge(
        "media_streams",
        "Parties whose sound passes through the router's own engine now.",
        lambda: media.streams,
    )
    metrics.counter(
        "media_packets_total",
        "RTP packets sent, received, lost (highest - first sequence number + 1 - received, for each source), foreign "
        "(from an address that was not agreed on) and invalid (no RTP, or of a payload type that was not agreed on).",
        ["what"],
        media.packets,
    )
    metrics.histogram(
        "media_jitter_seconds",
        "Interarrival jitter of what is received (RFC 3550 6.4.1: J += (|D| - J) / 16, D being by how much more two "
        "packets are apart when they come than when they were made), of each stream every five seconds.",
        media.jitter,
    )
    metrics.counter(
        "media_keys_total",
        "Keys that were pressed, by how they came: as event (RFC 4733), as tone in the sound, by SIP INFO.",
        ["way"],
        media.keys,
    )
    metrics.gauge_by(
        "media_port_pairs",
        "Pairs of UDP ports for RTP and RTCP: used, resting (10 s after a call) and free.",
        ["state"],
        lambda: media.ports,
    )
    metrics.histogram(
        "media_late_seconds",
        "How late what is due every 20 ms was sent: time of sending - time at which it was due.",
        media.late,
    )
    metrics.counter(
        "media_skipped_ticks_total",
        "Times 20 ms in which nothing was sent, because the engine was held up for more than 100 ms.",
        [],
        media.skipped,
    )
    metrics.counter("media_engine_deaths_total", "Media engines that ended unasked.", [], media.deaths)


def _declare_queues(metrics: Metrics, sources: Sources) -> None:
    """Declare what is known of queues (Q2, G3)."""
    metrics.gauge_by("queue_waiting", "Callers who wait in a queue now.", ["queue"], sources.queue_waiting)
    metrics.histogram_by(
        "queue_wait_seconds",
        "Time from entering a queue to the answer of an agent; nobody should wait longer than 180 s (Q2).",
        ["queue"],
        sources.queue_waits,
    )
    metrics.counter(
        "queue_answered_total", "Callers of a queue who talked to an agent.", ["queue"], sources.queue_answered
    )
    metrics.counter(
        "queue_abandoned_total", "Callers of a queue who hung up while waiting.", ["queue"], sources.queue_abandoned
    )
    metrics.counter(
        "queue_overflow_total",
        "Callers who were sent elsewhere: after the longest wait (max_wait), because nobody was there (unattended), or "
        "because the queue is configured no more (queue_gone).",
        ["queue", "cause"],
        sources.queue_overflows,
    )
    metrics.counter(
        "queue_places_ended_total",
        "Places in a queue that are over, by how: answered, abandoned, left (by key), overflowed, and so on.",
        ["queue", "ended"],
        sources.queue_ended,
    )
    metrics.gauge_by("queue_agents", "Agents by what they do now.", ["state"], sources.queue_agents)


def _declare_rtpengines(metrics: Metrics, sources: Sources) -> None:
    """Declare what is known of rtpengines."""
    metrics.gauge_by("rtpengine_up", "Whether it answers (1) or not (0).", ["address"], sources.rtpengines_up)
    metrics.gauge_by(
        "rtpengine_calls", "Calls that it relays for this router now.", ["address"], sources.rtpengine_calls
    )
    metrics.counter(
        "rtpengine_commands_total",
        "What was asked of it (offer, answer, delete, query, statistics), and whether it did so (ok), would not "
        "(refused) or did not answer (unanswered).",
        ["address", "command", "result"],
        sources.rtpengine_commands,
    )
    metrics.counter(
        "rtpengine_lost_calls_total",
        "Calls whose sound ended before they did: it was gone or had been started anew (engine), or had given the call "
        "up because nobody sent anything (silence).",
        ["why"],
        sources.rtpengine_lost,
    )
