"""Compiles in which order a person's devices ring."""

from __future__ import annotations

from router.configuration.compilation import Compilation
from router.configuration.peers import accounts_of
from router.configuration.schema import PersonSection
from router.model.decision import RingPerson


def compile_rings(compilation: Compilation, person: str, section: PersonSection) -> RingPerson:
    """Return what rings when this person is called; devices that `rings` does not name do not ring."""
    accounts = accounts_of(person, section)
    if section.rings is None:
        return RingPerson(person, tuple(accounts.values()))
    stages: dict[float, list[str]] = {}
    named: set[str] = set()
    for index, stage in enumerate(section.rings):
        mark = compilation.mark("people", person, "rings", index)
        if stage.device not in accounts:
            if not compilation.gaps.covers("people", person, "devices"):
                compilation.unknown("device", stage.device, mark, "devices", accounts, "F4")
        elif stage.device in named:
            compilation.error(mark, f"{stage.device} rings twice", "name each device once", "F4")
        else:
            stages.setdefault(stage.after, []).append(accounts[stage.device])
        named.add(stage.device)
    at_once = stages.pop(0.0, [])
    faulty = compilation.gaps.covers("people", person, "rings") or not named <= set(accounts)
    if not at_once and not faulty:
        mark = compilation.mark("people", person, "rings")
        compilation.error(mark, f"nothing rings at once for {section.name}", "write a device without a delay", "F4")
    later = tuple((after, tuple(stages[after])) for after in sorted(stages))
    return RingPerson(person, tuple(at_once), later)


def rings_in_words(section: PersonSection) -> tuple[str, str]:
    """Say in English and in French which devices ring when: "desk rings, gsm after 10 s"."""
    if section.rings is None:
        return "all their phones ring", "tous ses téléphones sonnent"
    at_once = [stage.device for stage in section.rings if not stage.after]
    later = sorted((stage for stage in section.rings if stage.after), key=lambda stage: stage.after)
    english = f"{' and '.join(at_once)} {'ring' if len(at_once) > 1 else 'rings'}"
    french = f"{' et '.join(at_once)} {'sonnent' if len(at_once) > 1 else 'sonne'}"
    for stage in later:
        english += f", {stage.device} after {stage.after:g} s"
        french += f", {stage.device} après {stage.after:g} s"
    return english, french
