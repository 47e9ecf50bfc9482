"""Recordings of calls over HTTP: found, heard, deleted, and begun, paused and gone on with while a call lasts (X3).

Only an administrator's token finds and hears recordings, and every look at them leaves an entry in the audit: whose
calls they are does not matter, because two people speak on each. In a call of their own, one of the people on whose
account it is recorded may ask for a pause like by key.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from router.calls.call import Call
from router.model.access import ApiRole
from router.model.audit import AuditEntry
from router.model.recording import Direction, KeptRecording
from router.ports import StoreError, StoreFullError
from router.web.api import moments
from router.web.endpoint import ADMINISTRATORS, Asked, Endpoint, Resource, SentFile
from router.web.office import Office
from router.web.problems import Problem

WAV = "audio/wav"
MOST_RECORDINGS = 1000  # in one answer
_WHO_ASKS = frozenset((ApiRole.ADMINISTRATOR, ApiRole.PERSON))


class ReasonResource(Resource):
    """Why something was decided."""

    clause: str
    text: str
    source: str
    french: str
    rule: str


class RecordingResource(Resource):
    """A recording. The caller is on the left channel, who was called on the right one."""

    id: str
    call_id: str
    began: str
    seconds: float
    caller: str | None = Field(description="null: withheld")
    called: str
    people: list[str] = Field(description="ids of our people in the call")
    direction: Direction
    because: list[ReasonResource]
    legal_basis: str
    keep_until: str


class RecordingsResource(Resource):
    recordings: list[RecordingResource] = Field(description="the newest first")


class Which(Resource):
    """Which recordings."""

    since: str = Field(default="1970-01-01T00:00+00:00", description="from this moment on")
    until: str = Field(default="9999-01-01T00:00+00:00", description="before this moment")
    person: str = Field(default="", max_length=200, description="id of one of our people; all without it")
    number: str = Field(default="", max_length=64, description="of a party, in any spelling; all without it")
    limit: int = Field(default=100, ge=1, le=MOST_RECORDINGS)


class AskRecording(Resource):
    """What is wanted of the recording of a call in progress."""

    do: Literal["start", "pause", "resume"]
    call_id: str = Field(default="", max_length=300, description="a person needs none: their own call is meant")


class LiveRecordingResource(Resource):
    call_id: str
    wanted: str
    state: str = Field(description="off, announcing, recording or paused, before it is done")


class RecordingsApi:
    """The operations on recordings."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def endpoints(self) -> list[Endpoint]:
        """Return what is served."""
        one = "/api/v1/recordings/{recording}"
        live = "/api/v1/calls/recording"
        return [
            Endpoint(
                "GET", "/api/v1/recordings", "Find recordings", ADMINISTRATORS, self.find, RecordingsResource, Which
            ),
            Endpoint("GET", one, "Hear a recording", ADMINISTRATORS, self.hear, WAV),
            Endpoint("DELETE", one, "Delete it", ADMINISTRATORS, self.delete, None, status=204),
            Endpoint(
                "POST",
                live,
                "Record, pause, go on",
                _WHO_ASKS,
                self.control_recording,
                LiveRecordingResource,
                None,
                AskRecording,
                202,
            ),
        ]

    async def find(self, asked: Asked) -> RecordingsResource:
        """What is known of each, and why it was recorded. That somebody looked stands in the audit."""
        query, zone = asked.query, self._office.configuration.policy.zone
        number = self._office.configuration.policy.plan.normalise(query.number) or query.number
        try:
            found = await self._office.recordings.recordings(
                since=moments.read(query.since, zone, "query.since"),
                until=moments.read(query.until, zone, "query.until"),
                person=query.person,
                number=number,
                limit=query.limit,
            )
            await self._note(asked, "list recordings", query.person or "all", f"{len(found)} recordings")
        except StoreError as error:
            raise _unavailable(error) from error
        return RecordingsResource(recordings=[self._resource(recording) for recording in found])

    async def hear(self, asked: Asked) -> SentFile:
        """The sound, as a WAV file of two channels. Who heard it, and when, stands in the audit before it is sent."""
        try:
            recording = await self._found(asked)
            await self._note(asked, "listen to recording", f"recording {recording.id}", self._when(recording))
        except StoreError as error:
            raise _unavailable(error) from error
        began = datetime.fromtimestamp(recording.began_at, self._office.configuration.policy.zone)
        return SentFile(self._office.recordings.sound(recording.id), f"{began:%Y%m%d-%H%M%S}.wav")

    async def delete(self, asked: Asked) -> None:
        """For good, before its time is over."""
        try:
            recording = await self._found(asked)
            await self._office.recordings.delete(recording.id)
            await self._note(asked, "delete recording", f"recording {recording.id}", self._when(recording))
        except StoreError as error:
            raise _unavailable(error) from error

    async def control_recording(self, asked: Asked) -> LiveRecordingResource:
        """It is done like by key: both hear the announcement before it begins, and that it pauses or goes on."""
        wanted: str = asked.body.do
        call = self._call(asked)
        recording = call.recordings[-1] if call.recordings else None
        if recording is None or not recording.verdict.allowed:
            because = recording.verdict.because[-1].text if recording is not None else "there are no rules about that"
            raise Problem(409, f"this call is not to be recorded: {because}")
        state = recording.state
        if not recording.ask(wanted):
            raise Problem(409, f"to {wanted} makes no sense now: the recording is {state}")
        try:
            await self._note(asked, f"{wanted} recording", f"call {call.call_id}")
        except StoreError as error:
            raise _unavailable(error) from error
        return LiveRecordingResource(call_id=call.call_id, wanted=wanted, state=state)

    # ------------------------------------------------------------------------------------------------ in parts

    def _call(self, asked: Asked) -> Call:
        """Return the call that is meant, if the token may ask something of it. Raises `Problem`."""
        call_id, person = asked.body.call_id, asked.token.person
        calls = [call for call in self._office.calls_in_progress() if call_id in ("", call.call_id)]
        if asked.token.role is ApiRole.PERSON:
            calls = [call for call in calls if call.recordings and person in call.recordings[-1].verdict.licensed]
            if not calls:
                raise Problem(404, f"there is no call in progress that is recorded on the account of {person}")
        elif not call_id:
            raise Problem(422, "which call is meant?", [{"where": "body.call_id", "what": "write the Call-ID"}])
        elif not calls:
            raise Problem(404, f"there is no call {call_id!r} in progress")
        return calls[0]

    async def _found(self, asked: Asked) -> KeptRecording:
        """Return the recording that the path names. Raises `Problem`, `StoreError`."""
        recording = await self._office.recordings.recording(asked.path["recording"])
        if recording is None:
            raise Problem(404, "there is no such recording; perhaps it was deleted")
        return recording

    async def _note(self, asked: Asked, action: str, subject: str, what: str = "") -> None:
        """Keep in the audit who did what. No number stands there: whoever is erased must not come back by this way.
        Raises `StoreError`."""
        entry = AuditEntry(self._office.clock(), asked.actor, action, subject, after=what)
        await self._office.state_store.record(entry)

    def _when(self, recording: KeptRecording) -> str:
        began = moments.written(recording.began_at, self._office.configuration.policy.zone)
        return f"of {began}, {', '.join(recording.people)}"

    def _resource(self, recording: KeptRecording) -> RecordingResource:
        zone = self._office.configuration.policy.zone
        return RecordingResource(
            id=recording.id,
            call_id=recording.call_id,
            began=moments.written(recording.began_at, zone) or "",
            seconds=round(recording.seconds, 1),
            caller=recording.caller,
            called=recording.called,
            people=list(recording.people),
            direction=recording.direction,
            because=[ReasonResource(**reason.as_dict()) for reason in recording.because],
            legal_basis=recording.legal_basis,
            keep_until=moments.written(recording.keep_until, zone) or "",
        )


def _unavailable(error: StoreError) -> Problem:
    return Problem(507 if isinstance(error, StoreFullError) else 503, f"this cannot be done now: {error}")
