"""Which number the called party sees: the words that the sections on connections, roles, profiles and people share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from router.configuration.identities import rule_of
from router.configuration.schema import Shows
from router.document.author import Author
from router.model.decision import Connection

_CLAUSES: Final = {"personal_mobile": "R1", "team_number": "R5", "direct_number": "F1", "main_number": "M1"}


def rule_for(connection: Connection, levels: Iterable[Shows]) -> str | None:
    """Return the rule of the nearest level that says something about a kind of connection."""
    return next((rule for shows in levels if (rule := rule_of(shows, connection)) is not None), None)


def shown(author: Author, rule: str) -> str:
    """Name what a rule shows: "le numéro direct", "the team's number"."""
    match rule:
        case "direct_number":
            return author.say(fr="le numéro direct de la personne", en="the person's direct number")
        case "main_number":
            return author.say(fr="le numéro principal", en="the main number")
        case "personal_mobile":
            return author.say(
                fr="le numéro de portable personnel s'il est vérifié, sinon celui de la règle générale",
                en="the personal mobile number if it is verified, else the one of the general rule",
            )
        case "team_number":
            return author.say(fr="le numéro de l'équipe", en="the team's number")
    return author.say(fr=f"le {rule}", en=rule)


def clauses(rules: Iterable[str]) -> tuple[str, ...]:
    """Return the clauses that rules for the shown number keep, each once."""
    return tuple(dict.fromkeys(_CLAUSES[rule] for rule in rules if rule in _CLAUSES)) or ("G1",)


def connection_words(author: Author, connection: Connection) -> str:
    """Name a kind of connection, after "on"."""
    fr, en = {
        Connection.FIXED: ("une ligne fixe", "a fixed line"),
        Connection.MOBILE: ("un mobile", "a mobile"),
        Connection.SOFTPHONE: ("un softphone", "a softphone"),
        Connection.PRIVATE: ("un téléphone privé", "a private phone"),
    }[connection]
    return author.say(fr=fr, en=en)


def by_connection(author: Author, rules: dict[Connection, str]) -> str:
    """Say what is shown for each of these kinds of connection, those with the same rule together."""
    grouped: dict[str, list[Connection]] = {}
    for connection, rule in rules.items():
        grouped.setdefault(rule, []).append(connection)
    parts = []
    for rule, connections in grouped.items():
        if len(connections) == len(Connection):
            where = author.say(fr="quel que soit l'appareil", en="on whichever device")
        else:
            kinds = author.language.either(connection_words(author, connection) for connection in connections)
            where = author.say(fr=f"sur {kinds}", en=f"on {kinds}")
        parts.append(author.say(fr=f"{shown(author, rule)}, {where}", en=f"{shown(author, rule)}, {where}"))
    return author.language.series(parts)
