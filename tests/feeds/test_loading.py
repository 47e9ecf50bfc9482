"""Sources in the configuration: which are understood, and what is said of the others (X2, P2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from router.configuration import ConfigurationError, load
from router.model.feeds import CalendarRules, Feeds
from tests.feeds.company import COMPANY

KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # of RFC 8032 §7.1, test 1
SUM = "0" * 64


def loaded(tmp_path: Path, **sections: Any) -> Feeds:
    (tmp_path / "company.yaml").write_text(yaml.safe_dump({**yaml.safe_load(COMPANY), **sections}, sort_keys=False))
    return load(tmp_path).feeds


def refused(tmp_path: Path, **sections: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        loaded(tmp_path, **sections)
    return str(raised.value)


def sources(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"greylist": {"sources": list(entries)}}


def claire(**changes: Any) -> dict[str, Any]:
    return {"claire": {**yaml.safe_load(COMPANY)["people"]["claire"], **changes}}


def test_list_from_the_network_is_signed_or_checksummed(tmp_path: Path) -> None:
    for url in ("https://lists.example/fraud.txt", "http://lists.example/fraud.txt"):
        said = refused(tmp_path, **sources({"url": url}))
        assert "X2  a list from the network is signed or checksummed, and this one is neither" in said
        assert said.startswith("company.yaml:")
        assert "add sha256: or signature:" in said


def test_list_with_a_checksum_or_a_signature_is_taken(tmp_path: Path) -> None:
    feeds = loaded(
        tmp_path,
        **sources(
            {"url": "https://lists.example/fraud.txt", "sha256": SUM, "every": "1h"},
            {"url": "https://lists.example/more.txt", "sha256": "https://lists.example/more.sha256"},
            {"url": "https://u:p@other.example/", "signature": "https://o.example/s", "signed_by": KEY},
            {"url": "lists/own.txt", "inbound": "true"},
        ),
    ).greylists
    assert [feed.name for feed in feeds] == [
        "greylist lists.example", "greylist lists.example 2", "greylist other.example", "greylist own.txt",
    ]  # fmt: skip
    assert feeds[0].every == 3600.0
    assert len(feeds[2].signed_by) == 32
    assert feeds[3].inbound
    assert feeds[3].url == (tmp_path / "lists/own.txt").as_uri()
    assert "u:p" not in repr(feeds)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"url": "ftp://lists.example/x", "sha256": SUM}, "nothing can be fetched by 'ftp'"),
        ({"url": "https:///x", "sha256": SUM}, "this URL names no host"),
        ({"url": "https://[::1/x", "sha256": SUM}, "this is no URL"),
        ({"url": "https://lists.example/x", "sha256": "0123"}, "a SHA-256 has 64 hexadecimal digits"),
        ({"url": "https://lists.example/x", "signature": "https://s.example/"}, "signature and signed_by belong"),
        ({"url": "https://lists.example/x", "signature": "s", "signed_by": "AAAA"}, "this is no Ed25519 key"),
        ({"url": "x", "every": "1s"}, "a source is not fetched more often than every 10 s"),
    ],
)
def test_what_cannot_be_fetched_or_trusted_is_said(tmp_path: Path, entry: dict[str, str], said: str) -> None:
    assert said in refused(tmp_path, **sources(entry))


def test_url_with_a_password_is_not_repeated(tmp_path: Path) -> None:
    said = refused(tmp_path, **sources({"url": "ftp://claire:secret@lists.example/"}))
    assert "secret" not in said


def test_calendars_and_their_rules(tmp_path: Path) -> None:
    feeds = loaded(
        tmp_path,
        people=claire(calendar="https://calendar.example/private-1/claire.ics"),
        calendar_feed={"every": "10min", "profiles": {"Vacances": "gone", "": "meeting"}},
    )
    assert [(feed.person, feed.every) for feed in feeds.calendars] == [("claire", 600.0)]
    assert feeds.calendar_rules == CalendarRules((("vacances", "gone"),), "meeting", (("gone", 3), ("meeting", 2)))


def test_profile_for_calendars_is_found(tmp_path: Path) -> None:
    profiles = {"meeting": {"kind": "busy_other", "from_calendar": "true"}}
    feeds = loaded(tmp_path, people=claire(calendar="claire.ics"), profiles=profiles)
    assert feeds.calendar_rules.otherwise == "meeting"


def test_calendar_that_sets_nothing_is_an_error(tmp_path: Path) -> None:
    said = refused(tmp_path, people=claire(calendar="claire.ics"))
    assert "P2  no profile is set by calendars; write from_calendar: true at one" in said


def test_unknown_profile_and_a_second_usual_one_are_errors(tmp_path: Path) -> None:
    said = refused(tmp_path, calendar_feed={"profiles": {"vacances": "meting"}})
    assert "there is no profile 'meting'; did you mean 'meeting'?" in said
    usual = {"kind": "busy_other", "from_calendar": "true"}
    said = refused(tmp_path, profiles={"meeting": usual, "lesson": {**usual}})
    assert "meeting is the one that calendars set" in said


def test_calendar_of_who_has_left_is_not_fetched(tmp_path: Path) -> None:
    people = claire(calendar="claire.ics", left="2026-01-31", successor="marc")
    people["marc"] = {"name": "Marc Leroy", "role": "standard", "extension": "202"}
    assert loaded(tmp_path, people=people).calendars == ()
