"""Stories that are heard: fake SIP time, and a real media engine, real mailboxes and real RTP.

    caller = await tale.calls("+3242200121")
    await tale.hears("greeting.hello", "record.after_tone")
    await tale.speaks(440, 1.5)
    caller.hangs_up()
    [message] = await tale.messages("bob")

Each prompt of the router's says a number of its own in tones (see `tests/media/tone_code.py`), so that a story knows
what a caller heard.
"""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from router.calls.voice import BEEP_HERTZ, RINGING_HERTZ, Voice
from router.configuration import Configuration
from router.media.client import Engine
from router.media.codecs import Samples
from router.model.audit import AuditEntry
from router.model.decision import SelectedBy, Selection
from router.model.mailbox import VoicemailRules
from router.model.message import Message
from router.ports import EngineError
from router.prompts.catalogue import LANGUAGES, PROMPTS, language
from router.sip.message import Response
from router.stores.database import Database
from router.stores.mailboxes import SqliteMailboxes
from tests.calls.story import Actor, Phone, Story
from tests.media.peer import Peer
from tests.media.tone_code import heard, spoken

PATIENCE = 20.0  # seconds of real time until something counts as not having happened
CODES = {name: number for number, name in enumerate(sorted(PROMPTS["fr"]), 1)}
ENGLISH = 500  # is added to the number of a prompt in English, whose name is "en:…" to stories
NAMES = {
    **{number: name for name, number in CODES.items()},
    **{number + ENGLISH: f"en:{name}" for name, number in CODES.items()},
}
RULES = VoicemailRules(max_seconds=10.0, silence_seconds=3.0, shortest_seconds=0.2)
BEEP_SECONDS = 0.1
GREETING_HERTZ = 900.0

Result = TypeVar("Result")


def write_coded_prompts(folder: Path) -> Path:
    """Write a company's own recordings: each prompt says its number."""
    (folder / "en").mkdir()
    for name, number in CODES.items():
        write_wav(folder / f"{name}.wav", spoken(number, 16_000), 16_000)
        write_wav(folder / "en" / f"{name}.wav", spoken(number + ENGLISH, 16_000), 16_000)
    return folder


def write_short_sounds(folder: Path) -> None:
    """Put pauses of 20 ms and a short beep where the voice looks for those that it made before."""
    folder.mkdir()
    for steps in range(1, 10):
        write_wav(folder / f"pause-{steps}.wav", np.zeros(320, np.int16), 16_000)
    write_wav(folder / "beep.wav", tone(BEEP_HERTZ, BEEP_SECONDS, 16_000), 16_000)


def write_wav(path: Path, samples: Samples, rate: int = 8000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def tone(hertz: float, seconds: float, rate: int = 8000) -> Samples:
    return np.asarray(8000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate), np.int16)


async def eventually(what: str, condition: Callable[[], Result | None], seconds: float = PATIENCE) -> Result:
    """Return the first true value of `condition`; fails after so many seconds of real time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        if value := condition():
            return value
        assert loop.time() < deadline, f"in {seconds:g} s this did not happen: {what}"
        await asyncio.sleep(0.04)


@dataclass
class Tale:
    """A story with sound.

    Attributes:
        peer: the ear and mouth of the caller.
        folder: where the mailboxes are, and what else belongs to the story.
        complaints: what the attendant had to complain of, by script.
        audited: what it wants to be kept of who tried what.
    """

    story: Story
    engine: Engine
    mailboxes: SqliteMailboxes
    peer: Peer
    folder: Path
    complaints: list[tuple[str, BaseException]] = field(default_factory=list)
    audited: list[AuditEntry] = field(default_factory=list)
    caller: Actor | None = None
    _heard: int = 0
    _recordings: set[str] = field(default_factory=set)  # that began

    @classmethod
    async def begin(cls, configuration: Configuration, engine: Engine, peer: Peer, folder: Path, prompts: Path) -> Tale:
        story = Story(configuration)
        database = await Database.open(folder / "tale.sqlite")
        mailboxes = await SqliteMailboxes.open(database, folder, configuration.mailboxes, RULES)
        tale = cls(story, engine, mailboxes, peer, folder)
        tale._database = database
        write_short_sounds(folder / "sounds")
        attendant = story.exchange.attendant
        attendant.engine = engine
        attendant.mailboxes = mailboxes
        attendant.boxes = configuration.mailboxes
        attendant.rules = RULES
        attendant.audit = tale.audited.append
        attendant.voices = {
            code: Voice(language(code, "BE"), "Story Company", folder / "sounds", prompts) for code in LANGUAGES
        }
        attendant.voice = attendant.voices["fr"]
        attendant.now = lambda: story.now
        attendant.flush = story.flush
        attendant.complain = lambda script, error: tale.complaints.append((script, error))
        attendant.patience = 0.5
        return tale

    _database: Database = field(init=False)

    async def end(self) -> None:
        """Nothing may be left of it: no script, no session, no draft."""
        left = set(self.story.exchange.calls)
        self.story.exchange.end_all(self.story.now)
        self.story.flush()
        await asyncio.wait_for(self.story.exchange.attendant.settled(), PATIENCE)
        assert not left
        assert not self.engine._sessions, self.engine._sessions
        assert not self.files(unfinished=True)
        await self.mailboxes.close()
        await self._database.close()

    # ------------------------------------------------------------------------------------------------- calling

    async def calls(self, number: str, *headers: str, actor: Actor | None = None, body: bytes | None = None) -> Actor:
        """Call, be answered by the router itself, and acknowledge."""
        caller = self.dials(number, *headers, actor=actor, body=body)
        answer = await self.answered()
        self.peer.heed(answer.body)
        caller.acks()
        return caller

    def dials(self, number: str, *headers: str, actor: Actor | None = None, body: bytes | None = None) -> Actor:
        self.caller = caller = actor or self.caller or self.story.trunk()
        caller.forgets()
        self.turns_to(self.peer)
        sender = None if isinstance(caller, Phone) else "Paul <sip:+32475111222@trunk.example>"
        caller.invites(number, *headers, sender=sender, body=self.peer.sdp() if body is None else body)
        return caller

    async def answered(self) -> Response:
        caller = self.caller
        assert caller is not None
        return await eventually("the router answers", lambda: caller.received(200, "INVITE"))

    # ------------------------------------------------------------------------------------------ hearing, speaking

    def said(self) -> list[str]:
        """The prompts that the caller heard so far."""
        return [NAMES.get(number, f"?{number}") for number in heard(self.peer.heard())]

    async def hears(self, *names: str) -> None:
        """Wait until the caller has heard these prompts, in this order, after those that were asked for before."""

        def found() -> bool:
            at, said = self._heard, self.said()
            for name in names:
                if name not in said[at:]:
                    return False
                at = said.index(name, at) + 1
            self._heard = at
            return True

        try:
            await eventually("", found)
        except AssertionError:
            raise AssertionError(f"heard {self.said()}, waited for {names} after the first {self._heard}") from None

    async def hears_the_beep(self, *, times: int = 1) -> None:
        """Wait until recording has begun, after a beep: the first, or the one of that number."""
        await self.hears_tone(BEEP_HERTZ, BEEP_SECONDS * (times - 0.5))
        begun = await eventually("recording begins", lambda: {*self.files(unfinished=True)} - self._recordings)
        self._recordings |= begun

    async def hears_ringing(self) -> None:
        await self.hears_tone(RINGING_HERTZ, 0.1)

    async def hears_tone(self, hertz: float, seconds: float) -> None:
        await eventually(f"{hertz:g} Hz is heard", lambda: seconds_of(self.peer.heard(), hertz) >= seconds)

    async def speaks(self, hertz: float, seconds: float) -> None:
        await self.peer.say(tone(hertz, seconds))

    async def greets_for(self, seconds: float) -> None:
        """Let Bob have a greeting of his own, of one tone."""
        written = write_wav(self.folder / "greeting.wav", tone(GREETING_HERTZ, seconds))
        await self.mailboxes.set_greeting("bob", "available", written.read_bytes())

    def records_by(
        self, *, max_seconds: float = RULES.max_seconds, silence_seconds: float = RULES.silence_seconds
    ) -> None:
        """Let other rules hold for what is recorded from now on."""
        self.story.exchange.attendant.rules = replace(RULES, max_seconds=max_seconds, silence_seconds=silence_seconds)

    def presses(self, key: str) -> None:
        self.peer.press("0123456789*#ABCD".index(key))

    def turns_to(self, peer: Peer) -> None:
        """Listen and speak at another place from now on."""
        self.peer = peer
        peer.packets.clear()
        self._heard = 0

    # ------------------------------------------------------------------------------------- the caller; the company

    def caller_acks(self) -> None:
        assert self.caller is not None
        self.caller.acks()

    def caller_hangs_up(self) -> None:
        assert self.caller is not None
        self.caller.hangs_up()

    async def is_hung_up(self) -> None:
        """Wait until the router has ended the call."""
        caller = self.caller
        assert caller is not None
        await eventually("the router hangs up", lambda: caller.received("BYE"))

    async def engine_is_back(self) -> None:
        """Wait until the engine serves again."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    session = await self.engine.offer(lambda _event: None)
                except EngineError:
                    await asyncio.sleep(0.05)
                else:
                    session.close()
                    return

    def selects(self, person: str, profile: str, *, lasting: float) -> None:
        """Select a profile for somebody, for so many seconds."""
        now = self.story.clock()
        choice = Selection(person, profile, SelectedBy.PERSON, now, now + lasting)
        self.story.exchange.states.select(choice, now)

    # --------------------------------------------------------------------------------------------- what is left

    async def messages(self, mailbox: str, count: int = 1) -> list[Message]:
        """Wait until a mailbox has so many new messages."""
        await eventually(f"{count} messages in {mailbox}", lambda: self.mailboxes.counts(mailbox).new == count)
        return await self.mailboxes.messages(mailbox)

    def files(self, *, unfinished: bool = False) -> list[str]:
        """Sounds below the folder of the mailboxes; or those that are not finished."""
        found = []
        for folder, _, names in os.walk(self.mailboxes._files.root):
            found += [os.path.join(folder, name) for name in names if name.startswith(".") == unfinished]
        return found


def samples_of(path: str) -> Samples:
    with wave.open(path, "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def seconds_of(samples: Samples, hertz: float, rate: int = 8000) -> float:
    """How long a tone is heard, in steps of 20 ms."""
    size = rate // 50
    whole = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    wave_ = np.exp(-2j * np.pi * hertz * np.arange(size) / rate)
    strength = np.abs(whole @ wave_) * 2 / size
    power = np.sqrt(np.mean(whole**2, axis=1)) * np.sqrt(2)
    return float(np.count_nonzero((power > 500) & (strength > 0.8 * power))) / 50
