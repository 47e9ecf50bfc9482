"""Which of the calls that begin are recorded, and what is said of that in their records (X3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from router.calls.call_recording import CallRecording
from router.model.decision import DialNumber
from router.model.record import CallRecord
from router.model.recording import Direction
from router.model.tally import Counts
from router.policy.recording import Parties, may_record, parties_of
from router.policy.snapshot import Policy
from router.ports import RecordingStore
from router.sip.errors import RemoteError
from router.sip.name_addr import NameAddr
from router.sip.uri import SipUri, TelUri, parse_uri

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.call import Call
    from router.calls.leg import Leg


class Recordings:
    """What all recordings share.

    Attributes:
        store: keeps them; None: nothing is recorded.
        results: of answered calls, by (result, clause of the last reason).
    """

    def __init__(self, attendant: Attendant) -> None:
        self.attendant = attendant
        self.store: RecordingStore | None = None
        self.results = Counts()

    def begin(self, call: Call, caller: Leg, callee: Leg) -> CallRecording | None:
        """Decide whether two who begin to talk are recorded; None where there are no rules about that."""
        policy, facts, decision = call.policy, call.facts, call.decision
        if not call.recordings and caller.peer == facts.peer:
            parties = parties_of(facts, decision, callee.person, policy)
            number = facts.caller_number
            called = decision.target.number if isinstance(decision.target, DialNumber) else facts.dialled
        else:  # somebody was handed over, for whom the policy was not asked
            way = Direction.INBOUND if caller.outside else Direction.OUTBOUND if callee.outside else Direction.INTERNAL
            parties = Parties(caller.person, callee.person, way)
            number, called = _user(caller), _user(callee)
        verdict = may_record(parties, facts, decision, policy, self.attendant.clock())
        if verdict is None:
            return None
        numbers = (_number(policy, parties.caller, number), _number(policy, parties.called, called) or callee.peer)
        return CallRecording(self.attendant, self.store, self.results, verdict, call, (caller, callee), numbers)

    def conclude(
        self, recordings: Sequence[CallRecording], record: CallRecord, recorded: Callable[[CallRecord], None]
    ) -> None:
        """A call is over: let `recorded` take its record, once all is kept that was recorded."""
        unwritten = _Unwritten(recordings, record, recorded)
        unfinished = [recording for recording in recordings if not recording.finish(unwritten.noted)]
        if not unfinished:
            unwritten.noted()


class _Unwritten:
    """A record that waits for what is to be said of its recordings (a function within a function would leave a circle
    behind where it is compiled)."""

    __slots__ = ("_record", "_recorded", "_recordings")

    def __init__(
        self, recordings: Sequence[CallRecording], record: CallRecord, recorded: Callable[[CallRecord], None]
    ) -> None:
        self._recordings = recordings
        self._record = record
        self._recorded = recorded

    def noted(self) -> None:
        notes = tuple([recording.note for recording in self._recordings if recording.note is not None])
        if len(notes) == len(self._recordings):
            self._recorded(self._record._replace(recordings=notes))


def _number(policy: Policy, person: str | None, number: str | None) -> str | None:
    """The number under which somebody is found: ours by the extension, others in E.164 where that is possible."""
    known = policy.people.get(person) if person is not None else None
    if known is not None:
        return known.extension or known.diverts_as
    return (policy.plan.normalise(number) or number) if number else None


def _user(leg: Leg) -> str:
    """The user part of the address at the other end of a leg; "" for none."""
    try:
        uri = parse_uri(leg.target) if leg.target else NameAddr.parse(leg.dialog.remote).parsed_uri()
    except RemoteError:
        return ""
    return uri.username if isinstance(uri, SipUri) else uri.number if isinstance(uri, TelUri) else ""
