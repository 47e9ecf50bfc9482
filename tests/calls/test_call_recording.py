"""Calls that are recorded, as both sides hear them and as the file holds them (X3, X4, G12, G13): a real media engine,
real RTP, a real store, fake SIP time."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from router.calls.call_recording import PAUSE, RECORDING, START, CallRecording
from router.calls.voice import Voice
from router.configuration import Configuration
from router.media.client import Engine
from router.media.codecs import Samples
from router.media.relay import EngineRelay
from router.model.decision import SelectedBy, Selection
from router.model.recording import KeptRecording, RecordingNote
from router.model.sound import MediaWay
from router.ports import StoreFullError
from router.prompts.catalogue import language
from router.stores import recording_files
from router.stores.database import Database
from router.stores.recordings import SqliteRecordings
from tests.calls.conftest import finish
from tests.calls.story import COMPANY, TUESDAY_TEN, Story, configuration_of
from tests.calls.test_relayed_sound import Party, agreed, talk
from tests.calls.transferring import refers, told
from tests.calls.voice_story import (
    NAMES,
    eventually,
    seconds_of,
    tone,
    write_coded_prompts,
    write_short_sounds,
    write_wav,
)
from tests.media.conftest import running_engine
from tests.media.tone_code import heard

pytestmark = pytest.mark.asyncio(loop_scope="module")

shared_engine = pytest_asyncio.fixture(running_engine, scope="module", loop_scope="module")
own_engine = pytest_asyncio.fixture(running_engine, loop_scope="module")

RULES = """
recording:
  who: [bob]
  calls: all
  announcement: {fr: recording.consent}
  key: "*1"
  decline: "9"
codes: {private: "*33"}
hours: {office: {calendar: weekdays, from: "08:00", to: "17:00"}}
"""
ALICE, BOB = 440.0, 1000.0  # Hz


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_coded_prompts(tmp_path_factory.mktemp("prompts"))


class Tape:
    """A story whose calls may be recorded.

    Attributes:
        alice, bob, carol: phones that speak all the time; Bob's calls are recorded.
    """

    def __init__(self, story: Story, engine: Engine, store: SqliteRecordings, directory: Path) -> None:
        self.story = story
        self.engine = engine
        self.store = store
        self.directory = directory
        self.alice = Party(story.phone("200"), ALICE)
        self.bob = Party(story.phone("201"), BOB)
        self.carol = Party(story.phone("202"), 1500)
        self._speaking = [asyncio.ensure_future(_speak(party)) for party in (self.alice, self.bob, self.carol)]

    async def end(self) -> None:
        for task in self._speaking:
            task.cancel()
        await asyncio.gather(*self._speaking, return_exceptions=True)
        left = set(self.story.exchange.calls)
        self.story.exchange.end_all(self.story.now)
        self.story.flush()
        await asyncio.wait_for(self.story.exchange.attendant.settled(), 20)
        for party in (self.alice, self.bob, self.carol):
            party.peer.close()
        assert not left
        assert not self.engine.open_sessions, "every port is given back"
        assert not [path for path in self.files() if path.startswith(".")], "nothing half is left"
        finish(self.story)

    # ------------------------------------------------------------------------------------------------ the call

    async def talk(self, number: str = "201") -> CallRecording:
        """Alice calls, Bob answers."""
        await talk(self.alice, self.bob, number)
        return self.recording

    @property
    def recording(self) -> CallRecording:
        [call] = self.story.exchange.calls
        return call.recordings[-1]

    async def both_hear(self, name: str, *parties: Party) -> None:
        for party in parties or (self.alice, self.bob):
            await eventually(f"{name} is heard", lambda party=party: name in said(party))  # type: ignore[misc]

    async def is_recorded_for(self, seconds: float) -> None:
        await eventually("it is recorded", lambda: self.recording.state == RECORDING)
        await asyncio.sleep(seconds)

    async def note(self) -> RecordingNote:
        """What the record of the call says, once it is there."""
        [record] = await eventually("the call is recorded", lambda: self.story.records)
        return record.recordings[-1]

    async def hang_up(self) -> RecordingNote:
        self.bob.actor.hangs_up()
        return await self.note()

    # ------------------------------------------------------------------------------------------------- the file

    def files(self) -> list[str]:
        folder = self.directory / "recordings"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def channels(self, recording: RecordingNote | KeptRecording) -> tuple[Samples, Samples]:
        with wave.open(self.store.sound(recording.id)) as file:
            assert (file.getnchannels(), file.getframerate()) == (2, 8000)
            return both_of(file.readframes(file.getnframes()))


def both_of(frames: bytes) -> tuple[Samples, Samples]:
    sound = np.frombuffer(frames, "<i2").reshape(-1, 2)
    return sound[:, 0].astype(np.int16), sound[:, 1].astype(np.int16)


async def _speak(party: Party) -> None:
    await eventually("there is somebody to speak to", lambda: party.peer.target[1], 1000)
    while True:
        await party.peer.say(tone(party.hertz, 0.2))


def said(party: Party) -> list[str]:
    """The prompts that somebody heard."""
    return [NAMES.get(number, "") for number in heard(party.peer.heard())]


@asynccontextmanager
async def recorded_story(text: str, engine: Engine, folder: Path, prompts: Path) -> AsyncIterator[Tape]:
    configuration: Configuration = configuration_of(text, folder / "company")
    story = Story(configuration)
    exchange = story.exchange
    exchange.relays.by_way[MediaWay.RELAY] = EngineRelay(engine, ["127.0.0.1"])
    write_short_sounds(folder / "sounds")
    attendant = exchange.attendant
    attendant.engine = engine
    attendant.voice = Voice(language("fr", "BE"), "Story Company", folder / "sounds", prompts)
    attendant.now = lambda: story.now
    attendant.flush = story.flush
    database = await Database.open(folder / "tape.sqlite")
    store = await SqliteRecordings.open(database, folder)
    exchange.recordings.store = store
    tape = Tape(story, engine, store, folder)
    yield tape
    await tape.end()
    await store.close()
    await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def tape(shared_engine: Engine, tmp_path: Path, prompts: Path) -> AsyncIterator[Tape]:
    async with recorded_story(COMPANY + RULES, shared_engine, tmp_path, prompts) as tape:
        yield tape


@pytest_asyncio.fixture(loop_scope="module")
async def slow(shared_engine: Engine, tmp_path: Path, prompts: Path) -> AsyncIterator[Tape]:
    """A company whose announcement is a tone of 1.5 s."""
    (tmp_path / "company").mkdir()
    write_wav(tmp_path / "company" / "long.wav", tone(2500, 1.5))
    text = COMPANY + RULES.replace("recording.consent", "long.wav")
    async with recorded_story(text, shared_engine, tmp_path, prompts) as tape:
        yield tape


@pytest_asyncio.fixture(loop_scope="module")
async def on_demand(shared_engine: Engine, tmp_path: Path, prompts: Path) -> AsyncIterator[Tape]:
    text = COMPANY + RULES.replace("calls: all", "calls: on_demand")
    async with recorded_story(text, shared_engine, tmp_path, prompts) as tape:
        yield tape


# ------------------------------------------------------------------------------------------------------ all calls


async def test_both_are_told_and_then_recorded_one_side_a_channel(tape: Tape) -> None:
    """X3, G13: phones that nobody relays otherwise; the announcement is not part of what is recorded."""
    await tape.talk()
    await tape.both_hear("recording.consent")
    await tape.is_recorded_for(0.6)
    note = await tape.hang_up()
    assert (note.result, note.because[0].text) == ("recorded", "calls of Bob Durand are recorded")
    assert 0.4 < note.seconds < 5
    left, right = tape.channels(note)
    assert seconds_of(left, ALICE) > 0.3
    assert seconds_of(right, BOB) > 0.3
    assert seconds_of(left, BOB) == seconds_of(right, ALICE) == 0
    kept = await tape.store.recording(note.id)
    assert kept is not None
    assert (kept.caller, kept.called, kept.people) == ("200", "201", ("alice", "bob"))
    assert kept.keep_until == kept.began_at + 180 * 86400
    assert tape.files() == [f"{note.id}.wav"]
    assert tape.story.exchange.recordings.results["recorded", "X3"] == 1


async def test_a_pause_leaves_a_gap(tape: Tape) -> None:
    """Whoever may ask presses the code; both hear that recording pauses, and that it goes on."""
    await tape.talk()
    await tape.is_recorded_for(0.4)
    press(tape.bob, "*1")
    await tape.both_hear("recording.paused")
    await asyncio.sleep(0.5)
    press(tape.bob, "*1")
    await tape.both_hear("recording.resumed")
    await tape.is_recorded_for(0.4)
    note = await tape.hang_up()
    left, right = tape.channels(note)
    for channel, hertz in ((left, ALICE), (right, BOB)):
        spoken = seconds_of(channel, hertz)
        assert 0.4 < spoken < note.seconds - 0.4, "what was said in the pause is not in the file"
    assert tape.files() == [f"{note.id}.wav"]


async def test_whoever_may_not_ask_presses_in_vain(tape: Tape) -> None:
    await tape.talk()
    await tape.is_recorded_for(0.1)
    press(tape.alice, "*1")
    await asyncio.sleep(0.3)
    assert tape.recording.state == RECORDING
    assert (await tape.hang_up()).result == "recorded"


async def test_keys_by_info_count_as_well(tape: Tape) -> None:
    await tape.talk()
    await tape.is_recorded_for(0.1)
    for key in "*1":
        body = f"Signal={key}\r\nDuration=160\r\n".encode()
        tape.bob.actor.sends_in_call("INFO", "Content-Type: application/dtmf-relay", body=body)
    await tape.both_hear("recording.paused")
    assert (await tape.hang_up()).result == "recorded"


@pytest.mark.parametrize("by_caller", [True, False], ids=["caller", "called"])
async def test_who_hangs_up_during_the_announcement_leaves_nothing(slow: Tape, by_caller: bool) -> None:
    """G13: not even a temporary file."""
    await slow.talk()
    await eventually("the announcement is heard", lambda: seconds_of(slow.alice.peer.heard(), 2500) > 0.2)
    (slow.alice if by_caller else slow.bob).actor.hangs_up()
    note = await slow.note()
    assert (note.result, note.because[0].clause, note.id) == ("unannounced", "G13", "")
    assert slow.files() == []
    with sqlite3.connect(slow.directory / "tape.sqlite") as connection:
        assert connection.execute("select count(*) from recording").fetchone() == (0,)


async def test_who_is_on_hold_has_not_heard_it(slow: Tape) -> None:
    """G13: recording begins with nobody who could not hear the announcement."""
    await slow.talk()
    alice, bob = slow.alice, slow.bob
    alice.actor.reinvites(body=alice.peer.sdp(direction="sendonly"))
    await eventually("Bob is asked", lambda: bob.actor.received("INVITE"))
    bob.actor.answers(body=bob.peer.sdp(direction="recvonly"))
    await agreed(alice)
    await eventually("the announcement is over", lambda: slow.recording.state == "off")
    assert slow.files() == []
    assert (await slow.hang_up()).result == "unannounced"


async def test_either_side_declines_by_key(slow: Tape) -> None:
    """G13: both hear that nothing is recorded, and go on talking."""
    await slow.talk()
    await eventually("the announcement is heard", lambda: seconds_of(slow.alice.peer.heard(), 2500) > 0.2)
    press(slow.alice, "9")
    await slow.both_hear("recording.not_recorded")
    before = seconds_of(slow.alice.peer.heard(), BOB)
    await eventually("they talk", lambda: seconds_of(slow.alice.peer.heard(), BOB) > before + 0.2)
    note = await slow.hang_up()
    assert (note.result, note.because[0].text) == ("declined", "one of them declined by key")
    assert slow.files() == []


async def test_without_an_announcement_that_can_be_played_nothing_is_recorded(slow: Tape) -> None:
    (slow.directory / "company" / "long.wav").unlink()
    await slow.talk()
    await eventually("it was tried", lambda: slow.recording._result == "unannounced")
    assert (await slow.hang_up()).result == "unannounced"


async def test_a_full_disk_stops_no_call(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_files, "MIN_FREE_BYTES", 2**60)
    await tape.talk()
    await eventually("it failed", lambda: tape.recording._result == "failed")
    before = seconds_of(tape.alice.peer.heard(), BOB)
    await eventually("they talk", lambda: seconds_of(tape.alice.peer.heard(), BOB) > before + 0.2)
    assert (await tape.hang_up()).result == "failed"
    with pytest.raises(StoreFullError):
        await tape.store.begin(TUESDAY_TEN)


async def test_a_private_call_is_neither_recorded_nor_relayed(tape: Tape) -> None:
    """X3: the code that the caller dials before the number."""
    tape.alice.actor.invites("*33201", body=tape.alice.peer.sdp())
    assert tape.bob.actor.was_called
    assert tape.bob.actor.waiting.body == tape.alice.peer.sdp(), "its sound goes past the router"
    tape.bob.actor.answers(body=tape.bob.peer.sdp())
    tape.alice.actor.acks()
    note = await tape.hang_up()
    assert (note.result, note.because[0].text) == ("refused", "*33: this call is private, and not recorded")


async def test_an_absent_person_is_not_recorded(tape: Tape) -> None:
    """X4: Alice is absent and calls Bob, whose calls are."""
    absent = Selection("alice", "absent", SelectedBy.PERSON, 0.0)
    tape.story.exchange.states.select(absent, tape.story.clock())
    await tape.talk()
    note = await tape.hang_up()
    assert (note.result, note.because[0].clause) == ("refused", "X4")
    assert "recording.consent" not in said(tape.alice)


async def test_others_are_not_recorded_and_the_record_says_so(tape: Tape) -> None:
    tape.alice.actor.invites("202", body=tape.alice.peer.sdp())
    tape.carol.actor.answers(body=tape.carol.peer.sdp())
    tape.alice.actor.acks()
    tape.carol.actor.hangs_up()
    note = await tape.note()
    assert (note.result, note.because[0].text) == ("refused", "nobody in this call is recorded")


async def test_without_a_relay_the_call_goes_on_unrecorded(tape: Tape) -> None:
    """Even where a call that should be relayed fails without (`media.fallback`): it is relayed to be recorded alone."""
    tape.story.exchange.relays.by_way.clear()
    tape.story.exchange.relays.falls_back = False
    tape.alice.actor.invites("201", body=tape.alice.peer.sdp())
    tape.bob.actor.answers(body=tape.bob.peer.sdp())
    tape.alice.actor.acks()
    note = await tape.hang_up()
    assert (note.result, note.because[0].clause) == ("failed", "G13")


async def test_the_engine_dies_and_nothing_half_is_left(own_engine: Engine, tmp_path: Path, prompts: Path) -> None:
    async with recorded_story(COMPANY + RULES, own_engine, tmp_path, prompts) as tape:
        await tape.talk()
        await tape.is_recorded_for(0.3)
        kill(own_engine)
        await eventually(
            "both are hung up", lambda: tape.alice.actor.received("BYE") and tape.bob.actor.received("BYE")
        )
        assert (await tape.note()).result == "failed"
        assert tape.files() == []


def kill(engine: Engine) -> None:
    os.kill(engine.process_id, signal.SIGKILL)


# ----------------------------------------------------------------------------------------------- others talk, G12


async def test_a_transferred_call_is_decided_anew(tape: Tape) -> None:
    """Bob hands Alice over to Carol: what he said is kept, what the two say is nobody's to record."""
    await tape.talk()
    await tape.is_recorded_for(0.4)
    refers(tape.bob.actor, "202")
    await eventually("Carol is called", lambda: tape.carol.actor.was_called)
    tape.carol.actor.answers(body=tape.carol.peer.sdp())
    await eventually("Alice is asked", lambda: tape.alice.actor.received("INVITE"))
    tape.alice.actor.answers(body=tape.alice.peer.sdp())
    await eventually("Bob is told", lambda: told(tape.bob.actor)[-1:] == ["200 OK"] or tape.bob.actor.received("BYE"))
    records = tape.story.records
    await eventually("his call is over", lambda: len(records) >= 1)
    tape.carol.actor.hangs_up()
    await eventually("hers too", lambda: len(records) == 2)
    results = {record.dialled: [note.result for note in record.recordings] for record in records}
    assert results == {"201": ["recorded"], "202": ["refused"]}


async def test_what_crosses_the_closing_stops_where_the_rules_say_so(
    shared_engine: Engine, tmp_path: Path, prompts: Path
) -> None:
    """G12: the clock of the policy is put a second before five; the call goes on."""
    text = COMPANY + RULES.replace("  who:", "  hours: office\n  at_closing: stop\n  who:")
    async with recorded_story(text, shared_engine, tmp_path, prompts) as tape:
        before_five = TUESDAY_TEN + 7 * 3600 - 1.5
        began = asyncio.get_running_loop().time()
        clock = lambda: before_five + asyncio.get_running_loop().time() - began  # noqa: E731
        tape.story.exchange.clock = tape.story.exchange.attendant.clock = clock
        await tape.talk()
        await tape.is_recorded_for(0.1)
        await eventually("it is kept", lambda: tape.recording.note)
        assert tape.story.exchange.calls, "they still talk"
        note = await tape.hang_up()
        assert (note.result, note.because[-1].clause) == ("recorded", "G12")
        assert 0 < note.seconds < 1.6


# ---------------------------------------------------------------------------------------------------- on demand


async def test_on_demand_it_begins_with_the_announcement_when_asked_for(on_demand: Tape) -> None:
    """X3, G13: whoever may ask presses the code; both hear the announcement first."""
    await on_demand.talk()
    before = seconds_of(on_demand.alice.peer.heard(), BOB)
    await eventually("they talk", lambda: seconds_of(on_demand.alice.peer.heard(), BOB) > before + 0.2)
    assert "recording.consent" not in said(on_demand.alice)
    press(on_demand.bob, "*1")
    await on_demand.both_hear("recording.consent")
    await on_demand.is_recorded_for(0.3)
    assert on_demand.recording.ask(PAUSE)
    await on_demand.both_hear("recording.paused")
    note = await on_demand.hang_up()
    assert note.result == "recorded"
    assert note.seconds < 3


async def test_on_demand_nobody_asked(on_demand: Tape) -> None:
    await on_demand.talk()
    note = await on_demand.hang_up()
    assert (note.result, note.because[-1].text, note.id) == ("not_wanted", "nobody asked for it", "")


async def test_by_hand_neither_while_absent(on_demand: Tape) -> None:
    """X4: who has become absent during the call asks in vain."""
    await on_demand.talk()
    absent = Selection("bob", "absent", SelectedBy.PERSON, 0.0)
    on_demand.story.exchange.states.select(absent, on_demand.story.clock())
    assert on_demand.recording.ask(START)
    await on_demand.both_hear("recording.not_recorded")
    note = await on_demand.hang_up()
    assert (note.result, note.because[0].clause) == ("refused", "X4")
    assert on_demand.files() == []


# ------------------------------------------------------------------------------------------------------- in parts


def press(party: Party, keys: str) -> None:
    for key in keys:
        party.peer.press("0123456789*#ABCD".index(key))
