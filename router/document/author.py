"""What every section is written with: the configuration, the language, and names for what the rules refer to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from router.configuration.compilation import Compilation
from router.configuration.load import Loaded
from router.configuration.roles import resolve_roles
from router.configuration.schema import CalendarSection, Condition, HoursWindow, PersonSection
from router.configuration.values import Days
from router.document.language import Language
from router.document.policy_document import Paragraph
from router.policy.schedule import MINUTES_PER_DAY, clock

_ROLE: Final = "role:"
_QUEUE: Final = "queue:"
_MENU: Final = "menu:"


class Author:
    """Reads one configuration in one language at one moment.

    Attributes:
        document: what is written in the configuration; policy: what it compiles to.
        roles: with everything they inherit.
        language, say: of the document.
        written_at: the moment in the company's time zone; whatever ends is judged by its day.
        hash: of the configuration.
    """

    def __init__(self, loaded: Loaded, language: Language, now: float) -> None:
        self.document = loaded.document
        self.policy = loaded.configuration.policy
        self._directory = loaded.configuration.directory
        self.hash = loaded.configuration.hash
        zone = ZoneInfo(self.document.company.time_zone)
        self.roles = resolve_roles(Compilation(self.document, loaded.sources, zone))
        self.language = language
        self.say = language.say
        self.written_at = datetime.fromtimestamp(now, zone)

    def silent_about(self, id: str, *, fr: str, en: str) -> Paragraph:
        """Say that nothing is laid down about a subject, which is named as in "about the recording of calls"."""
        text = self.say(fr=f"Rien n'est fixé à ce jour {fr}.", en=f"So far nothing is laid down about {en}.")
        return Paragraph(id, text)

    def columns(self, *, fr: str, en: str) -> tuple[str, ...]:
        """Return the heads of a table's columns, which "|" parts."""
        return tuple(self.say(fr=fr, en=en).split("|"))

    def person(self, name: str) -> str:
        """Name a person by their id; what is nobody's id stays as it is written."""
        section = self.document.people.get(name)
        return section.name if section is not None else name

    def people_and_roles(self, names: Iterable[str]) -> str:
        """Name people by their ids, and everybody of a role by "role:sales"."""
        return self.language.also(
            self.role(name.removeprefix(_ROLE)) if name.startswith(_ROLE) else self.person(name) for name in names
        )

    def role(self, name: str) -> str:
        """Name a role."""
        return self.say(fr=f"le rôle {self.language.quoted(spoken(name))}", en=f"the role {self.quoted(name)}")

    def quoted(self, name: str) -> str:
        """Quote a name of the configuration: « gone for the day »."""
        return self.language.quoted(spoken(name))

    def target(self, name: str) -> str:
        """Name where a call can go: a target, a person or a number."""
        teams = self.document.teams
        match name:
            case "voicemail":
                return self.say(fr="la boîte vocale", en="voicemail")
            case "reception":
                return self.say(fr="la réception", en="reception")
        if name.startswith(_QUEUE):
            queue = name.removeprefix(_QUEUE)
            known = self.document.queues.get(queue) or teams.get(queue)
            title = self.language.quoted(spoken(queue) if known is None else known.name)
            return self.say(fr=f"la file d'attente {title}", en=f"the queue {title}")
        if name.startswith(_MENU):
            title = self.quoted(name.removeprefix(_MENU))
            return self.say(fr=f"le menu {title}", en=f"the menu {title}")
        if name in self.document.targets:
            return self.quoted(name)
        if name in self.document.people:
            return self.person(name)
        return self.say(fr=f"le {name}", en=name) if name.startswith("+") else name

    def goes_to(self, condition: Condition | str) -> str:
        """Say where a call goes, as a sentence."""
        name = condition if isinstance(condition, str) else condition.then
        target = self.target(name)
        return self.say(fr=f"l'appel est renvoyé vers {target}.", en=f"the call is forwarded to {target}.")

    def until(self, day: date) -> str:
        """Say until when an exception holds, that day included."""
        words = self.language.day(day)
        if day < self.written_at.date():
            return self.say(fr=f"jusqu'au {words} (échue, sans effet)", en=f"until {words} (expired, without effect)")
        return self.say(fr=f"jusqu'au {words}", en=f"until {words}")

    def messages(self, says: dict[str, str]) -> str:
        """Quote a message in each of its languages."""
        quoted = []
        for code, words in says.items():
            language = self.in_language(code)
            quoted.append(self.language.quoted(words) + (f" ({language})" if language else ""))
        return self.language.also(quoted)

    def spoken_here(self, says: dict[str, str]) -> str:
        """Return words in the document's language where they are given, else in whichever they are; "" for none."""
        for code in (self.language.code, ""):
            if code in says:
                return says[code]
        return next(iter(says.values()), "")

    def calendar(self, name: str) -> str:
        """Say which days a calendar has; by name where single dates make it long (`calendar_in_full` lists them)."""
        section = self.document.calendars[name]
        if has_dates(section):
            return self.say(fr=f"les jours de {self.quoted(name)}", en=f"on the days of {self.quoted(name)}")
        return self.calendar_in_full(name)

    def calendar_in_full(self, name: str) -> str:
        """Say which days a calendar has: "du lundi au vendredi, sauf les jours fériés"."""
        section = self.document.calendars[name]
        days = self._days(section.days)
        without = self._days(section.without) if section.without is not None else ""
        return days + (self.say(fr=f", sauf {without}", en=f", except {without}") if without else "")

    def window(self, window: HoursWindow) -> str:
        """Say when a window is open: its days, then its time."""
        return f"{self.calendar(window.calendar)}, {self._times(window.start, window.end)}"

    def present(self) -> dict[str, PersonSection]:
        """Return people by id without those who have left."""
        today = self.written_at.date()
        return {
            name: section
            for name, section in self.document.people.items()
            if section.left is None or section.left >= today
        }

    def entries(self, name: str) -> int:
        """Count the entries of a file of prefixes, one a line; 0 where it cannot be read any more."""
        try:
            text = (self._directory / name).read_text(errors="replace")
        except OSError:
            return 0
        return sum(1 for line in text.splitlines() if line.partition("#")[0].strip())

    def _days(self, days: Days) -> str:
        words = [self.language.weekdays(days.weekdays)] if days.weekdays else []
        if days.public_holidays:
            words.append(self.say(fr="les jours fériés", en="public holidays"))
        if days.dates:
            words.append(self.language.dates(days.dates))
        return self.language.also(words)

    def _times(self, start: int, end: int) -> str:
        if start == 0 and end == MINUTES_PER_DAY:
            return self.say(fr="toute la journée", en="all day")
        if start < end:
            return self.say(fr=f"de {clock(start)} à {clock(end)}", en=f"from {clock(start)} to {clock(end)}")
        following = self.say(fr="le lendemain", en="the next day")
        return self.say(
            fr=f"de {clock(start)} à {clock(end)} {following}", en=f"from {clock(start)} to {clock(end)} {following}"
        )

    def in_language(self, code: str) -> str:
        """Say in which language something is: "in French"; its code where it has no name here."""
        names = {
            "fr": ("en français", "in French"),
            "en": ("en anglais", "in English"),
            "nl": ("en néerlandais", "in Dutch"),
            "de": ("en allemand", "in German"),
        }
        fr, en = names.get(code, (code, code))
        return self.say(fr=fr, en=en)


def has_dates(section: CalendarSection) -> bool:
    """Say whether a calendar names single dates."""
    return bool(section.days.dates or (section.without is not None and section.without.dates))


def spoken(name: str) -> str:
    """Return a name of the configuration as people say it: "gone for the day" for "gone_for_the_day"."""
    return name.replace("_", " ")
