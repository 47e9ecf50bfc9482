"""Compiles the codes that people dial (G1, P2, V1), and finds those that make dialling ambiguous."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from router.configuration.compilation import Compilation
from router.configuration.findings import Mark
from router.configuration.gaps import Location
from router.configuration.identities import company_shows
from router.configuration.mailboxes import members
from router.configuration.queues import queue_identity
from router.configuration.targets import OWN_MAILBOX
from router.model.decision import FeatureKind, Reason
from router.policy.codes import CODE_STARTS
from router.policy.emergency import PACKS
from router.policy.snapshot import Codes, FeatureCode, PerCallCode, Profile, frozen_mapping

_AGENT_CODES: Final = {
    "agent_in": FeatureKind.AGENT_IN,
    "agent_out": FeatureKind.AGENT_OUT,
    "agent_pause": FeatureKind.AGENT_PAUSE,
}


@dataclass(frozen=True, slots=True)
class _Written:
    """A code as it is written; `per_call`: a number follows it at once."""

    code: str
    what: str
    mark: Mark
    clause: str
    per_call: bool


def compile_codes(compilation: Compilation, profiles: Mapping[str, Profile]) -> Codes:
    """Return the codes; those that collide with one another, with an extension or with a number are findings."""
    _check(compilation)
    document = compilation.document
    per_call: dict[str, PerCallCode] = {}
    features: dict[str, FeatureCode] = {}
    codes = document.codes
    if codes.hide_number is not None:
        code = codes.hide_number
        reason = Reason(
            "G1",
            f"{code}: the number is withheld for this call",
            str(compilation.mark("codes", "hide_number")),
            f"{code} : le numéro est masqué pour cet appel",
            "code",
        )
        per_call[code] = PerCallCode(code, reason, hides=True)
    if codes.private is not None:
        code = codes.private
        reason = Reason(
            "X3",
            f"{code}: this call is private, and not recorded",
            str(compilation.mark("codes", "private")),
            f"{code} : cet appel est privé et n'est pas enregistré",
            "code",
        )
        per_call[code] = PerCallCode(code, reason, private=True)
    for code, rule in codes.show.items():
        location = ("codes", "show", code)
        reason = Reason(
            "G1",
            f"{code} chooses the number that is shown",
            str(compilation.mark(*location)),
            f"{code} choisit le numéro affiché",
            "code",
        )
        words = (f"{code}: this call shows", f"{code} : cet appel affiche")
        identity = company_shows(compilation, rule, "G1", *words, *location, label="code")
        per_call[code] = PerCallCode(code, reason, identity=identity)
    for name, section in document.profiles.items():
        if section.code is not None and name in profiles:
            source = str(compilation.mark("profiles", name, "code"))
            features[section.code] = FeatureCode(section.code, profiles[name], source)
    if codes.back is not None:
        features[codes.back] = FeatureCode(codes.back, None, str(compilation.mark("codes", "back")))
    features.update((feature.code, feature) for feature in _mailbox_codes(compilation))
    features.update((feature.code, feature) for feature in _agent_codes(compilation))
    per_call.update((code.code, code) for code in _queue_codes(compilation))
    return Codes(frozen_mapping(per_call), frozen_mapping(features))


def _mailbox_codes(compilation: Compilation) -> Iterator[FeatureCode]:
    document = compilation.document
    code = document.codes.mailbox
    if code is not None:
        mark = compilation.mark("codes", "mailbox")
        there_are_some = document.mailboxes or any(target.mailbox for target in document.targets.values())
        if not there_are_some and not compilation.gaps.covers("targets") and not compilation.gaps.covers("mailboxes"):
            message = f"{code} opens one of the router's own mailboxes, and there is none"
            compilation.error(mark, message, f'write targets: {{voicemail: {{mailbox: "{OWN_MAILBOX}"}}}}', "V1")
        yield FeatureCode(code, None, str(mark), OWN_MAILBOX)
    for name, section in document.mailboxes.items():
        if section.code is not None:
            source = str(compilation.mark("mailboxes", name, "code"))
            yield FeatureCode(section.code, None, source, name, section.name, members(document, section.people))


def _agent_codes(compilation: Compilation) -> Iterator[FeatureCode]:
    """Q10: by which agents say whether queues may ring them."""
    document = compilation.document
    agents = members(document, [name for queue in document.queues.values() for name in queue.agents])
    for key, kind in _AGENT_CODES.items():
        code: str | None = getattr(document.codes, key)
        if code is not None:
            yield FeatureCode(code, None, str(compilation.mark("codes", key)), people=agents, agent=kind)


def _queue_codes(compilation: Compilation) -> Iterator[PerCallCode]:
    """Q8, G1: calls that are made as an agent of a queue."""
    for name, section in compilation.document.queues.items():
        if section.code is not None:
            identity = queue_identity(compilation, name, section)
            code, source = section.code, str(compilation.mark("queues", name, "code"))
            reason = Reason(
                "Q8",
                f"{code}: this call is made as an agent of {section.name}",
                source,
                f"{code} : cet appel est passé au nom de {section.name}",
                "code",
            )
            yield PerCallCode(code, reason, identity=identity)


def _check(compilation: Compilation) -> None:
    written = list(_written(compilation))
    taken = list(_numbers(compilation))
    usable: list[_Written] = []
    for item in written:
        problem = _form_problem(item.code)
        same = next((what for number, what in taken if number == item.code), "")
        if same:
            compilation.error(item.mark, f"{item.code} is {same}", "choose another code", item.clause)
        elif problem:
            compilation.error(item.mark, problem, 'write a code such as "*21"', item.clause)
        else:
            usable.append(item)
    for first, second in combinations(usable, 2):
        shorter, longer = sorted((first, second), key=lambda item: len(item.code))
        if shorter.code == longer.code:
            message = f"{second.code} is already the code of {first.what} ({first.mark})"
            compilation.error(second.mark, message, "give each its own", second.clause)
        elif _hides(shorter, longer.code):
            message = (
                f"{longer.code} ({longer.what}) begins with {shorter.code} ({shorter.what}, {shorter.mark}): "
                "nobody can tell which of them is dialled"
            )
            compilation.error(longer.mark, message, "choose codes of which none begins another", longer.clause)
    for item in usable:
        for number, what in taken:
            if number != item.code and _hides(item, number):
                message = f"{number}, {what}, begins with the code {item.code} of {item.what}"
                compilation.error(item.mark, message, "choose another code", item.clause)


def _written(compilation: Compilation) -> Iterator[_Written]:
    document = compilation.document
    codes = document.codes
    for name, section in document.profiles.items():
        if section.code is not None:
            mark = compilation.mark("profiles", name, "code")
            yield _Written(section.code, f"profile {name}", mark, "P2", per_call=False)
    singles: list[tuple[str | None, str, str, bool]] = [
        (codes.back, "back", "P2", False),
        (codes.mailbox, "mailbox", "V1", False),
        (codes.agent_in, "agent_in", "Q10", False),
        (codes.agent_out, "agent_out", "Q10", False),
        (codes.agent_pause, "agent_pause", "Q10", False),
        (codes.hide_number, "hide_number", "G1", True),
        (codes.private, "private", "X3", True),
    ]
    for code, key, clause, per_call in singles:
        if code is not None:
            yield _Written(code, key, compilation.mark("codes", key), clause, per_call)
    for name, shared in document.mailboxes.items():
        if shared.code is not None:
            mark = compilation.mark("mailboxes", name, "code")
            yield _Written(shared.code, f"mailbox {name}", mark, "V1", per_call=False)
    for name, queue in document.queues.items():
        if queue.code is not None:
            mark = compilation.mark("queues", name, "code")
            yield _Written(queue.code, f"queue {name}", mark, "Q8", per_call=True)
    for code in codes.show:
        yield _Written(code, "show", compilation.mark("codes", "show", code), "G1", per_call=True)


def _numbers(compilation: Compilation) -> Iterator[tuple[str, str]]:
    """What else is dialled as it is, and what to call it."""
    document = compilation.document
    gaps = compilation.gaps
    if not gaps.covers("company", "country"):
        for number in PACKS[document.company.country].numbers:
            yield number, "an emergency number"
    for name, person in document.people.items():
        location: Location = ("people", name, "extension")
        if person.extension is not None and not gaps.covers(*location):
            yield person.extension, f"the extension of {name} ({compilation.mark(*location)})"
    for index, number in enumerate(document.company.short_numbers):
        yield number, f"a short number ({compilation.mark('company', 'short_numbers', index)})"


def _form_problem(code: str) -> str:
    if code[:1] not in CODE_STARTS:
        return f"the code {code!r} begins like a number, not with * or #"
    if not code.isascii() or code.strip("0123456789*#") or len(code) > 10:
        return f"the code {code!r} holds something else than digits, * and #, or is longer than ten"
    return ""


def _hides(item: _Written, dialled: str) -> bool:
    """Say whether `dialled` could be this code with something behind it: a number, or `*1530` and `#`."""
    rest = dialled.removeprefix(item.code)
    return len(rest) < len(dialled) and bool(rest) and (item.per_call or rest[0] in CODE_STARTS)
