"""Stories of queues: callers who wait are heard and spoken to by a real media engine, agents are phones in memory."""

from __future__ import annotations

from pathlib import Path

from router.configuration import Configuration
from router.media.client import Engine
from router.media.relay import EngineRelay
from router.sip.message import Request
from tests.calls.story import COMPANY, Phone, Story, configuration_of
from tests.calls.voice_story import Tale, eventually, seconds_of, tone, write_wav
from tests.media.peer import Peer

MUSIC_HERTZ = 330.0
QUEUE = "+3242200150"
QUEUES = """
queues:
  sales:
    name: Service Commercial
    number: "+3242200150"
    agents: [alice, bob, carol]
    remote_agents: equal
    rings: ring_all
    pause_after_missed: 0
    keys: {message: "1", callback: "2"}
    max_wait: {after: 3min, then: voicemail, notice: 30s before}
    music: {file: music.wav, licence: made here, instrumental: true}
"""


def queue_company(directory: Path, queues: str = QUEUES) -> Configuration:
    """The story company, with its own mailboxes, French, and queues."""
    directory.mkdir(parents=True, exist_ok=True)
    write_wav(directory / "music.wav", tone(MUSIC_HERTZ, 2.0))
    text = COMPANY.replace('{sip: "sip:{extension}@192.0.2.91:5091"}', '{mailbox: "{person}"}').replace(
        "country: BE", "country: BE\n  languages: [fr]"
    )
    return configuration_of(text + queues, directory)


async def begin(configuration: Configuration, engine: Engine, folder: Path, prompts: Path) -> Tale:
    """Begin a tale in which the queues are staffed by whoever registers."""
    tale = await Tale.begin(configuration, engine, ear(), folder, prompts)
    exchange = tale.story.exchange
    exchange.relays.sessions = EngineRelay(engine, ["127.0.0.1"])
    exchange.queues.configure(configuration.queues, configuration.agents)
    exchange.queues.watch_profiles()
    tale.story.flush()
    return tale


_ears: list[Peer] = []


def ear() -> Peer:
    """An ear and a mouth, which `close_ears` closes."""
    _ears.append(Peer())
    return _ears[-1]


def close_ears() -> None:
    while _ears:
        _ears.pop().close()


class Agent:
    """An agent's phone, with an ear of its own."""

    def __init__(self, story: Story, phone: Phone) -> None:
        self.story = story
        self.phone = phone
        self.peer = ear()

    async def is_rung(self) -> Request:
        """Wait for the queue's call."""
        return await eventually(f"{self.phone.user} is rung", lambda: self.phone.received("INVITE"))

    async def hears_tone(self, hertz: float, seconds: float = 0.3) -> None:
        what = f"{self.phone.user} hears {hertz:g} Hz"
        await eventually(what, lambda: seconds_of(self.peer.heard(), hertz) >= seconds)

    async def answers(self) -> None:
        """Ring, answer and hear."""
        request = await self.is_rung()
        self.phone.rings()
        self.peer.heed(request.body)
        self.phone.answers(body=self.peer.sdp())
        await eventually("the answer is acknowledged", lambda: self.phone.received("ACK"))
