"""Compiles within which limits people choose (R8), and for whom a profile is (R9)."""

from __future__ import annotations

from router.configuration.compilation import Compilation
from router.configuration.findings import closest
from router.configuration.roles import ResolvedRole
from router.configuration.schema import May, PersonSection, ProfileSection
from router.policy.snapshot import Choices, ProfileKind

FORWARD_WORDS = ("inside", "own_mobile", "outside")


def compile_choices(compilation: Compilation, person: str, section: PersonSection, role: ResolvedRole) -> Choices:
    """Return a person's limits: of each key what stands nearest, from the person to the role to what it inherits."""
    written = list(role.may)
    if section.may is not None:
        written.insert(0, (section.may, str(compilation.mark("people", person, "may"))))
    nearest: dict[str, tuple[May, str]] = {}
    for may, source in written:
        for key in may.model_fields_set:
            nearest.setdefault(key, (may, source))
    if not nearest:
        return Choices()
    profiles = nearest["profiles"][0].profiles if "profiles" in nearest else None
    forward_to = nearest["forward_to"][0].forward_to if "forward_to" in nearest else []
    return Choices(
        profiles=frozenset(profiles) if profiles is not None else None,
        inside="inside" in forward_to,
        outside="outside" in forward_to,
        own_mobile="own_mobile" in forward_to,
        targets=frozenset(forward_to).difference(FORWARD_WORDS),
        for_at_most=nearest["for_at_most"][0].for_at_most if "for_at_most" in nearest else None,
        source=written[0][1],
    )


def roles_with_heirs(compilation: Compilation, profile: str, section: ProfileSection) -> frozenset[str]:
    """Return the roles that a profile names together with those that inherit from them; empty where it names none."""
    roles = compilation.document.roles
    found: set[str] = set()
    for index, name in enumerate(section.roles):
        if name not in roles:
            compilation.unknown(
                "role", name, compilation.mark("profiles", profile, "roles", index), "roles", roles, "R9"
            )
        found.add(name)
    while heirs := {name for name, role in roles.items() if role.based_on in found} - found:
        found |= heirs
    return frozenset(found)


def check_choices(compilation: Compilation) -> None:
    """Find limits that name a profile or a target that does not exist."""
    document = compilation.document
    profiles = [*document.profiles, *(kind.value for kind in ProfileKind)]
    places: list[tuple[str, str, May | None]] = [("roles", name, role.may) for name, role in document.roles.items()]
    places.extend(("people", name, person.may) for name, person in document.people.items())
    for section, name, may in places:
        if may is None:
            continue
        for index, profile in enumerate(may.profiles or ()):
            if profile not in profiles:
                mark = compilation.mark(section, name, "may", "profiles", index)
                compilation.unknown("profile", profile, mark, "profiles", profiles, "R8")
        for index, word in enumerate(may.forward_to):
            if word not in FORWARD_WORDS and word not in document.targets:
                known = [*FORWARD_WORDS, *document.targets]
                if not compilation.gaps.excuse(word, "targets"):
                    mark = compilation.mark(section, name, "may", "forward_to", index)
                    compilation.error(mark, f"{word!r} is nothing to forward to", closest(word, known), "R8")
