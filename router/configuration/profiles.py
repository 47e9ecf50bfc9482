"""Compiles profiles: what they mean, say and offer, and where they send calls (P1 to P3, R9)."""

from __future__ import annotations

from typing import Final

from router.configuration.choices import roles_with_heirs
from router.configuration.compilation import Compilation
from router.configuration.findings import closest
from router.configuration.schema import ProfileSection
from router.configuration.targets import TargetBook
from router.model.decision import Reason
from router.policy.snapshot import Profile, ProfileKind, frozen_mapping

OFFERS: Final = ("message", "callback")
TRANSFER: Final = "transfer:"

_KINDS_IN_FRENCH: Final = {
    ProfileKind.AVAILABLE: "disponible",
    ProfileKind.BUSY_OTHER: "occupé ailleurs",
    ProfileKind.ABSENT: "absent",
}


def compile_profiles(compilation: Compilation, targets: TargetBook) -> dict[str, Profile]:
    """Return the profiles by name. The three kinds can be selected by their own names, too."""
    compiled = {
        kind.value: Profile(kind.value, kind, Reason("P2", kind.value, "", french, "profile"), french=french)
        for kind, french in _KINDS_IN_FRENCH.items()
    }
    for name, section in compilation.document.profiles.items():
        _check_offers(compilation, targets, name, section)
        _check_target(compilation, targets, name, section)
        french = in_french(compilation, section.says, name)
        mark = str(compilation.mark("profiles", name))
        compiled[name] = Profile(
            name,
            ProfileKind(section.kind),
            Reason(section.clause or "P2", name, mark, f"« {french} »", "profile"),
            frozen_mapping(section.says),
            tuple(section.offers),
            roles_with_heirs(compilation, name, section),
            section.ends_after,
            french,
        )
    return compiled


def in_french(compilation: Compilation, says: dict[str, str], otherwise: str) -> str:
    """Return what callers are told in French, which is how a profile is called there; else `otherwise`."""
    without_language = says.get("") if compilation.document.company.languages[:1] == ["fr"] else None
    return says.get("fr") or without_language or otherwise


def _check_offers(compilation: Compilation, targets: TargetBook, name: str, section: ProfileSection) -> None:
    """P3: each thing offered exists, and is offered once."""
    offered: set[str] = set()
    for index, offer in enumerate(section.offers):
        mark = compilation.mark("profiles", name, "offers", index)
        if offer in offered:
            compilation.error(mark, f"{offer!r} is offered twice", "name it once", "P3")
        elif offer.startswith(TRANSFER):
            targets.find(offer.removeprefix(TRANSFER).strip(), mark)
        elif offer not in OFFERS and not compilation.gaps.excuse(offer):
            suggestion = closest(offer, OFFERS) if offer not in targets else f"write {{transfer: {offer}}}"
            compilation.error(mark, f"{offer!r} is nothing that can be offered", suggestion, "P3")
        offered.add(offer)


def _check_target(compilation: Compilation, targets: TargetBook, name: str, section: ProfileSection) -> None:
    if section.then is None:
        return
    mark = compilation.mark("profiles", name, "then")
    targets.find(section.then, mark)
    if section.kind == "available" and not compilation.gaps.covers("profiles", name, "kind"):
        message = f"{name} lets calls through, so it has no target"
        compilation.error(mark, message, "take then: away, or write kind: busy_other or absent")
