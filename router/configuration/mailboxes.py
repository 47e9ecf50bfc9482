"""Compiles the mailboxes: everybody's own, and those that people share (V1, V2)."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from typing import Final, NamedTuple

from router.configuration.findings import Finding, Severity, closest
from router.configuration.operation import MailSection
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.configuration.targets import OWN_MAILBOX
from router.model.mailbox import PIN_PREFIX, Mailbox, MailServer, VoicemailRules

MIN_PIN_DIGITS: Final = 4
_PIN: Final = re.compile(rf"\d{{{MIN_PIN_DIGITS},10}}|{re.escape(PIN_PREFIX)}[0-9a-f]{{16,64}}:[0-9a-f]{{64}}")
_EMAIL: Final = re.compile(r"[^\s@<>,;\"\r\n]+@[^\s@<>,;\"\r\n]+")
_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_TRIVIAL: Final = frozenset({"1234", "0000", "1111", "4321", "12345", "123456"})


class Mailboxes(NamedTuple):
    """What the configuration says about mailboxes.

    Args:
        boxes: by name; none where no target is a mailbox and none is shared.
        rules: for all of them.
        server: who hands in e-mails, or None.
    """

    boxes: dict[str, Mailbox]
    rules: VoicemailRules
    server: MailServer | None


def compile_mailboxes(document: Document, sources: Sources) -> Mailboxes:
    """Return the mailboxes; what is wrong with them goes to the findings of `sources`."""
    compiler = _Compiler(document, sources)
    section = document.voicemail
    rules = VoicemailRules(
        section.keep_days, section.max_messages, section.max_total, section.max_length, section.silence
    )
    return Mailboxes(compiler.boxes(), rules, compiler.server())


def members(document: Document, names: Iterable[str]) -> frozenset[str]:
    """Return the ids of people who are named by id or by role; what names nobody is left out."""
    found: set[str] = set()
    for name in names:
        role = name.removeprefix("role:")
        if role != name:
            found.update(person for person, section in document.people.items() if section.role == role)
        elif name in document.people:
            found.add(name)
    return frozenset(found)


class _Compiler:
    def __init__(self, document: Document, sources: Sources) -> None:
        self._document = document
        self._sources = sources
        self._language = next((name for name in document.company.languages if name in ("fr", "en")), "en")

    def boxes(self) -> dict[str, Mailbox]:
        targets = {name: target.mailbox for name, target in self._document.targets.items() if target.mailbox}
        shared = self._shared()
        if not targets and not shared:
            return {}
        own = self._own()
        for name in own.keys() & shared.keys():
            where = self._sources.mark("people", name)
            self._error(f"{name!r} is a person already ({where}), who has a mailbox", "rename one", "mailboxes", name)
        boxes = {**own, **shared}
        main = self._document.company.main_number[1:]
        if OWN_MAILBOX in targets.values() and main not in boxes:
            # Where calls end that were for nobody in particular; nobody opens it unless the configuration says who.
            boxes[main] = Mailbox(main, self._document.company.name, language=self._language)
        for name, mailbox in targets.items():
            if mailbox != OWN_MAILBOX and mailbox not in boxes and not self._sources.gaps.excuse(mailbox, "mailboxes"):
                suggestion = closest(mailbox, boxes) or f'write "{OWN_MAILBOX}", or add it below mailboxes:'
                self._error(f"there is no mailbox {mailbox!r}", suggestion, "targets", name, "mailbox")
        return boxes

    def server(self) -> MailServer | None:
        section = self._document.voicemail.email
        if section is None:
            return None
        place = ("voicemail", "email")
        if _EMAIL.fullmatch(section.sender) is None and not self._sources.gaps.covers(*place, "from"):
            self._error(f"{section.sender!r} is no e-mail address", 'write "voicemail@example.com"', *place, "from")
        if (section.user is None) != (section.password_file is None):
            self._error("user and password_file belong together", "write both, or neither", *place)
        if section.user is not None and section.tls == "none":
            message = "the password crosses the network unprotected"
            mark = self._sources.mark(*place, "tls")
            self._sources.findings.append(Finding(mark, message, "write tls: starttls", Severity.WARNING))
        return MailServer(
            section.sender,
            section.server,
            section.port or _PORTS[section.tls],
            section.tls,
            section.user or "",
            self._text(section.password_file, "password_file").strip(),
            section.attach,
            self._certificates(section),
        )

    # ------------------------------------------------------------------------------------------------- in parts

    def _own(self) -> dict[str, Mailbox]:
        boxes: dict[str, Mailbox] = {}
        for name, person in self._document.people.items():
            # Who has left greets nobody any more; the successor hears what is still there (S5).
            here = person.left is None
            others = () if here or person.successor is None else (person.successor,)
            self._check_pin(person.pin, "people", name)
            told = self._document.voicemail.email is not None and person.email is not None and here
            if told:
                self._check_email(person.email or "", "people", name, "email")
            boxes[name] = Mailbox(
                name,
                person.name,
                name if here else None,
                frozenset((name, *others)),
                self._language,
                person.pin or "",
                (person.email,) if told and person.email else (),
            )
        return boxes

    def _shared(self) -> dict[str, Mailbox]:
        boxes: dict[str, Mailbox] = {}
        for name, section in self._document.mailboxes.items():
            self._check_pin(section.pin, "mailboxes", name)
            for index, address in enumerate(section.email):
                self._check_email(address, "mailboxes", name, "email", index)
            self._check_people(section.people, "mailboxes", name, "people")
            people = members(self._document, section.people)
            email = tuple(section.email)
            if email and self._document.voicemail.email is None:
                self._error(
                    "nothing says who hands in e-mails", "add voicemail: {email: …}", "mailboxes", name, "email"
                )
            boxes[name] = Mailbox(name, section.name, None, people, self._language, section.pin or "", email)
        return boxes

    def _check_people(self, names: Iterable[str], *location: str | int) -> None:
        document, gaps = self._document, self._sources.gaps
        for index, name in enumerate(names):
            kind, colon, role = name.partition(":")
            if (colon and kind == "role" and role in document.roles) or name in document.people:
                continue
            if not gaps.excuse(role if colon else name, "roles" if colon else "people"):
                known = [*document.people, *(f"role:{role}" for role in document.roles)]
                self._error(f"{name!r} is nobody here", closest(name, known), *location, index)

    def _check_pin(self, pin: str | None, *location: str | int) -> None:
        if pin is None:
            return
        if _PIN.fullmatch(pin) is None:
            self._error(
                f"a PIN has {MIN_PIN_DIGITS} to 10 digits",
                "or write what `renvoi pin` prints",
                *location,
                "pin",
            )
        elif pin in _TRIVIAL:
            mark = self._sources.mark(*location, "pin")
            self._sources.findings.append(
                Finding(mark, "everybody guesses this PIN", "choose another", Severity.WARNING)
            )

    def _check_email(self, email: str, *location: str | int) -> None:
        if _EMAIL.fullmatch(email) is None and not self._sources.gaps.covers(*location):
            self._error(f"{email!r} is no e-mail address", 'write "claire@example.com"', *location)

    def _text(self, name: str | None, key: str) -> str:
        if name is None:
            return ""
        return self._sources.text(name, self._sources.mark("voicemail", "email", key)) or ""

    def _certificates(self, section: MailSection) -> str:
        text = self._text(section.ca_file, "ca_file")
        if text:
            try:
                ssl.create_default_context(cadata=text)
            except (ssl.SSLError, ValueError):
                self._error("this holds no certificate", "write a PEM file", "voicemail", "email", "ca_file")
        return text

    def _error(self, message: str, suggestion: str, *location: str | int) -> None:
        self._sources.error(self._sources.mark(*location), message, suggestion, "V1")
