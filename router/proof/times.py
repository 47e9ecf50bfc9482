"""Schedules, hours and calendars that can have no effect."""

from __future__ import annotations

from collections.abc import Iterator

import holidays

from router.configuration.findings import Finding, Severity, closest
from router.policy.schedule import Calendar, Window
from router.proof.examination import Examination
from router.proof.moments import DAY, HORIZON_DAYS


def calendars_contain_days(examination: Examination) -> Iterator[Finding]:
    """G7: a calendar contains a day between now and a year from now."""
    used = _calendars(examination)
    for name, calendar in used.items():
        if not any(calendar.includes(examination.today + day) for day in range(HORIZON_DAYS)):
            yield examination.warning(
                f"the calendar {name} contains no day from now on", "look at days: and except:", "G7", "calendars", name
            )


def schedules_can_win(examination: Examination) -> Iterator[Finding]:
    """G6: every line of a schedule holds at some time: an earlier one does not always cover it."""
    survey, now = examination.survey, examination.now
    moments = survey.moments(now, now + HORIZON_DAYS * DAY)
    reported: set[str] = set()
    for person in examination.policy.people.values():
        windows = [scheduled.window for scheduled in person.schedule]
        first = [next((i for i, window in enumerate(windows) if window.covers(at)), None) for at in moments.local]
        for index, scheduled in enumerate(person.schedule):
            mark = examination.place(scheduled.reason.source, "roles", person.role)
            if index in first or str(mark) in reported:
                continue
            covered = [at for at in moments.local if windows[index].covers(at)]
            if not covered:
                continue  # its calendar is empty, which is said of the calendar
            reported.add(str(mark))
            before = person.schedule[next(i for i, window in enumerate(windows) if window.covers(covered[0]))]
            message = (
                f"{scheduled.profile.name} {scheduled.window} never holds: "
                f"{before.profile.name} ({examination.place(before.reason.source, 'roles')}) comes before it"
            )
            yield Finding(
                mark, message, "put it first, or remove it", Severity.WARNING, scheduled.reason.clause or "G6"
            )


def the_region_is_known(examination: Examination) -> Iterator[Finding]:
    """G7: the region whose public holidays are meant exists."""
    company = examination.document.company
    if company.region is None:
        return
    known = holidays.list_supported_countries().get(company.country, [])
    if company.region not in known:
        message = f"no public holidays are known for the region {company.region!r} of {company.country}"
        suggestion = closest(company.region, known) or "leave it out: the country's holidays hold"
        yield examination.warning(message, suggestion, "G7", "company", "region")


def _calendars(examination: Examination) -> dict[str, Calendar]:
    survey = examination.survey
    windows: list[Window] = [window for person in examination.policy.people for window in survey.windows(person)]
    windows += [window for line in survey.lines.values() for window in survey.rules_for(line).windows]
    return {window.calendar.name: window.calendar for window in windows}
