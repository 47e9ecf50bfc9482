"""Works out which number and name a person shows (M1 F1 R1 R5, G1): never one that is not the company's.

The levels of G1, strongest first: emergency, the caller's choice for one call by code, the profile in force, the
person, the role, the kind of connection, the company. Everything here is worked out once, for each person; what depends
on the moment (the code dialled, the profile in force) is chosen among it when a call is decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from router.configuration.compilation import Compilation
from router.configuration.findings import closest
from router.configuration.gaps import Location
from router.configuration.roles import ResolvedRole
from router.configuration.schema import PersonSection, Shows, Team
from router.model.decision import Connection, Reason
from router.policy.snapshot import ShownIdentity

RULES = ("direct_number", "main_number", "personal_mobile", "team_number")

# What the policy says where neither the person nor the role does (F1, M1; S4 for private phones).
USUAL = Shows(fixed="direct_number", softphone="direct_number", mobile="main_number", private="main_number")
_CONNECTION_WORDS = {
    Connection.FIXED: ("a fixed line", "une ligne fixe"),
    Connection.MOBILE: ("a mobile", "un portable"),
    Connection.SOFTPHONE: ("a softphone", "un softphone"),
    Connection.PRIVATE: ("a private phone", "un téléphone privé"),
}
_RULE_WORDS = {
    "direct_number": ("direct number", "le numéro direct"),
    "main_number": ("main number", "le numéro principal"),
    "personal_mobile": ("personal mobile", "le numéro du portable personnel"),
    "team_number": ("team number", "le numéro de l'équipe"),
}
# A softphone follows the fixed line and a private phone the mobile, unless a rule names them.
_LIKE = {Connection.SOFTPHONE: Connection.FIXED, Connection.PRIVATE: Connection.MOBILE}


@dataclass(frozen=True, slots=True)
class _Level:
    """A level of G1 that says what is shown; `source` is "" where nobody wrote it."""

    name: str
    shows: Shows
    source: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A number that a rule names; `problem` in English and French, or None where the number may be shown."""

    number: str | None
    name: str
    problem: tuple[str, str] | None


def company_identity(compilation: Compilation) -> ShownIdentity:
    """Return what is shown where nothing else may be: `company.shows` where that is a number of the company's, else the
    main number, which must be owned and verified."""
    company = compilation.document.company
    mark = compilation.mark("company", "main_number")
    if not compilation.may_show(company.main_number) and not compilation.gaps.covers("company", "main_number"):
        compilation.error(
            mark, "the main number is not a verified number of the company", "list it in numbers: with verified: true"
        )
    if company.shows is not None:
        identity = company_shows(
            compilation, company.shows, "G1", "the company shows", "l'entreprise affiche", "company", "shows"
        )
        if isinstance(identity, ShownIdentity):
            return identity
    reason = Reason("", "the company's main number", str(mark), "le numéro principal de l'entreprise", "identity")
    return ShownIdentity(company.main_number, company.name, (reason,))


def company_shows(
    compilation: Compilation, rule: str, clause: str, text: str, french: str, *location: str, label: str = "identity"
) -> ShownIdentity | Reason:
    """Return what a rule written at `location` shows of a caller whom nobody knows: a number of the company's; or why
    not. `text` and `french` begin the reason."""
    company = compilation.document.company
    number = {"main_number": company.main_number}.get(rule, rule if rule.startswith("+") else None)
    problem = _problem(compilation, number)
    return _made(_Candidate(number, company.name, problem), rule, clause, (text, french), location, compilation, label)


class Identities:
    """Identities of one person."""

    def __init__(
        self, compilation: Compilation, person: str, section: PersonSection, role: ResolvedRole, team: Team | None
    ) -> None:
        self._compilation = compilation
        self._person = person
        self._section = section
        self._team = team
        document = compilation.document
        self._levels: list[_Level] = []
        if section.shows is not None:
            self._levels.append(_Level("person", section.shows, str(compilation.mark("people", person, "shows"))))
        self._levels.extend(_Level("role", shows, source) for shows, source in role.shows)
        # Those that are like others come first, so that their own line speaks for them.
        for connection in sorted(Connection, key=lambda connection: connection not in _LIKE):
            rule = getattr(document.connections, connection.value)
            if rule is not None:
                source = str(compilation.mark("connections", connection.value))
                self._levels.append(_Level("connection", Shows(**{connection.value: rule}), source))
        self._levels.append(_Level("usual", USUAL, ""))
        if document.company.shows is not None:
            everywhere = Shows(**{connection.value: document.company.shows for connection in Connection})
            self._levels.append(_Level("company", everywhere, str(compilation.mark("company", "shows"))))
        self._candidates: dict[str, _Candidate] = {}

    def by_connection(self) -> dict[Connection, ShownIdentity]:
        """Return what is shown outside, for each kind of connection."""
        return {connection: self._shown(connection) for connection in Connection}

    def by_profile(self) -> dict[str, dict[Connection, ShownIdentity | Reason]]:
        """Return what is shown outside while a profile is in force that shows its own number (P4), or why not."""
        shown: dict[str, dict[Connection, ShownIdentity | Reason]] = {}
        for name, profile in self._compilation.document.profiles.items():
            if profile.shows is None:
                continue
            own = shown[name] = {}
            location = ("profiles", name, "shows")
            for connection in Connection:
                rule = rule_of(profile.shows, connection)
                if rule is not None:
                    words = (f"{name} shows", f"le profil « {name} » affiche")
                    own[connection] = self._named(rule, "P4", words, location, "identity")
        return shown

    def by_code(self) -> dict[str, ShownIdentity | Reason]:
        """Return what each code shows that is dialled before a number (G1), or why it may not be shown."""
        return {
            code: self._named(
                rule, "G1", (f"{code}: this call shows", f"{code} : cet appel affiche"), ("codes", "show", code), "code"
            )
            for code, rule in self._compilation.document.codes.show.items()
        }

    def forwarding(self) -> ShownIdentity:
        """Return what is shown on a call that this person's rules forward outside."""
        direct = self._candidate("direct_number")
        shown = self._candidate("main_number") if direct.problem else direct
        text = f"a forwarded call shows the number of the one who forwards: {shown.number}"
        french = f"un appel renvoyé affiche le numéro de la personne qui renvoie : {shown.number}"
        return ShownIdentity(shown.number, shown.name, (Reason("", text, "", french, "identity"),))

    def emergency(self) -> ShownIdentity:
        """Return what emergency services see: the person's own number, so that they can call back."""
        # A team may be spread over sites; a site's main number says where the person is.
        shared = ("main_number", "team_number") if self._section.site else ("team_number", "main_number")
        for rule in ("direct_number", "personal_mobile", *shared):
            candidate = self._candidate(rule)
            if candidate.number is not None and not candidate.problem:
                text = f"emergency services see {candidate.number}"
                french = f"les services d'urgence voient le {candidate.number}"
                reason = Reason("G1", text, "", french, "identity")
                return ShownIdentity(candidate.number, candidate.name, (reason,))
        return ShownIdentity(self._compilation.document.company.main_number, self._section.name)

    def inside(self) -> ShownIdentity:
        """Return what colleagues see."""
        section = self._section
        return ShownIdentity(section.extension or section.direct_number or section.mobile, section.name)

    def _shown(self, connection: Connection) -> ShownIdentity:
        rejected: list[Reason] = []
        tried: set[str] = set()
        levels = iter(self._levels)
        for level in levels:
            rule = rule_of(level.shows, connection)
            if rule is None or rule in tried:
                continue
            tried.add(rule)
            candidate = self._candidate(rule)
            reason = _reason(rule, connection, level.source, candidate.problem)
            if candidate.problem:
                rejected.append(reason)
                continue
            weaker = tuple(self._outranked(levels, level, connection, candidate))
            return ShownIdentity(candidate.number, candidate.name, (reason,), tuple(rejected), weaker)
        number, name = self._main_number()
        text, french = f"fallback to the main number {number}", f"à défaut, le numéro principal {number}"
        return ShownIdentity(number, name, (Reason("", text, "", french, "identity"),), tuple(rejected))

    def _outranked(
        self, levels: Iterator[_Level], winner: _Level, connection: Connection, shown: _Candidate
    ) -> Iterator[Reason]:
        """What weaker levels say that somebody wrote down, the nearest of each, where it is another number."""
        heard = {winner.name}
        for level in levels:
            rule = rule_of(level.shows, connection)
            if rule is None or not level.source or level.name in heard:
                continue
            heard.add(level.name)
            candidate = self._candidate(rule)
            if not candidate.problem and candidate.number != shown.number:
                yield _reason(rule, connection, level.source, None)

    def _named(
        self, rule: str, clause: str, words: tuple[str, str], location: Location, label: str
    ) -> ShownIdentity | Reason:
        return _made(self._candidate(rule), rule, clause, words, location, self._compilation, label)

    def _candidate(self, rule: str) -> _Candidate:
        candidate = self._candidates.get(rule)
        if candidate is None:
            candidate = self._candidates[rule] = self._work_out(rule)
        return candidate

    def _work_out(self, rule: str) -> _Candidate:
        section, company = self._section, self._compilation.document.company
        match rule:
            case "direct_number":
                number, name = section.direct_number, section.name
            case "personal_mobile":
                number, name = section.mobile, section.name
            case "main_number":
                number, name = self._main_number()
            case "team_number":
                number, name = (self._team.number, self._team.name) if self._team else (None, "")
            case _:
                number, name = rule, company.name
        problem = _problem(self._compilation, number)
        if problem is None and rule == "personal_mobile" and number is not None:
            holder = self._compilation.holder(number)
            if holder not in (None, self._person):
                problem = (f"{number} is held by {holder}", f"le {number} est attribué à {holder}")
        return _Candidate(number, name, problem)

    def _main_number(self) -> tuple[str, str]:
        """Return number and name of the site where the person works, where it may be shown; else the company's."""
        document = self._compilation.document
        site = document.sites.get(self._section.site or "")
        if site is not None and self._compilation.may_show(site.main_number):
            return site.main_number, site.name
        return document.company.main_number, document.company.name


def check_shows(compilation: Compilation) -> None:
    """Find rules for the shown number that are neither a known word nor a number that may be shown."""
    for rule, location in _written_rules(compilation):
        if rule in RULES:
            continue
        mark = compilation.mark(*location)
        if not rule.startswith("+"):
            compilation.error(mark, f"{rule!r} is nothing that can be shown", closest(rule, RULES))
        elif not compilation.may_show(rule):
            compilation.error(
                mark, f"{rule} is not a verified number of the company", "list it below numbers:", clause="S4"
            )


def _written_rules(compilation: Compilation) -> Iterator[tuple[str, Location]]:
    """Every rule for the shown number, with its place."""
    document = compilation.document
    places: list[tuple[Location, Shows | None]] = [(("connections",), document.connections)]
    places.extend((("roles", name, "shows"), role.shows) for name, role in document.roles.items())
    places.extend((("profiles", name, "shows"), profile.shows) for name, profile in document.profiles.items())
    places.extend((("people", name, "shows"), person.shows) for name, person in document.people.items())
    for location, shows in places:
        for connection in Connection if shows is not None else ():
            rule: str | None = getattr(shows, connection.value)
            if rule is not None:
                yield rule, (*location, connection.value)
    if document.company.shows is not None:
        yield document.company.shows, ("company", "shows")
    for code, rule in document.codes.show.items():
        yield rule, ("codes", "show", code)


def rule_of(shows: Shows, connection: Connection) -> str | None:
    """Return the rule that one level has for a kind of connection, or None."""
    rule: str | None = getattr(shows, connection.value)
    if rule is None and connection in _LIKE:
        rule = getattr(shows, _LIKE[connection].value)
    return rule


def _problem(compilation: Compilation, number: str | None) -> tuple[str, str] | None:
    if number is None:
        return "there is none", "il n'y en a pas"
    owned = compilation.owned
    if not owned.owns(number):
        return f"{number} is not a number of the company", f"le {number} n'est pas un numéro de l'entreprise"
    if not owned.may_show(number):
        return f"{number} is not verified", f"le {number} n'est pas vérifié"
    return None


def _words(rule: str) -> tuple[str, str]:
    return _RULE_WORDS.get(rule, (rule, f"le {rule}"))


def _reason(rule: str, connection: Connection, source: str, problem: tuple[str, str] | None) -> Reason:
    """Say that a kind of connection shows what a rule names, or why it does not."""
    (who, qui), (what, quoi) = _CONNECTION_WORDS[connection], _words(rule)
    text, french = f"{who} shows {what}", f"{qui} affiche {quoi}"
    if problem:
        text, french = f"{text}: {problem[0]}", f"{french} : {problem[1]}"
    return Reason(_clause(rule, connection), text, source, french, "identity")


def _made(
    candidate: _Candidate,
    rule: str,
    clause: str,
    words: tuple[str, str],
    location: Location,
    compilation: Compilation,
    label: str,
) -> ShownIdentity | Reason:
    """Return the identity of a candidate that a profile or a code names, or why it may not be shown."""
    (text, french), (what, quoi), source = words, _words(rule), str(compilation.mark(*location))
    if candidate.problem is None:
        reason = Reason(clause, f"{text} {what}", source, f"{french} {quoi}", label)
        return ShownIdentity(candidate.number, candidate.name, (reason,))
    why, pourquoi = candidate.problem
    return Reason(clause, f"{text} {what}: {why}", source, f"{french} {quoi} : {pourquoi}", label)


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
