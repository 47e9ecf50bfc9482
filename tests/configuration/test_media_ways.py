"""Which way the sound of calls takes, as it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.configuration import ConfigurationError, load
from router.model.peers import Account, Pbx, Trunk
from router.model.sound import MediaSettings, MediaWay, RelayRules
from tests.calls.story import COMPANY, configuration_of

DESK = "{kind: fixed, secret: secret-200}"


def test_without_a_word_everything_goes_direct(tmp_path: Path) -> None:
    configuration = configuration_of(COMPANY, tmp_path)
    assert configuration.relaying == RelayRules(MediaWay.DIRECT, True)
    parties: list[Trunk | Pbx | Account] = [*configuration.trunks, *configuration.pbxs]
    parties += configuration.accounts.values()
    assert {party.media for party in parties} == {MediaWay.DIRECT}
    assert configuration.media is None


def test_each_says_its_own_way_against_the_usual_one(tmp_path: Path) -> None:
    text = (
        COMPANY.replace(DESK, "{kind: fixed, secret: secret-200, media: direct}")
        .replace("priority: 1,", "priority: 1, media: rtpengine,")
        .replace('address: "192.0.2.50:5060"}', 'address: "192.0.2.50:5060", media: direct}')
        + "media: {default: relay, fallback: none, rtpengine: {address: 192.0.2.3:2223}}\n"
    )
    configuration = configuration_of(text, tmp_path)
    assert {name: account.media for name, account in configuration.accounts.items()} == {
        "200": MediaWay.DIRECT,
        "201": MediaWay.RELAY,
        "201-gsm": MediaWay.RELAY,
        "202": MediaWay.RELAY,
    }
    assert {trunk.name: trunk.media for trunk in configuration.trunks} == {
        "first": MediaWay.RTPENGINE,
        "second": MediaWay.RELAY,
    }
    assert configuration.pbxs[0].media is MediaWay.DIRECT
    assert configuration.relaying == RelayRules(MediaWay.RELAY, False)
    assert configuration.media == MediaSettings(("192.0.2.1",), 16384, 32767), "somebody wants the engine"


@pytest.mark.parametrize(("fallback", "becomes"), [("direct", "goes direct"), ("none", "fails")])
def test_a_relay_that_is_switched_off_is_reported_where_it_is_wanted(
    tmp_path: Path, fallback: str, becomes: str
) -> None:
    text = COMPANY.replace(DESK, "{kind: fixed, secret: secret-200, media: relay}")
    configuration = configuration_of(f"{text}media: {{enabled: false, fallback: {fallback}}}\n", tmp_path)
    [warning] = [finding for finding in configuration.warnings if "to be relayed" in finding.message]
    assert becomes in warning.message
    line = (tmp_path / "company.yaml").read_text().splitlines()[warning.mark.line - 1]
    assert "media: relay" in line


def test_a_way_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    text = COMPANY.replace("priority: 1,", "priority: 1, media: tunnel,")
    (tmp_path / "company.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="media is 'tunnel'"):
        load(tmp_path)
