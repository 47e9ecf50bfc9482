"""Compiles people: the rules of their role, worked out for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from router.configuration.caller_exceptions import CallerExceptionBook
from router.configuration.choices import compile_choices
from router.configuration.compilation import Compilation
from router.configuration.identities import Identities
from router.configuration.peers import end_of_exception
from router.configuration.rings import rings_in_words
from router.configuration.roles import (
    USUAL_NO_ANSWER,
    ResolvedRole,
    override,
    unknown_role,
    usual_clause,
    wording,
)
from router.configuration.schedules import compile_times
from router.configuration.schema import PersonSection, Team
from router.configuration.targets import TargetBook
from router.model.decision import Connection, DialAddress, LineState, Outcome, Reason, RingPerson
from router.policy.schedule import Calendar, Window
from router.policy.snapshot import Person, Profile, ProfileKind, Treatment, frozen_mapping
from router.sip.uri import bracketed

_NO_TARGETS: Mapping[str, tuple[Treatment, Treatment]] = frozen_mapping({})

# RFC 5806's words for the diversion that a condition causes.
_DIVERSIONS = {
    "on_call": "user-busy",
    "busy_other": "away",
    "absent": "away",
    "no_answer": "no-answer",
    "unreachable": "unavailable",
    "rejected": "user-busy",
}


class People:
    """Compiles people one after the other."""

    def __init__(
        self,
        compilation: Compilation,
        roles: dict[str, ResolvedRole],
        targets: TargetBook,
        calendars: Mapping[str, Calendar],
        hours: Mapping[str, tuple[Window, ...]],
        profiles: Mapping[str, Profile],
    ) -> None:
        self._compilation = compilation
        self._roles = roles
        self._targets = targets
        self._with_target = [
            profile
            for name, profile in profiles.items()
            if profile.kind is not ProfileKind.AVAILABLE
            and name in compilation.document.profiles
            and compilation.document.profiles[name].then is not None
        ]
        self._exceptions = CallerExceptionBook(compilation, targets)
        self._times = {
            name: compile_times(compilation, role, calendars, hours, profiles) for name, role in roles.items()
        }
        # Rules that nobody has yet, or that every role replaces, are checked too.
        for condition, rule in compilation.document.company.when:
            if rule is not None:
                targets.find(rule.then, compilation.mark("company", "when", condition))
        for role in roles.values():
            for written in role.when.values():
                targets.find(written.condition.then, written.mark)

    def compile(self) -> dict[str, Person]:
        """Return everybody by id; what is wrong is a finding, and the person is left out."""
        compiled = {}
        for name, section in self._compilation.document.people.items():
            person = self._person(name, section)
            if person is not None:
                compiled[name] = person
        return compiled

    def _person(self, name: str, section: PersonSection) -> Person | None:
        compilation = self._compilation
        role = self._roles.get(section.role)
        if role is None:
            mark = compilation.mark("people", name, "role")
            compilation.unknown("role", section.role, mark, "roles", self._roles, "S1")
            compilation.gaps.add("people", name, "role")
            role = unknown_role(section.role, compilation)
        team = self._team(name, section, role)
        self._check_numbers(name, section)
        sites = compilation.document.sites
        if section.site is not None and section.site not in sites:
            compilation.unknown("site", section.site, compilation.mark("people", name, "site"), "sites", sites)
        identities = Identities(compilation, name, section, role, team)
        when = override(compilation, role, section.when, "people", name, "when")
        mobile = _is_mobile(section)

        here = str(compilation.mark("people", name))

        treatments: dict[str, Treatment] = {}
        for condition, written in when.items():
            extension = section.extension or ""
            target = self._targets.find(written.condition.then, written.mark, person=name, extension=extension)
            if target is not None:
                clause = usual_clause(condition, written.condition, mobile=mobile, technical=role.shows_team)
                treatments[condition] = Treatment(target, wording(condition, written, clause), _DIVERSIONS[condition])
        phone = self._phone(name, section)
        departed = self._departed(name, section) if section.left else None
        last_resort = self._last_resort(name, section)
        if len(treatments) < len(when) or role.name not in self._roles:
            return None
        without_phone = None
        if phone is None:
            text = f"{section.name} has no phone → {when['unreachable'].condition.then}"
            french = f"{section.name} n'a pas de téléphone → {when['unreachable'].condition.then}"
            reason = Reason("F5", text, here, french, "phone")
            without_phone = replace(treatments["unreachable"], reason=reason, diversion="unconditional")
        on_selected = {
            ProfileKind.BUSY_OTHER: treatments["busy_other"],
            ProfileKind.ABSENT: treatments["absent"],
        }
        on_scheduled = {kind: replace(treatment, diversion="time-of-day") for kind, treatment in on_selected.items()}
        no_answer_after = when["no_answer"].condition.after or USUAL_NO_ANSWER
        self._check_rings(name, section, no_answer_after)
        times = self._times[role.name]
        rings, french_rings = rings_in_words(section)
        return Person(
            id=name,
            name=section.name,
            role=role.name,
            diverts_as=section.direct_number or section.extension or compilation.document.company.main_number,
            phone=phone,
            shows=frozen_mapping(identities.by_connection()),
            forwards_as=identities.forwarding(),
            emergency=identities.emergency(),
            inside=identities.inside(),
            schedule=times.profiles,
            on_selected=frozen_mapping(on_selected),
            on_scheduled=frozen_mapping(on_scheduled),
            on_line=frozen_mapping(
                {LineState.ON_CALL: treatments["on_call"], LineState.UNREGISTERED: treatments["unreachable"]}
            ),
            on_outcome=frozen_mapping(
                {
                    Outcome.NO_ANSWER: treatments["no_answer"],
                    Outcome.BUSY: _after_busy(treatments["on_call"]),
                    Outcome.REJECTED: treatments["rejected"],
                    Outcome.UNREACHABLE: _answered(treatments["unreachable"]),
                }
            ),
            no_answer_after=no_answer_after,
            rings=Reason(
                "F4",
                f"{section.name}: {rings}",
                here,
                f"{section.name} : {french_rings}",
                "ring",
            ),
            not_on_call=_not(
                treatments["on_call"].reason, f"{section.name} is not on a call", f"{section.name} n'est pas en ligne"
            ),
            no_profile=_not(
                treatments["busy_other"].reason, f"{section.name} is available", f"{section.name} est disponible"
            ),
            precedence=role.precedence,
            line_first=role.line_first,
            departed=departed,
            left_at=end_of_exception(section.left, compilation.zone) if section.left else None,
            without_phone=without_phone,
            last_resort=last_resort,
            says=times.says,
            choices=compile_choices(compilation, name, section, role),
            mobile=section.mobile or "",
            extension=section.extension or "",
            on_profile=self._on_profile(name, section),
            exceptions=self._exceptions.of(name, section),
            rings_within=times.rings_within,
            silence=times.silence,
            shows_in=frozen_mapping(identities.by_profile()),
            shows_by_code=frozen_mapping(identities.by_code()),
            language=(site.language or "") if (site := sites.get(section.site or "")) else "",
        )

    def _team(self, name: str, section: PersonSection, role: ResolvedRole) -> Team | None:
        teams = self._compilation.document.teams
        wanted = section.team or role.team
        if wanted is None:
            if role.shows_team and not self._compilation.gaps.covers("people", name, "team"):
                mark = self._compilation.mark("people", name)
                message = f"{section.name} shows a team number, but belongs to no team"
                self._compilation.error(mark, message, "add team: to the person or to the role", "R5")
            return None
        if wanted not in teams:
            location = ("people", name, "team") if section.team else ("roles", role.name, "team")
            self._compilation.unknown("team", wanted, self._compilation.mark(*location), "teams", teams)
            return None
        return teams[wanted]

    def _check_numbers(self, name: str, section: PersonSection) -> None:
        compilation = self._compilation
        if section.direct_number and not compilation.owns(section.direct_number):
            mark = compilation.mark("people", name, "direct_number")
            message = f"{section.direct_number} is not a number of the company"
            compilation.error(mark, message, "list it below numbers:", "S4")

    def _phone(self, name: str, section: PersonSection) -> RingPerson | DialAddress | None:
        if section.pbx is None:
            return self._targets.phone(name) if section.devices else None
        pbxs = self._compilation.document.pbxs
        mark = self._compilation.mark("people", name, "pbx")
        pbx = pbxs.get(section.pbx)
        if pbx is None:
            self._compilation.unknown("PBX", section.pbx, mark, "pbxs", pbxs)
            return None
        if section.devices:
            self._compilation.error(
                mark, "a phone is either at the PBX or registers here", "take pbx: or devices: away"
            )
            return None
        if pbx.address is None or section.extension is None:
            gaps = self._compilation.gaps
            if not gaps.covers("people", name, "extension") and not gaps.covers("pbxs", section.pbx, "address"):
                self._compilation.error(mark, "a phone at a PBX needs its extension and the PBX's address")
            return None
        transport = ";transport=tcp" if pbx.transport == "tcp" else ""
        host, port = bracketed(pbx.address.host), pbx.address.port or 5060
        return DialAddress(f"sip:{section.extension}@{host}:{port}{transport}", name)

    def _departed(self, name: str, section: PersonSection) -> Treatment | None:
        heir = section.successor or "reception"
        mark = self._compilation.mark("people", name, "successor" if section.successor else "left")
        target = self._targets.find(heir, mark, person=name, extension=section.extension or "")
        if target is None:
            return None
        reason = Reason(
            "S5",
            f"{section.name} has left → {heir}",
            str(mark),
            f"{section.name} a quitté l'entreprise → {heir}",
            "departed",
        )
        return Treatment(target, reason, "unconditional")

    def _on_profile(self, name: str, section: PersonSection) -> Mapping[str, tuple[Treatment, Treatment]]:
        """Return the treatments of profiles that name a target; what the person's own rules say goes before it."""
        found = {}
        for profile in self._with_target:
            written = self._compilation.document.profiles[profile.name]
            if written.then is None or getattr(section.when, profile.kind.value) is not None:
                continue
            mark = self._compilation.mark("profiles", profile.name, "then")
            target = self._targets.find(written.then, mark, person=name, extension=section.extension or "")
            if target is not None:
                reason = Reason(
                    written.clause or "P3",
                    f"{profile.name} → {written.then}",
                    str(mark),
                    f"« {profile.french} » → {written.then}",
                    "profile",
                )
                found[profile.name] = Treatment(target, reason, "away"), Treatment(target, reason, "time-of-day")
        return frozen_mapping(found) if found else _NO_TARGETS

    def _check_rings(self, name: str, section: PersonSection, no_answer_after: float) -> None:
        """F4: a device that rings later does so before the call goes elsewhere."""
        for index, stage in enumerate(section.rings or ()):
            if stage.after >= no_answer_after:
                mark = self._compilation.mark("people", name, "rings", index)
                message = f"{stage.device} would ring after {stage.after:g} s, but the call goes on after"
                suggestion = "write a shorter delay, or a longer no_answer"
                self._compilation.warn(mark, f"{message} {no_answer_after:g} s", suggestion, "F4")

    def _last_resort(self, name: str, section: PersonSection) -> tuple[Treatment, ...]:
        treatments = []
        for target_name in ("voicemail", "reception"):
            if target_name in self._targets:
                mark = self._compilation.mark("targets", target_name)
                target = self._targets.find(target_name, mark, person=name, extension=section.extension or "")
                if target is not None:
                    reason = Reason(
                        "S3",
                        f"what should answer cannot → {target_name}",
                        str(mark),
                        f"ce qui devrait répondre ne le peut pas → {target_name}",
                        "last_resort",
                    )
                    treatments.append(Treatment(target, reason, "unavailable"))
        return tuple(treatments)


def _not(reason: Reason, because: str, french: str) -> Reason:
    return replace(reason, text=f"{reason.text}: {because}", french=f"{reason.french} : {french}")


def _answered(treatment: Treatment) -> Treatment:
    """The treatment of a line state as that of an attempt which found the line in that state."""
    return replace(treatment, reason=replace(treatment.reason, rule="answer"))


def _after_busy(treatment: Treatment) -> Treatment:
    """G4: a phone that answers "busy" is on a call of which the router knows nothing."""
    reason = treatment.reason
    text, french = f"the phone says busy: {reason.text}", f"le téléphone sonne occupé : {reason.french}"
    return replace(treatment, reason=replace(reason, text=text, french=french, rule="answer"))


def _is_mobile(section: PersonSection) -> bool:
    kinds = {device.kind for device in section.devices.values()}
    return Connection.FIXED.value not in kinds and (Connection.MOBILE.value in kinds or section.direct_number is None)
