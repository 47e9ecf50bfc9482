"""Works out which number and name a person shows (M1 F1 R1 R5, G1): never one that is not the company's."""

from __future__ import annotations

from dataclasses import dataclass

from router.configuration.compilation import Compilation
from router.configuration.findings import closest
from router.configuration.roles import ResolvedRole
from router.configuration.schema import PersonSection, Shows, Team
from router.model.decision import Connection, Reason
from router.policy.snapshot import ShownIdentity

RULES = ("direct_number", "main_number", "personal_mobile", "team_number")

# What the policy says where neither the person nor the role does (F1, M1; S4 for private phones).
_USUAL = Shows(fixed="direct_number", softphone="direct_number", mobile="main_number", private="main_number")
_CONNECTION_WORDS = {
    Connection.FIXED: "a fixed line",
    Connection.MOBILE: "a mobile",
    Connection.SOFTPHONE: "a softphone",
    Connection.PRIVATE: "a private phone",
}
# A softphone follows the fixed line and a private phone the mobile, unless a rule names them.
_LIKE = {Connection.SOFTPHONE: Connection.FIXED, Connection.PRIVATE: Connection.MOBILE}


@dataclass(frozen=True, slots=True)
class _Candidate:
    rule: str
    number: str | None
    name: str
    problem: str  # "" where the number may be shown


def company_identity(compilation: Compilation) -> ShownIdentity:
    """Return the main number as identity; it must be owned and verified, since everything falls back to it."""
    company = compilation.document.company
    mark = compilation.mark("company", "main_number")
    if not compilation.may_show(company.main_number) and not compilation.gaps.covers("company", "main_number"):
        compilation.error(
            mark, "the main number is not a verified number of the company", "list it in numbers: with verified: true"
        )
    return ShownIdentity(company.main_number, company.name, (Reason("", "the company's main number", str(mark)),))


class Identities:
    """Identities of one person."""

    def __init__(
        self, compilation: Compilation, person: str, section: PersonSection, role: ResolvedRole, team: Team | None
    ) -> None:
        self._compilation = compilation
        self._person = person
        self._section = section
        self._team = team
        # G1: person before role before connection type (the usual rule).
        self._levels: list[tuple[Shows, str]] = []
        if section.shows is not None:
            self._levels.append((section.shows, str(compilation.mark("people", person, "shows"))))
        self._levels.extend(role.shows)
        self._levels.append((_USUAL, ""))

    def by_connection(self) -> dict[Connection, ShownIdentity]:
        """Return what is shown outside, for each kind of connection."""
        return {connection: self._shown(connection) for connection in Connection}

    def forwarding(self) -> ShownIdentity:
        """Return what is shown on a call that this person's rules forward outside."""
        direct = self._candidate("direct_number")
        shown = self._candidate("main_number") if direct.problem else direct
        text = f"a forwarded call shows the number of the one who forwards: {shown.number}"
        return ShownIdentity(shown.number, shown.name, (Reason("", text),))

    def emergency(self) -> ShownIdentity:
        """Return what emergency services see: the person's own number, so that they can call back."""
        for rule in ("direct_number", "personal_mobile", "team_number", "main_number"):
            candidate = self._candidate(rule)
            if candidate.number is not None and not candidate.problem:
                text = f"emergency services see {candidate.number}"
                return ShownIdentity(candidate.number, candidate.name, (Reason("G1", text),))
        return ShownIdentity(self._compilation.document.company.main_number, self._section.name)

    def inside(self) -> ShownIdentity:
        """Return what colleagues see."""
        section = self._section
        return ShownIdentity(section.extension or section.direct_number or section.mobile, section.name)

    def _shown(self, connection: Connection) -> ShownIdentity:
        rejected: list[Reason] = []
        tried: set[str] = set()
        for shows, source in self._levels:
            rule = getattr(shows, connection.value)
            if rule is None and connection in _LIKE:
                rule = getattr(shows, _LIKE[connection].value)
            if rule is None or rule in tried:
                continue
            tried.add(rule)
            candidate = self._candidate(rule)
            clause = _clause(rule, connection)
            words = f"{_CONNECTION_WORDS[connection]} shows {rule.replace('_', ' ')}"
            if candidate.problem:
                rejected.append(Reason(clause, f"{words}: {candidate.problem}", source))
                continue
            return ShownIdentity(candidate.number, candidate.name, (Reason(clause, words, source),), tuple(rejected))
        main = self._compilation.document.company
        reason = Reason("", f"fallback to the main number {main.main_number}")
        return ShownIdentity(main.main_number, main.name, (reason,), tuple(rejected))

    def _candidate(self, rule: str) -> _Candidate:
        section, company = self._section, self._compilation.document.company
        match rule:
            case "direct_number":
                number, name = section.direct_number, section.name
            case "personal_mobile":
                number, name = section.mobile, section.name
            case "main_number":
                number, name = company.main_number, company.name
            case "team_number":
                number, name = (self._team.number, self._team.name) if self._team else (None, "")
            case _:
                number, name = rule, company.name
        return _Candidate(rule, number, name, self._problem(rule, number))

    def _problem(self, rule: str, number: str | None) -> str:
        if number is None:
            return "there is none"
        owned = self._compilation.owned
        if not owned.owns(number):
            return f"{number} is not a number of the company"
        if not owned.may_show(number):
            return f"{number} is not verified"
        if rule == "personal_mobile" and self._compilation.holder(number) not in (None, self._person):
            return f"{number} is held by {self._compilation.holder(number)}"
        return ""


def check_shows(compilation: Compilation) -> None:
    """Find rules for the shown number that are neither a known word nor a number."""
    roles, people = compilation.document.roles, compilation.document.people
    places: list[tuple[str, str, Shows | None]] = [("roles", name, role.shows) for name, role in roles.items()]
    places.extend(("people", name, person.shows) for name, person in people.items())
    for section, name, shows in places:
        for connection, rule in (shows.model_dump() if shows else {}).items():
            if rule is None or rule in RULES:
                continue
            mark = compilation.mark(section, name, "shows", connection)
            if not rule.startswith("+"):
                compilation.error(mark, f"{rule!r} is nothing that can be shown", closest(rule, RULES))
            elif not compilation.may_show(rule):
                compilation.error(
                    mark, f"{rule} is not a verified number of the company", "list it below numbers:", clause="S4"
                )


def _clause(rule: str, connection: Connection) -> str:
    match rule:
        case "personal_mobile":
            return "R1"
        case "team_number":
            return "R5"
        case "direct_number":
            return "F1"
        case "main_number" if connection in (Connection.MOBILE, Connection.PRIVATE):
            return "M1"
    return ""
