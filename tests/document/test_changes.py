"""A change of one rule is a change of its paragraph, and of no other."""

from __future__ import annotations

import pytest

from router.document.policy_document import Paragraph, Row
from tests.document.company import COMPANY, policy_of, the_policy

# What is written, what is written instead, and the statements that then read otherwise.
CHANGES = {
    "whose calls are recorded": ("who: [role:sales]", "who: [role:sales, paul]", {"recording.who"}),
    "the ground of recording": ("legal_basis: le contrat", "legal_basis: la loi", {"recording.ground"}),
    "which way recorded calls go": ("  calls: all\n", "  calls: all\n  directions: inbound\n", {"recording.who"}),
    "the key of recording": ("  calls: all\n", '  calls: all\n  key: "*1"\n', {"recording.key"}),
    "how long recordings are kept": ("keep_days: 90", "keep_days: 60", {"recording.kept"}),
    "main line": ("main_line: {then: reception, hours", "main_line: {then: queue:sales, hours", {"lines.main"}),
    "short numbers": ('short_numbers: ["1733"]', 'short_numbers: ["1722"]', {"emergency.short_numbers"}),
    "shown by the company": (
        "shows: main_number\n  profile_order",
        'shows: "+3242200150"\n  profile_order',
        {"fixed.company"},
    ),
    "order of profiles": ("[administrator, person, calendar", "[administrator, calendar, person", {"profiles.order"}),
    "contact": ('number: "204", email', 'number: "205", email', {"contacts.1"}),
    "verified number": ("holder: marc, port", "holder: marc, verified: true, port", {"numbers.+32470555014"}),
    "port-out lock": ("port_out_lock: false", "port_out_lock: true", {"numbers.+32470555014"}),
    "days of a calendar": ('"2026-12-24, ', '"', {"calendars.fermeture"}),
    "opening hours": ('from: "07:00", to: "17:00"', 'from: "07:30", to: "17:00"', {"hours.atelier"}),
    "target": ('number: "+3243334455"', 'number: "+3243334456"', {"lines.target.service_externe"}),
    "team's closing": ("closed: service_externe", "closed: voicemail", {"lines.team.sales"}),
    "profile's message": ("says: {fr: En pause déjeuner}", "says: {fr: À table}", {"profiles.lunch"}),
    "profile's offers": ("offers: [message, callback]", "offers: [message]", {"profiles.lunch"}),
    "profile's code": ('code: "*21"', 'code: "*22"', {"profiles.meeting"}),
    "profile's end": ("ends_after: 336h", "ends_after: 24h", {"profiles.vacances"}),
    "profile's number": ("then: service_externe, shows: main_number", "then: service_externe", {"profiles.bloc"}),
    "code to take back": ('back: "*20"', 'back: "*29"', {"profiles.back"}),
    "code before a number": ('hide_number: "*31"', 'hide_number: "*37"', {"codes.hide_number"}),
    "appointment": ("{réunion: meeting", "{réunion: lunch", {"profiles.calendar"}),
    "on a call": ("when: {on_call: voicemail", "when: {on_call: service_externe", {"roles.standard.on_call"}),
    "busy otherwise": ("busy_other: queue:sales", "busy_other: queue:technical", {"roles.sales.busy_other"}),
    "ringing time": ("no_answer: {after: 20s", "no_answer: {after: 25s", {"roles.standard.no_answer"}),
    "lunch break": ('from: "12:00", to: "13:00"', 'from: "12:30", to: "13:30"', {"roles.standard.schedule.2"}),
    "choice": ("for_at_most: 8h", "for_at_most: 4h", {"roles.standard.may.for_at_most"}),
    "own message": ("{fr: Parti pour la journée}", "{fr: Bonsoir}", {"roles.sales.says.gone_for_the_day"}),
    "number shown by a role": ("shows: personal_mobile", "shows: team_number", {"roles.sales.shows"}),
    "precedence": ("precedence: line", "precedence: profile", {"roles.technical.precedence"}),
    "ringing hours": ("rings_within: atelier", "rings_within: office", {"roles.technical.rings_within"}),
    "order of phones": ("{gsm: 10s}", "{gsm: 15s}", {"personal.paul.rings"}),
    "personal rule": ("{after: 30s, then: claire}", "{after: 30s, then: sophie}", {"personal.marc.no_answer"}),
    "private phone": ("until: 2027-06-30", "until: 2027-07-31", {"private_phones.emma.own"}),
    "departure": ("successor: sophie", "successor: paul", {"departures.jean"}),
    "no phone": (
        'extension: "206"}',
        'extension: "206", devices: {desk: {kind: fixed, secret: x}}}',
        {"fixed.without_phone.isabelle"},
    ),
    "special caller": ("rings_through: [busy_other, on_call]", "rings_through: [on_call]", {"callers.clinique"}),
    "person's caller": ("rings_through: [absent]", "rings_through: [on_call]", {"callers.person.claire.1"}),
    "blocked prefix": ('prefixes: ["+3290", "+881"]', 'prefixes: ["+3290", "+881", "+88"]', {"greylist.prefixes"}),
    "blocked caller": ('inbound: ["+882"]', 'inbound: ["+883"]', {"greylist.inbound"}),
    "outside list": ("every: 6h", "every: 12h", {"greylist.source.1"}),
    "exception": ('"+88162", approved_by: paul', '"+88162", approved_by: sophie', {"greylist.exception.+88162"}),
    "limit": ("calls_per_minute: 2", "calls_per_minute: 3", {"limits.amerique"}),
    "connection type": (
        "limits:\n",
        "connections: {mobile: direct_number}\nlimits:\n",
        {"mobile.shown", "private.shown", "roles.standard.shows"},
    ),
    "data pack": ("gigabytes: 10", "gigabytes: 20", {"data_packs.1"}),
    "wireless network": ("« meuse »", "« atelier »", {"data_packs.wireless"}),
    "dictionary": ("téléphone sans fil de l'atelier., en: a", "téléphone sans fil., en: one", {"dictionary.own.DECT"}),
    "private phones for long": ("private_phone_days: 60", "private_phone_days: 30", {"private_phones.nuisance"}),
}


def changed(before: dict[str, Paragraph | Row], after: dict[str, Paragraph | Row]) -> set[str]:
    return {id for id in before.keys() | after.keys() if before.get(id) != after.get(id)}


@pytest.mark.parametrize(("old", "new", "ids"), CHANGES.values(), ids=CHANGES)
def test_a_rule_changes_exactly_its_paragraph(old: str, new: str, ids: set[str]) -> None:
    assert COMPANY.count(old) == 1, "the change is one place of the configuration"
    text = COMPANY.replace(old, new)
    for language in ("fr", "en"):
        before, after = the_policy(language), policy_of(text, language)
        assert changed(before.statements(), after.statements()) == ids - (
            {"data_packs.wireless"} if language == "en" else set()
        )
        assert before.stamp != after.stamp


def test_a_change_that_says_nothing_changes_the_stamp_only() -> None:
    before, after = the_policy(), policy_of(f"# a remark\n{COMPANY}")
    assert changed(before.statements(), after.statements()) == set()
    assert before.stamp != after.stamp


def test_a_calendar_is_said_wherever_it_rules() -> None:
    after = policy_of(COMPANY.replace("en_semaine: {days: mon-fri}", "en_semaine: {days: mon-thu}"))
    assert changed(the_policy().statements(), after.statements()) == {
        "roles.standard.schedule.2",
        "roles.standard.schedule.3",
    }


def test_a_rule_taken_away_takes_its_paragraph_along() -> None:
    after = policy_of(COMPANY.replace('hide_number: "*31", ', ""))
    assert changed(the_policy().statements(), after.statements()) == {"codes.hide_number"}
    assert "codes.hide_number" not in after.statements()


def test_the_same_configuration_gives_the_same_document() -> None:
    assert policy_of() == policy_of()
