"""Menus heard with real phones (Q1, Q5, S3): a key at once, two-way sound, silence, the language of what follows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.calls.voice_story import NAMES, write_coded_prompts
from tests.media.tone_code import heard

from .baresip import Phone
from .company import MAIN_NUMBER, OUTSIDE, Company
from .conftest import StartPhone, StartRouter, needs_baresip
from .processes import Ports, eventually
from .tones import HEADER_BYTES, heard_hertz

pytestmark = [needs_baresip, pytest.mark.timeout(90)]
SPEAKS, CALLER_SPEAKS = 1000, 440  # hertz


@pytest.fixture
def company(ports: Ports, tmp_path: Path) -> Company:
    """A company whose main number has a menu, with prompts that say their numbers in tones."""
    company = Company(ports, tmp_path)
    first = ports.free(200)
    prompts = tmp_path / "config" / "prompts"
    prompts.mkdir(parents=True)
    write_coded_prompts(prompts)
    document = company.document
    document["company"]["main_line"] = {"then": "menu:accueil"}
    document["targets"]["voicemail"] = {"mailbox": "{person}"}
    document["media"] = {"ports": f"{first}-{first + 199}", "recordings": "prompts"}
    document["menus"] = {
        "accueil": {
            "keys": {"1": "benoit", "2": "menu:technique"},
            "languages": {"9": "en"},
            "timeout": "1s",
            "repeats": "1",
            "on_timeout": "benoit",
        },
        "technique": {"says": "menu.choose", "keys": {"1": "marc", "*": "menu:accueil"}},
    }
    return company


def said(phone: Phone) -> list[str]:
    """The prompts that a phone has heard in all its recordings."""
    names: list[str] = []
    for path in phone.heard():
        data = path.read_bytes()[HEADER_BYTES:]
        samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2")
        names += [NAMES.get(number, f"?{number}") for number in heard(samples)]
    return names


def hears(phone: Phone, *prompts: str) -> None:
    try:
        eventually("", lambda: set(prompts) <= set(said(phone)), seconds=20)
    except AssertionError:
        raise AssertionError(f"heard {said(phone)}, not {prompts}") from None


def hears_tone(phone: Phone, hertz: float) -> None:
    eventually(f"{hertz:g} Hz is heard", lambda: abs(heard_hertz(phone.heard()[-1]) - hertz) < 5, seconds=25)


def test_a_key_during_the_prompt_leads_to_somebody_and_both_hear_each_other(
    company: Company, start_router: StartRouter, start_phone: StartPhone
) -> None:
    """Q1."""
    router = start_router()
    benoit = start_phone("202", router.address, speaks=SPEAKS).is_registered()
    outside = start_phone(OUTSIDE, speaks=CALLER_SPEAKS, port=company.trunk_port)
    outside.command("dial", f"sip:{MAIN_NUMBER}@{router.address}")
    outside.waits_for("CALL_ESTABLISHED")
    hears(outside, "key.1")
    outside.command("sndcode", "1")
    benoit.waits_for("CALL_INCOMING", 20).command("accept")
    benoit.waits_for("CALL_ESTABLISHED")
    hears_tone(benoit, CALLER_SPEAKS)
    hears_tone(outside, SPEAKS)
    benoit.command("hangup")
    outside.waits_for("CALL_CLOSED")
    records = {record["target"]: record for record in router.records(2)}
    assert records["benoit"]["chosen"] == ["accueil:1"]
    assert records["benoit"]["status"] == 200
    assert [reason["clause"] for reason in records["benoit"]["because"][:2]] == ["F5", "Q1"]


def test_who_presses_a_wrong_key_and_then_nothing_is_answered_all_the_same(
    company: Company, start_router: StartRouter, start_phone: StartPhone
) -> None:
    """S3."""
    router = start_router()
    benoit = start_phone("202", router.address, speaks=SPEAKS).is_registered()
    outside = start_phone(OUTSIDE, speaks=CALLER_SPEAKS, port=company.trunk_port)
    outside.command("dial", f"sip:{MAIN_NUMBER}@{router.address}")
    outside.waits_for("CALL_ESTABLISHED")
    hears(outside, "key.1")
    outside.command("sndcode", "7")
    hears(outside, "menu.wrong")
    benoit.waits_for("CALL_INCOMING", 20)
    outside.command("hangup")
    benoit.waits_for("CALL_CLOSED")


def test_a_language_is_chosen_and_a_message_is_left_in_it(
    company: Company, start_router: StartRouter, start_phone: StartPhone
) -> None:
    """Q5: through two menus and into the mailbox in one stream of sound, in the language that was chosen."""
    router = start_router()
    outside = start_phone(OUTSIDE, speaks=CALLER_SPEAKS, port=company.trunk_port)
    outside.command("dial", f"sip:{MAIN_NUMBER}@{router.address}")
    outside.waits_for("CALL_ESTABLISHED")
    hears(outside, "key.1", "en:offer.language")
    outside.command("sndcode", "9")
    hears(outside, "en:key.1")
    outside.command("sndcode", "2")
    hears(outside, "en:menu.choose")
    outside.command("sndcode", "#")
    hears(outside, "en:greeting.hello", "en:record.after_tone")
    folder = Path(company.document["storage"]["directory"]) / "voicemail"
    eventually("it is recorded", lambda: [path for path in folder.rglob(".*") if path.is_file()], seconds=20)
    eventually("the beep is over", lambda: "en:record.after_tone" in said(outside))
    outside.command("hangup")
    outside.waits_for("CALL_CLOSED")
    [record] = router.records()
    assert (record["target"], record["status"]) == ("voicemail", 200)
    assert record["chosen"] == ["accueil:9", "accueil:2", "technique:#"]
