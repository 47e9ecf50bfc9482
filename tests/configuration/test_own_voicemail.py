"""Targets that the router itself answers: mailboxes and announcements; and the sound that they need (V1, Q12)."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.configuration import Configuration, ConfigurationError
from router.model.decision import LeaveMessage, PlayAnnouncement
from router.model.sound import MediaSettings
from router.policy.snapshot import SharedLine
from router.proof.check import check
from tests.calls.story import COMPANY, TUESDAY_TEN, configuration_of

OWN = COMPANY.replace('{sip: "sip:{extension}@192.0.2.91:5091"}', '{mailbox: "{person}"}')


def findings(text: str, folder: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        configuration_of(text, folder / "wrong")
    return str(caught.value)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return configuration_of(OWN, tmp_path / "own")


def test_everybody_has_a_mailbox_of_their_own(configuration: Configuration) -> None:
    people = configuration.policy.people
    assert {way.target for way in people["bob"].on_line.values()} == {LeaveMessage("bob", "voicemail")}
    assert LeaveMessage("carol", "voicemail") in {way.target for way in people["carol"].last_resort}


def test_what_was_for_nobody_in_particular_is_the_main_numbers(configuration: Configuration) -> None:
    main = configuration.policy.numbers["+3242200100"]
    assert isinstance(main, SharedLine)
    for line in (main, configuration.policy.unassigned):
        assert LeaveMessage("3242200100", "voicemail") in {way.target for way in line.last_resort}
    assert "3242200100" in configuration.mailboxes


def test_a_mailbox_needs_sound_and_nothing_else_does(configuration: Configuration, tmp_path: Path) -> None:
    assert configuration.media == MediaSettings(("192.0.2.1",), 16384, 32767)
    assert configuration_of(COMPANY, tmp_path / "other").media is None
    wanted = COMPANY + "media: {enabled: true, address: [192.0.2.7, '2001:db8::7'], ports: 20000-20099}\n"
    assert configuration_of(wanted, tmp_path / "wanted").media == MediaSettings(
        ("192.0.2.7", "2001:db8::7"), 20000, 20099
    )


def test_sound_that_is_switched_off_is_warned_of(tmp_path: Path) -> None:
    configuration = configuration_of(OWN + "media: {enabled: false}\n", tmp_path / "off")
    assert configuration.media is None
    [warning] = configuration.warnings
    assert (warning.clause, "nobody can leave a message" in warning.message) == ("V1", True)


@pytest.mark.parametrize(
    ("media", "message"),
    [
        ("{address: router.example}", "'router.example' is no IP address"),
        ("{address: 0.0.0.0}", "0.0.0.0 is no address that a caller's sound can be sent to"),
        ("{ports: 20000}", "'20000' is no range of ports for sound"),
        ("{ports: 100-2000}", "'100-2000' is no range of ports for sound"),
        ("{ports: 20000-20009}", "'20000-20009' is no range of ports for sound"),
        ("{recordings: nowhere}", "there is no folder"),
    ],
)
def test_sound_that_cannot_be(media: str, message: str, tmp_path: Path) -> None:
    assert message in findings(f"{OWN}media: {media}\n", tmp_path)


def test_a_router_that_listens_everywhere_says_where_its_sound_is(tmp_path: Path) -> None:
    text = OWN.replace('["udp:192.0.2.1:5060", "tcp:192.0.2.1:5060"]', '["udp:0.0.0.0:5060"]')
    assert "nobody knows which one is for sound" in findings(text, tmp_path)
    configuration = configuration_of(text + "media: {address: 192.0.2.1}\n", tmp_path / "right")
    assert configuration.media == MediaSettings(("192.0.2.1",), 16384, 32767)


def test_a_target_goes_to_one_thing(tmp_path: Path) -> None:
    text = OWN.replace('{mailbox: "{person}"}', '{mailbox: "{person}", announcement: queue.closed}')
    assert "write one of: sip, number, person, mailbox, announcement" in findings(text, tmp_path)


def test_an_announcement_is_a_prompt_or_a_file_beside_the_configuration(tmp_path: Path) -> None:
    text = OWN.replace(
        "targets:\n", "targets:\n  shut: {announcement: system.lines_closed}\n  own: {announcement: own.wav}\n"
    )
    assert "there is no file own.wav" in findings(text, tmp_path)
    folder = tmp_path / "announced"
    folder.mkdir()
    (folder / "own.wav").write_bytes(b"RIFF")
    targets = configuration_of(text, folder).policy.targets
    assert targets["shut"] == PlayAnnouncement("system.lines_closed", "shut")
    assert targets["own"] == PlayAnnouncement(str(folder / "own.wav"), "own")


def test_a_prompt_that_does_not_exist_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "misspelt"
    configuration_of(OWN.replace("targets:\n", "targets:\n  shut: {announcement: queue.closd}\n"), folder)
    messages = [str(finding) for finding in check(folder, TUESDAY_TEN)]
    assert any("there is no prompt 'queue.closd'" in message and "queue.closed" in message for message in messages)
