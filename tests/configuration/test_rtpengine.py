"""Which rtpengines there are, and who needs one, as it is written."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from router.configuration import ConfigurationError, load
from router.model.sound import MediaWay, RtpengineSettings
from tests.calls.story import COMPANY, configuration_of

DESK = "{kind: fixed, secret: secret-200}"
SRTP_DESK = "{kind: fixed, secret: secret-200, srtp: sdes}"


def faults(text: str, folder: Path) -> list[str]:
    (folder / "company.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        load(folder)
    return [str(finding) for finding in refused.value.findings]


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("192.0.2.3:2224", (("192.0.2.3", 2224),)),
        ("192.0.2.3", (("192.0.2.3", 2223),)),
        ('["192.0.2.3", "[2001:db8::3]:2224", engine.example]',
         (("192.0.2.3", 2223), ("2001:db8::3", 2224), ("engine.example", 2223))),
        ("{address: 192.0.2.3}", (("192.0.2.3", 2223),)),
    ],
)  # fmt: skip
def test_addresses_alone_are_enough(written: str, addresses: tuple[tuple[str, int], ...], tmp_path: Path) -> None:
    configuration = configuration_of(f"{COMPANY}media: {{rtpengine: {written}}}\n", tmp_path)
    assert configuration.rtpengine == RtpengineSettings(addresses)


def test_the_narrowest_network_comes_first(tmp_path: Path) -> None:
    interfaces = '{"0.0.0.0/0": world, "10.0.0.0/24": office, "10.0.0.0/8": vpn}'
    text = f"{COMPANY}media: {{rtpengine: {{address: 192.0.2.3, interfaces: {interfaces}}}}}\n"
    assert configuration_of(text, tmp_path).rtpengine.interfaces == (
        (ip_network("10.0.0.0/24"), "office"),
        (ip_network("10.0.0.0/8"), "vpn"),
        (ip_network("0.0.0.0/0"), "world"),
    )


def test_a_phone_that_wants_srtp_goes_by_rtpengine(tmp_path: Path) -> None:
    text = COMPANY.replace(DESK, SRTP_DESK) + "media: {rtpengine: 192.0.2.3}\n"
    accounts = configuration_of(text, tmp_path).accounts
    assert (accounts["200"].media, accounts["200"].srtp) == (MediaWay.RTPENGINE, "sdes")
    assert (accounts["201"].media, accounts["201"].srtp) == (MediaWay.DIRECT, "")


def test_srtp_without_an_rtpengine_is_an_error(tmp_path: Path) -> None:
    [fault] = faults(COMPANY.replace(DESK, SRTP_DESK), tmp_path)
    assert "srtp: sdes needs an rtpengine, and there is none" in fault
    assert "write rtpengine: 127.0.0.1:2223 under media:" in fault


def test_srtp_by_another_way_is_an_error(tmp_path: Path) -> None:
    desk = SRTP_DESK.replace("srtp", "media: relay, srtp")
    [fault] = faults(COMPANY.replace(DESK, desk) + "media: {rtpengine: 192.0.2.3}\n", tmp_path)
    assert "srtp: sdes needs an rtpengine, and media: relay goes round it" in fault


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("[192.0.2.3, 192.0.2.3:2223]", "192.0.2.3:2223 is listed twice"),
        ("[]", "rtpengine"),
        ("{address: 192.0.2.3, interfaces: {all: world}}", "'all' is no network"),
        ("{interfaces: {10.0.0.0/8: world}}", "address"),
        ("{address: 192.0.2.3, tries: 5}", "tries"),
        ('"192.0.2.3:99999"', "192.0.2.3:99999"),
    ],
)
def test_what_is_wrong_is_said(written: str, text: str, tmp_path: Path) -> None:
    [fault] = faults(f"{COMPANY}media: {{rtpengine: {written}}}\n", tmp_path)
    assert text in fault
    assert "company.yaml:" in fault


def test_a_way_by_an_rtpengine_that_does_not_exist_is_reported_where_it_is_wanted(tmp_path: Path) -> None:
    text = COMPANY.replace("priority: 1,", "priority: 1, media: rtpengine,")
    [warning] = [one for one in configuration_of(text, tmp_path).warnings if "rtpengine" in one.message]
    assert "goes by a weaker way" in warning.message
    assert "media: rtpengine" in (tmp_path / "company.yaml").read_text().splitlines()[warning.mark.line - 1]
    assert not [
        one for one in configuration_of(f"{text}media: {{rtpengine: 192.0.2.3}}\n", tmp_path).warnings
        if "rtpengine" in one.message
    ]  # fmt: skip
