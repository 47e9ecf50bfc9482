"""The router's own sound: the media engine's process, what speaks to callers through it, and what relays calls."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import structlog

from router.calls.attendant import Attendant
from router.calls.voice import Voice
from router.configuration import Configuration
from router.media.client import Engine
from router.media.figures import Figures
from router.media.relay import EngineRelay
from router.media.rtpengine import Rtpengines
from router.media.shielded import ShieldedEngine
from router.model.sound import MediaSettings, MediaWay
from router.ports import EngineError, MailboxStore
from router.prompts.catalogue import LANGUAGES, language
from router.prompts.espeak import Espeak
from router.prompts.recordings import OwnRecordings
from router.prompts.wav import BadRecording

_log = structlog.get_logger("router.app")


class Sound:
    """Gives the attendant what it speaks with, as far as the configuration wants it to speak.

    Args:
        flush: sends what scripts put into the SIP stack.
    """

    def __init__(self, attendant: Attendant, mailboxes: MailboxStore, flush: Callable[[], None]) -> None:
        self._attendant = attendant
        self._settings: MediaSettings | None = None
        self._synthesiser: Espeak | None = None
        self.engine: Engine | None = None
        self.figures = Figures()
        self.rtpengines = Rtpengines(_rtpengine_changed)
        attendant.exchange.relays.by_way[MediaWay.RTPENGINE] = self.rtpengines
        attendant.mailboxes = mailboxes
        attendant.now = time.monotonic
        attendant.flush = flush
        attendant.complain = _complain

    async def start(self, configuration: Configuration) -> None:
        """Start the engine, where one is needed. Without one calls go on, and mailboxes count as unreachable."""
        self._speak_as(configuration)
        self._relay_as(configuration)
        await self.rtpengines.follow(configuration.rtpengine)
        if configuration.media is not None:
            await self._start_engine(configuration.media)

    def follow(self, configuration: Configuration) -> None:
        """Go by another configuration from the next call on. An engine that runs stays as it is."""
        self._speak_as(configuration)
        self._relay_as(configuration)
        self._attendant.start(self.rtpengines.follow(configuration.rtpengine))
        if self.engine is None and configuration.media is not None:
            self._attendant.start(self._start_engine(configuration.media))
        elif configuration.media not in (self._settings, None):
            _log.warning("media settings change only at a restart")

    def _speak_as(self, configuration: Configuration) -> None:
        attendant = self._attendant
        attendant.rules = configuration.voicemail
        attendant.boxes = configuration.mailboxes
        code = next((code for code in configuration.languages if code in LANGUAGES), LANGUAGES[0])
        if configuration.recordings is not None:
            attendant.start(_check(configuration.recordings))
        if self._synthesiser is None:
            synthesiser = Espeak(configuration.data_directory / "sounds" / "spoken")
            self._synthesiser = synthesiser if synthesiser.installed else None
        attendant.voices = {
            spoken: Voice(
                language(spoken, configuration.country),
                configuration.company_name,
                configuration.data_directory / "sounds",
                configuration.recordings,
                self._synthesiser,
            )
            for spoken in LANGUAGES
        }
        attendant.voice = attendant.voices[code]

    def _relay_as(self, configuration: Configuration) -> None:
        exchange = self._attendant.exchange
        exchange.relays.falls_back = configuration.relaying.falls_back
        exchange.directory.way = configuration.relaying.way

    async def _start_engine(self, settings: MediaSettings) -> None:
        self._settings = settings
        self.engine = Engine(
            settings.hosts,
            first_port=settings.first_port,
            last_port=settings.last_port,
            died=_died,
            figures=self.figures,
        )
        self._attendant.engine = self.engine
        self._attendant.shielded = ShieldedEngine(self.engine, self.rtpengines)
        relays = self._attendant.exchange.relays
        relays.by_way[MediaWay.RELAY] = relays.sessions = EngineRelay(self.engine, settings.hosts)
        try:
            await self.engine.start()
        except EngineError as error:
            _log.error("the media engine does not start: nobody can leave a message", fault=str(error))

    def checks(self) -> dict[str, bool]:
        """What `/readyz` says of relays: whether any rtpengine answers, where there are some."""
        return {"rtpengine": self.rtpengines.ready} if self.rtpengines.up else {}

    async def stop(self) -> None:
        """Wait until what callers said is saved, and end the engine. Their calls are over already."""
        await self._attendant.settled()
        await self.rtpengines.stop()
        if self.engine is not None:
            await self.engine.stop()


def _complain(script: str, error: BaseException) -> None:
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f"{Path(place[0].filename).name}:{place[0].lineno}" if place else ""
    _log.error("a caller could not be served", script=script, fault=f"{type(error).__name__}: {error}", where=where)


async def _check(recordings: Path) -> None:
    """Report a recording of the company's that cannot be played; each of them is read, which takes its time."""
    try:
        await asyncio.to_thread(OwnRecordings, recordings)
    except (BadRecording, OSError) as error:
        _log.error("one of the company's recordings cannot be played", fault=str(error))


def _rtpengine_changed(name: str, up: bool, why: str) -> None:
    if up:
        _log.info("rtpengine answers", address=name)
    else:
        _log.error("rtpengine does not answer; no call is given to it until it does", address=name, fault=why)


def _died(delay: float) -> None:
    _log.error("the media engine died; it is started again", after_seconds=delay)
