"""Compiles the queues: where their callers go, who answers them, and what they hear (Q1 to Q17)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from router.configuration.compilation import Compilation
from router.configuration.findings import Mark, closest
from router.configuration.queue_sections import MaxWait, Music, QueueSection
from router.configuration.schema import Document, PersonSection
from router.configuration.shared_lines import SharedLines
from router.configuration.sources import Sources
from router.configuration.targets import QUEUE, TargetBook
from router.model.decision import DialNumber, JoinQueue, LeaveMessage, Outcome, Reason, Target
from router.model.queue import AgentRules, Member, QueueRules, Strategy
from router.model.queue_service import QueueService
from router.policy.schedule import Window
from router.policy.snapshot import SharedLine, ShownIdentity, Treatment, frozen_mapping

USUAL_MUSIC: Final = ("promenade", "quays", "canal")
USUAL_SCRIPT: Final = {
    "fr": "Bonjour et bienvenue à {company}, vous vous adressez à {agent}. En quoi puis-je vous aider ?",
    "en": "Hello and welcome to {company}, you are speaking to {agent}. How may I help you?",
}
REMOTE: Final = 1  # penalty of who answers by mobile alone
_MOBILE: Final = frozenset(("mobile", "private"))
_KEYS: Final = frozenset("0123456789*#")


class Queues(NamedTuple):
    """What the configuration says about queues.

    Args:
        services: by name. agents: everybody who is a member of one.
    """

    services: dict[str, QueueService]
    agents: tuple[AgentRules, ...]


# ----------------------------------------------------------------------------------------------- as the policy knows it


class QueueLines:
    """Compiles where calls to queues go: into the line, elsewhere outside the hours, elsewhere after waiting."""

    def __init__(
        self,
        compilation: Compilation,
        targets: TargetBook,
        hours: Mapping[str, tuple[Window, ...]],
        shared: SharedLines,
    ) -> None:
        self._compilation = compilation
        self._targets = targets
        self._hours = hours
        self._shared = shared

    def compile(self) -> dict[str, SharedLine]:
        """Return the queues by name; what is wrong with their numbers, hours and targets is a finding."""
        return {name: self._line(name, section) for name, section in self._compilation.document.queues.items()}

    def _line(self, name: str, section: QueueSection) -> SharedLine:
        number = section.number or ""
        self._check_number(name, section)
        mark = str(self._compilation.mark("queues", name))
        target, title = f"{QUEUE}{name}", section.name
        if section.hours is None:
            why = Reason("Q9", f"callers of {title} wait → {target}", mark, f"on attend {title} → {target}", "queue")
        else:
            why = Reason("Q11", f"{title} is open → {target}", mark, f"{title} est ouvert → {target}", "queue")
        windows = self._windows(name, section)
        return SharedLine(
            number,
            title,
            Treatment(JoinQueue(name, target), why, "unconditional"),
            queue_identity(self._compilation, name, section),
            windows,
            self._closed(name, section) if windows else None,
            self._shared.last_resort(number),
            target,
            frozen_mapping(self._after_waiting(name, section)),
        )

    def _check_number(self, name: str, section: QueueSection) -> None:
        compilation = self._compilation
        for number, location in ((section.number, ("number",)), (section.shows.number, ("shows", "number"))):
            mark = compilation.mark("queues", name, *location)
            if number is not None and not compilation.may_show(number):
                message = f"{number} is not a verified number of the company"
                compilation.error(mark, message, "list it below numbers:", "Q8")

    def _windows(self, name: str, section: QueueSection) -> tuple[Window, ...]:
        if section.hours is None:
            if section.closed is not None:
                mark = self._compilation.mark("queues", name, "closed")
                self._compilation.error(mark, f"{section.name} never closes", "add hours:, or take closed: away", "Q11")
            return ()
        if section.hours not in self._hours:
            where = self._compilation.mark("queues", name, "hours")
            self._compilation.unknown("set of hours", section.hours, where, "hours", self._hours, "Q11")
        return self._hours.get(section.hours, ())

    def _closed(self, name: str, section: QueueSection) -> Treatment | None:
        closed, title = section.closed, section.name
        if closed is None:
            mark = self._compilation.mark("queues", name, "hours")
            return self._treatment(name, section, "voicemail", mark, "Q12", _closed_words(title), "time-of-day")
        mark = self._compilation.mark("queues", name, "closed")
        ways = [way for way in (closed.then, closed.external, closed.voicemail) if way is not None]
        if len(ways) != 1:
            self._compilation.error(mark, "closed: goes to one thing", "write external:, voicemail: or a target", "Q12")
            return None
        english, french = _closed_words(title)
        if closed.external is not None:
            reason = Reason(
                "Q15", f"{english} → {closed.external}", str(mark), f"{french} → {closed.external}", "hours"
            )
            return Treatment(DialNumber(closed.external), reason, "time-of-day")
        if closed.voicemail is not None:
            target: Target = self._mailbox(closed.voicemail, mark)
            reason = Reason("Q12", f"{english} → {target}", str(mark), f"{french} → {target}", "hours")
            return Treatment(target, reason, "time-of-day")
        return self._treatment(name, section, ways[0], mark, "Q12", _closed_words(title), "time-of-day")

    def _after_waiting(self, name: str, section: QueueSection) -> dict[Outcome, Treatment]:
        """Where callers go whom nobody served, by how waiting ended."""
        title, found = section.name, {}
        if isinstance(section.max_wait, MaxWait):
            then, mark = section.max_wait.then, self._compilation.mark("queues", name, "max_wait")
            after = f"{section.max_wait.after:g} s"
        else:
            then, mark, after = "voicemail", self._compilation.mark("queues", name), ""
        ends: list[tuple[Outcome, str, tuple[str, str], str]] = [
            (
                Outcome.MAX_WAIT,
                "Q2",
                (f"waited {after} for {title}", f"{after} d'attente pour {title}"),
                "no-answer",
            ),
            (
                Outcome.NO_AGENT,
                "S3",
                (f"nobody is there to answer {title}", f"personne n'est là pour répondre au nom de {title}"),
                "unavailable",
            ),
            (
                Outcome.QUEUE_FULL,
                "S3",
                (f"too many wait for {title}", f"trop d'appels attendent {title}"),
                "user-busy",
            ),
        ]
        for outcome, clause, words, diversion in ends:
            treatment = self._treatment(name, section, then, mark, clause, words, diversion, "queue")
            if treatment is not None:
                found[outcome] = treatment
        left = self._message(name, section)
        if left is not None:
            found[Outcome.LEFT_QUEUE] = left
        return found

    def _message(self, name: str, section: QueueSection) -> Treatment | None:
        """Q5: where whoever presses the key leaves a message."""
        words = (
            f"the caller of {section.name} wants to leave a message",
            f"l'appelant de {section.name} laisse un message",
        )
        if section.mailbox is None:
            mark = self._compilation.mark("queues", name)
            return self._treatment(name, section, "voicemail", mark, "Q5", words, "unconditional", "queue")
        mark = self._compilation.mark("queues", name, "mailbox")
        target = self._mailbox(section.mailbox, mark)
        reason = Reason("Q5", f"{words[0]} → {target}", str(mark), f"{words[1]} → {target}", "queue")
        return Treatment(target, reason, "unconditional")

    def _mailbox(self, mailbox: str, mark: Mark) -> LeaveMessage:
        known = {*self._compilation.document.mailboxes, *self._compilation.document.people}
        if mailbox not in known:
            self._compilation.unknown("mailbox", mailbox, mark, "mailboxes", known, "Q12")
        return LeaveMessage(mailbox, mailbox)

    def _treatment(
        self,
        name: str,
        section: QueueSection,
        then: str,
        mark: Mark,
        clause: str,
        words: tuple[str, str],
        diversion: str,
        rule: str = "hours",
    ) -> Treatment | None:
        number = (section.number or section.shows.number or "")[1:]
        target = self._targets.find(then, mark, person=section.mailbox or "", extension=number)
        if target is None:
            return None
        english, french = words
        return Treatment(
            target, Reason(clause, f"{english} → {then}", str(mark), f"{french} → {then}", rule), diversion
        )


def queue_identity(compilation: Compilation, name: str, section: QueueSection) -> ShownIdentity:
    """Return what calls show that a queue forwards outside, and those made as its agent: its own number (Q15, G2), else
    the main number (Q8)."""
    number = section.shows.number or section.number or compilation.document.company.main_number
    title = section.shows.name or section.name
    mark = str(compilation.mark("queues", name))
    text = f"calls of {title} show {number}"
    french = f"les appels de {title} affichent le {number}"
    return ShownIdentity(number, title, (Reason("Q8", text, mark, french, "identity"),))


def _closed_words(title: str) -> tuple[str, str]:
    return f"{title} is closed", f"{title} est fermé"


# --------------------------------------------------------------------------------------- as callers and agents know it


def compile_queues(document: Document, sources: Sources) -> Queues:
    """Return the queues; what is wrong with them goes to the findings of `sources`."""
    compiler = _Services(document, sources)
    services = {name: compiler.service(name, section) for name, section in document.queues.items()}
    members = dict.fromkeys(member.agent for service in services.values() for member in service.rules.members)
    agents = tuple(AgentRules(agent, tuple(sorted(document.people[agent].skills.items()))) for agent in members)
    return Queues(services, agents)


class _Services:
    def __init__(self, document: Document, sources: Sources) -> None:
        self._document = document
        self._sources = sources

    def service(self, name: str, section: QueueSection) -> QueueService:
        wait = section.max_wait if isinstance(section.max_wait, MaxWait) else None
        if wait is not None and wait.notice >= wait.after:
            self._error("the notice comes before the end of the wait", "shorten it", name, "max_wait", "notice")
        rules = QueueRules(
            name,
            tuple(self._members(name, section)),
            Strategy(section.rings),
            ageing=section.priority.ages,
            max_length=section.max_length,
            max_wait=None if wait is None else wait.after,
            notice=0.0 if wait is None else wait.notice,
            limit_after_closing=wait is not None and wait.after_closing,
            unattended=section.unattended,
            announce_gap=section.announce_every,
            ring_for=section.ring_for,
            wrap_up=section.wrap_up,
            pause_after_missed=section.pause_after_missed,
        )
        self._check_keys(name, section)
        return QueueService(
            name,
            section.name,
            rules,
            tuple(self._first(name, section)),
            tuple(sorted(section.needs.items())),
            tuple(self._music(name, section)),
            self._sound(section.welcome, name, "welcome"),
            frozen_mapping(section.script or USUAL_SCRIPT),
            section.keys.message,
            section.keys.callback,
            section.whisper,
            self._kind("voicemail" if wait is None else wait.then),
        )

    def _members(self, name: str, section: QueueSection) -> Iterator[Member]:
        seen: set[str] = set()
        for index, written in enumerate(section.agents):
            found = list(self._people(written))
            known = written in self._document.people or written.removeprefix("role:") in self._document.roles
            if not found and not known and not self._sources.gaps.excuse(written.removeprefix("role:"), "people"):
                people = [*self._document.people, *(f"role:{role}" for role in self._document.roles)]
                self._error(f"{written!r} is nobody here", closest(written, people), name, "agents", index)
            for agent, person in found:
                if agent not in seen and person.left is None:
                    seen.add(agent)
                    remote = section.remote_agents == "last" and _is_remote(person)
                    yield Member(agent, REMOTE if remote else 0)

    def _people(self, written: str) -> Iterable[tuple[str, PersonSection]]:
        people = self._document.people
        if written.startswith("role:"):
            role = written.removeprefix("role:")
            return [(agent, person) for agent, person in people.items() if person.role == role]
        return [(written, people[written])] if written in people else []

    def _first(self, name: str, section: QueueSection) -> Iterator[str]:
        """Q16: numbers and prefixes, those of the files included."""
        for index, written in enumerate(section.priority.numbers):
            number = self._number(written)
            if number is None:
                self._error(f"{written!r} is no number", _NUMBER_FORM, name, "priority", "numbers", index, clause="Q16")
            else:
                yield number
        for index, file in enumerate(section.priority.files):
            text = self._sources.text(file, self._sources.mark("queues", name, "priority", "files", index)) or ""
            for line, row in enumerate(text.splitlines(), 1):
                written = row.partition("#")[0].strip()
                number = self._number(written) if written else None
                if number is not None:
                    yield number
                elif written:
                    self._sources.error(Mark(file, line), f"{written!r} is no number", _NUMBER_FORM, "Q16")

    def _number(self, written: str) -> str | None:
        number = written.replace(" ", "")
        digits = number.removesuffix("*")[1:]
        return number if number[:1] == "+" and digits.isascii() and digits.isdigit() else None

    def _music(self, name: str, section: QueueSection) -> Iterator[str]:
        if not section.music:
            yield from USUAL_MUSIC
        for index, piece in enumerate(section.music):
            if (piece.piece is None) == (piece.file is None):
                self._error("a piece is one that comes with the router, or a file", _MUSIC_FORM, name, "music", index)
            elif piece.piece is not None:
                yield piece.piece
            elif self._is_allowed(piece, name, index):
                yield self._sound(piece.file, name, "music", index)

    def _is_allowed(self, piece: Music, name: str, index: int) -> bool:
        """Q6: whoever plays a piece says that it is instrumental and under which licence."""
        missing = [
            word
            for word, there in (("licence:", piece.licence), ("instrumental: true", piece.instrumental))
            if not there
        ]
        if missing:
            message = f"{piece.file}: nothing says that it may be played here"
            self._error(
                message, f"add {' and '.join(missing)}, or play another piece", name, "music", index, clause="Q6"
            )
        return not missing

    def _sound(self, written: str | None, name: str, *key: str | int) -> str:
        if written is None or not written.endswith(".wav"):
            return written or ""
        path: Path = self._sources.directory.absolute() / written
        if not path.is_file():
            self._error(f"there is no file {written}", "put it beside this one", name, *key)
        return str(path)

    def _kind(self, then: str) -> str:
        target = self._document.targets.get(then)
        return "message" if target is not None and target.mailbox is not None else "transfer"

    def _check_keys(self, name: str, section: QueueSection) -> None:
        keys = section.keys
        for key, written in (("message", keys.message), ("callback", keys.callback)):
            if written and written not in _KEYS:
                self._error(f"{written!r} is no key", "write one of 0 to 9, * and #", name, "keys", key, clause="Q5")
        if keys.message and keys.message == keys.callback:
            self._error("one key cannot do both", "write another one", name, "keys", "callback", clause="Q5")

    def _error(self, message: str, suggestion: str, name: str, *key: str | int, clause: str = "") -> None:
        self._sources.error(self._sources.mark("queues", name, *key), message, suggestion, clause)


_NUMBER_FORM: Final = 'write it with "+" and country code; one that ends in * stands for all that begin so'
_MUSIC_FORM: Final = f"write one of {', '.join(USUAL_MUSIC)}, or file:, licence: and instrumental: true"


def _is_remote(person: PersonSection) -> bool:
    return bool(person.devices) and all(device.kind in _MOBILE for device in person.devices.values())
