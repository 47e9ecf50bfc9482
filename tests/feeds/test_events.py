"""What a calendar says about a person's profile (P2): real iCalendar texts, read as the child reads them."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from router import aside
from router.feeds.copies import read_copy
from router.feeds.events import CalendarText, read_calendars
from router.model.decision import SelectedBy
from router.model.feeds import CalendarRules

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=BRUSSELS).timestamp()  # a Tuesday
RULES = CalendarRules(
    (("vacances", "holiday"), ("home-office", "available")),
    "meeting",
    (("available", 1), ("holiday", 3), ("meeting", 2)),
)


def calendar(*events: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test"]
    for number, event in enumerate(events):
        uid = [] if "UID:" in event else [f"UID:{number}"]
        lines += ["BEGIN:VEVENT", *uid, *event.split("\n"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def read(
    tmp_path: Path, data: bytes, rules: CalendarRules = RULES, now: float = NOW
) -> list[tuple[str, str, str]] | str:
    """Return (profile, since, until) of what is selected, as wall clock of Brussels; or what is wrong."""
    text = CalendarText("claire", tmp_path / "copy", (data,))
    found = read_calendars([text], rules, BRUSSELS, now)["claire"]
    if isinstance(found, str):
        return found
    assert {(s.person, s.by, s.actor) for s in found} <= {("claire", SelectedBy.CALENDAR, "calendar")}

    def clock(seconds: float | None) -> str:
        assert seconds is not None
        return datetime.fromtimestamp(seconds, BRUSSELS).strftime("%d %H:%M")

    return [(s.profile, clock(s.since), clock(s.until)) for s in found]


UTC_EVENT = "DTSTART:20261124T090000Z\nDTEND:20261124T100000Z\nSUMMARY:Budget"


def test_event_in_another_zone(tmp_path: Path) -> None:
    data = calendar(
        UTC_EVENT,
        "DTSTART;TZID=America/New_York:20261125T090000\nDURATION:PT30M\nSUMMARY:Call",
        "DTSTART;TZID=Eastern Standard Time:20261126T090000\nDURATION:PT30M\nSUMMARY:As Outlook writes it",
    )
    assert read(tmp_path, data) == [
        ("meeting", "24 10:00", "24 11:00"),
        ("meeting", "25 15:00", "25 15:30"),
        ("meeting", "26 15:00", "26 15:30"),
    ]


def test_floating_times_and_whole_days_are_those_of_the_company(tmp_path: Path) -> None:
    data = calendar(
        "DTSTART:20261124T140000\nDTEND:20261124T150000\nSUMMARY:Floating",
        "DTSTART;VALUE=DATE:20261126\nDTEND;VALUE=DATE:20261128\nSUMMARY:Vacances d'hiver",
        "DTSTART;VALUE=DATE:20261130\nSUMMARY:One day",
    )
    assert read(tmp_path, data) == [
        ("meeting", "24 14:00", "24 15:00"),
        ("holiday", "26 00:00", "28 00:00"),
        ("meeting", "30 00:00", "01 00:00"),
    ]


def test_recurring_event_with_an_excluded_and_a_moved_day(tmp_path: Path) -> None:
    series = (
        "UID:s\nDTSTART;TZID=Europe/Brussels:20261026T100000\nDTEND;TZID=Europe/Brussels:20261026T103000\n"
        "RRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR\nEXDATE;TZID=Europe/Brussels:20261125T100000\nSUMMARY:Stand-up"
    )
    moved = (
        "UID:s\nRECURRENCE-ID;TZID=Europe/Brussels:20261126T100000\nDTSTART;TZID=Europe/Brussels:20261126T160000\n"
        "DTEND;TZID=Europe/Brussels:20261126T163000\nSUMMARY:Stand-up, later"
    )
    found = read(tmp_path, calendar(series, moved))
    assert found[:3] == [
        ("meeting", "24 10:00", "24 10:30"),
        ("meeting", "26 16:00", "26 16:30"),
        ("meeting", "27 10:00", "27 10:30"),
    ]
    assert len(found) == 9  # of the ten working days in two weeks one is excluded


def test_daily_event_keeps_its_wall_clock_over_the_change_to_summer_time(tmp_path: Path) -> None:
    data = calendar(
        "DTSTART;TZID=Europe/Brussels:20270301T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY\nSUMMARY:Round",
    )
    before = datetime(2027, 3, 27, 8, 0, tzinfo=BRUSSELS).timestamp()
    assert read(tmp_path, data, now=before)[:3] == [
        ("meeting", "27 09:00", "27 10:00"),
        ("meeting", "28 09:00", "28 10:00"),
        ("meeting", "29 09:00", "29 10:00"),
    ]


@pytest.mark.parametrize("line", ["STATUS:CANCELLED", "TRANSP:TRANSPARENT", "status:cancelled"])
def test_cancelled_and_free_events_select_nothing(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, calendar(f"{UTC_EVENT}\n{line}")) == []


def test_cancelled_day_of_a_series(tmp_path: Path) -> None:
    series = "UID:s\nDTSTART:20261124T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:Course"
    cancelled = "UID:s\nRECURRENCE-ID:20261125T090000Z\nDTSTART:20261125T090000Z\nDURATION:PT1H\nSTATUS:CANCELLED"
    assert read(tmp_path, calendar(series, cancelled)) == [
        ("meeting", "24 10:00", "24 11:00"),
        ("meeting", "26 10:00", "26 11:00"),
    ]


@pytest.mark.parametrize("secrecy", ["PRIVATE", "CONFIDENTIAL"])
def test_private_event_is_only_a_time(tmp_path: Path, secrecy: str) -> None:
    data = calendar(
        f"DTSTART:20261124T090000Z\nDURATION:PT1H\nCLASS:{secrecy}\nSUMMARY:Vacances chez Dr House\n"
        "CATEGORIES:vacances\nDESCRIPTION:Dr House\nLOCATION:Dr House\nATTENDEE:mailto:dr@house.example"
    )
    assert read(tmp_path, data) == [("meeting", "24 10:00", "24 11:00")]
    copy = read_copy(tmp_path / "copy")
    assert copy is not None
    assert b"House" not in copy.data
    assert b"vacances" not in copy.data.lower()
    without = CalendarRules(RULES.words, "", RULES.strength)
    assert read(tmp_path, data, without) == []


def test_copy_holds_no_more_than_is_needed_and_says_the_same(tmp_path: Path) -> None:
    data = calendar(
        "UID:claire@house.example\nDTSTART:20261124T090000Z\nDURATION:PT1H\nSUMMARY:Vacances\n"
        "DESCRIPTION:Dr House\nATTENDEE;CN=Dr House:mailto:dr@house.example\nX-NOTE:Dr House",
        "DTSTART:20261125T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nSUMMARY:Budget",
    )
    fetched = read(tmp_path, data)
    copy = read_copy(tmp_path / "copy")
    assert copy is not None
    assert b"house" not in copy.data.lower()
    again = read_calendars([CalendarText("claire", tmp_path / "copy")], RULES, BRUSSELS, NOW)["claire"]
    assert not isinstance(again, str)
    assert [s.profile for s in again] == ["holiday", "meeting", "meeting"]
    assert len(fetched) == 3


def test_words_of_title_and_category_choose_the_profile(tmp_path: Path) -> None:
    data = calendar(
        "DTSTART:20261124T090000Z\nDURATION:PT1H\nSUMMARY:Fin de vacances: bilan",
        "DTSTART:20261125T090000Z\nDURATION:PT1H\nSUMMARY:Chez moi\nCATEGORIES:Privé,Home-Office",
        "DTSTART:20261126T090000Z\nDURATION:PT1H\nSUMMARY:Les vacanciers",
    )
    found = read(tmp_path, data)
    assert not isinstance(found, str)
    assert [profile for profile, _, _ in found] == ["holiday", "available", "meeting"]


def test_of_two_events_at_once_the_stronger_profile_counts(tmp_path: Path) -> None:
    data = calendar(
        "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125\nSUMMARY:home-office",
        "DTSTART:20261124T090000Z\nDTEND:20261124T100000Z\nSUMMARY:Budget",
        "DTSTART:20261124T093000Z\nDTEND:20261124T110000Z\nSUMMARY:Plan",
        "DTSTART:20261124T103000Z\nDTEND:20261124T140000Z\nSUMMARY:Vacances",
    )
    assert read(tmp_path, data) == [
        ("available", "24 00:00", "24 10:00"),
        ("meeting", "24 10:00", "24 11:30"),
        ("holiday", "24 11:30", "24 15:00"),
        ("available", "24 15:00", "25 00:00"),
    ]


def test_event_in_progress_is_in_force_and_a_past_one_is_not(tmp_path: Path) -> None:
    data = calendar(
        "DTSTART:20261124T070000Z\nDTEND:20261124T093000Z\nSUMMARY:Began before",
        "DTSTART:20261124T060000Z\nDTEND:20261124T063000Z\nSUMMARY:Over",
        "DTSTART:20261224T090000Z\nDTEND:20261224T093000Z\nSUMMARY:In a month",
        "DTSTART:20261124T120000Z\nDTEND:20261124T120000Z\nSUMMARY:A reminder",
    )
    assert read(tmp_path, data) == [("meeting", "24 08:00", "24 10:30")]


@pytest.mark.parametrize(
    "data",
    [b"<html>Sign in</html>", b"", os.urandom(2000), b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:yesterday"],
    ids=["html", "nothing", "noise", "torn"],
)
def test_nonsense_is_an_error_and_no_copy(tmp_path: Path, data: bytes) -> None:
    found = read(tmp_path, data)
    assert isinstance(found, str)
    assert found.startswith("it cannot be read as a calendar (")
    assert not (tmp_path / "copy").exists()


async def test_hostile_rule_harms_nobody_else(tmp_path: Path) -> None:
    hostile = calendar(
        "DTSTART:19700101T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY\nSUMMARY:Bomb",
        "DTSTART:20261124T090000Z\nDURATION:P9999D\nRRULE:FREQ=MINUTELY\nSUMMARY:Bomb",
    )
    texts = (
        CalendarText("marc", tmp_path / "marc", (hostile,)),
        CalendarText("claire", tmp_path / "claire", (calendar(UTC_EVENT),)),
    )
    found = await aside.run(read_calendars, texts, RULES, BRUSSELS, NOW)
    assert found["marc"] == "it takes more than 5 seconds to read"
    assert not isinstance(found["claire"], str)
    assert len(found["claire"]) == 1


def test_too_many_events_are_an_error(tmp_path: Path) -> None:
    data = calendar("DTSTART:20261124T090000Z\nDURATION:PT1M\nRRULE:FREQ=MINUTELY;INTERVAL=10\nSUMMARY:Round")
    assert read(tmp_path, data) == "it has more than 500 different stretches in 14 days"
