"""What a good configuration compiles to, the sample company included."""

from __future__ import annotations

import hashlib
from dataclasses import FrozenInstanceError
from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml

from router.configuration import ConfigurationError, Severity, load
from router.configuration.credentials import ha1, to_stored
from router.model.decision import Connection
from router.model.peers import Listener, Source
from router.proof.check import check
from tests.policy.company import COMPANY, configuration, moment

ROOT = Path(__file__).resolve().parents[2]
NOW = moment("2026-11-24T10:00")


def test_listeners_trunks_and_pbxs() -> None:
    text = COMPANY.replace('listen: "udp:127.0.0.1:5060"', 'listen: ["udp:127.0.0.1:5060", "tcp:[::1]:5062"]')
    text = text.replace(
        '{address: "127.0.0.1:5080"}', '{address: "127.0.0.1:5080", from: ["192.0.2.0/24", "[::1]:5090"]}'
    )
    loaded = configuration(text)
    assert loaded.listeners == (Listener("udp", "127.0.0.1", 5060), Listener("tcp", "::1", 5062))
    assert loaded.trunks[0].sources == (
        Source(ip_network("192.0.2.0/24")),
        Source(ip_network("::1/128"), 5090),
        Source(ip_network("127.0.0.1/32"), 5080),
    )
    assert loaded.trunks[0].country == "BE"
    assert (loaded.pbxs[0].host, loaded.pbxs[0].port) == ("127.0.0.1", 5070)


def test_trunks_come_by_priority(tmp_path: Path) -> None:
    (tmp_path / "trunks.yaml").write_text('trunks:\n  second: {address: "sip.example", transport: tcp, priority: 1}\n')
    assert [trunk.name for trunk in configuration(COMPANY, tmp_path).trunks] == ["second", "first"]


def test_a_tcp_trunk_is_not_trusted_by_its_bare_address(tmp_path: Path) -> None:
    """A TCP peer calls from any port: on a shared address that would let everybody in."""
    (tmp_path / "trunks.yaml").write_text('trunks:\n  tcp: {address: "127.0.0.1:5085", transport: tcp}\n')
    trunks = {trunk.name: trunk for trunk in configuration(COMPANY, tmp_path).trunks}
    assert trunks["tcp"].sources == ()


def test_accounts_are_named_after_extensions() -> None:
    accounts = configuration().accounts
    assert {user for user, account in accounts.items() if account.person == "paul"} == {"204-desk", "204-gsm"}
    assert accounts["201"].person == "claire"
    assert accounts["301"].connection is Connection.SOFTPHONE


def test_secrets_are_ha1_values(tmp_path: Path) -> None:
    """RFC 7616: H(user:realm:password), given as such or computed."""
    md5, sha256 = ha1("201", "renvoi", "x")
    assert md5 == hashlib.md5(b"201:renvoi:x").hexdigest()
    assert sha256 == hashlib.sha256(b"201:renvoi:x").hexdigest()
    account = configuration().accounts["201"]
    assert (account.ha1_md5, account.ha1_sha256) == (md5, sha256)
    stored = to_stored("301", "renvoi", "geheim")
    text = COMPANY.replace("{kind: softphone, secret: x}", f'{{kind: softphone, secret: "{stored}"}}')
    account = configuration(text, tmp_path).accounts["301"]
    assert (account.ha1_md5, account.ha1_sha256) == ha1("301", "renvoi", "geheim")
    assert md5 not in repr(configuration().accounts["201"])


def test_sha_256_is_offered_only_where_it_is_asked_for() -> None:
    """RFC 8760, and phones that give up on it."""
    assert configuration().digest_algorithms == ("MD5",)
    text = COMPANY.replace(
        'sip: {listen: "udp:127.0.0.1:5060"}', 'sip: {listen: "udp:127.0.0.1:5060", digest: [sha-256, md5]}'
    )
    assert configuration(text).digest_algorithms == ("SHA-256", "MD5")


def test_a_private_phone_ends_with_the_last_day_of_its_exception() -> None:
    """D1."""
    text = COMPANY.replace(
        "soft: {kind: softphone, secret: x}", "own: {kind: private, secret: x, until: 2026-12-31, approved_by: paul}"
    )
    assert configuration(text).accounts["301"].until == moment("2027-01-01T00:00")


def test_nothing_can_be_changed_afterwards() -> None:
    loaded = configuration()
    with pytest.raises(FrozenInstanceError):
        loaded.policy.people["paul"].name = "X"  # type: ignore[misc]
    with pytest.raises(TypeError):
        loaded.policy.people["paul"] = loaded.policy.people["claire"]  # type: ignore[index]
    with pytest.raises(TypeError):
        loaded.accounts["x"] = loaded.accounts["201"]  # type: ignore[index]


def test_the_hash_covers_every_source(tmp_path: Path) -> None:
    text = COMPANY.replace("greylist:\n", "greylist:\n  files: [fraud.txt]\n")
    (tmp_path / "fraud.txt").write_text("+882\n")
    before = configuration(text, tmp_path).hash
    assert configuration(text, tmp_path).hash == before
    (tmp_path / "fraud.txt").write_text("+883\n")
    assert configuration(text, tmp_path).hash != before


def test_plain_values_need_no_quotes(tmp_path: Path) -> None:
    """YAML 1.1 reads 08:00 as 480, 0042 as octal and NO as false; here they are what they look like."""
    text = COMPANY.replace('from: "12:00", to: "13:00"', "from: 12:00, to: 13:00").replace(
        'extension: "201"', "extension: 0201"
    )
    policy = configuration(text, tmp_path).policy
    assert "0201" in policy.extensions
    assert policy.people["paul"].schedule[0].window.start == 720


def test_the_sample_company_is_sound() -> None:
    directory = ROOT / "config"
    # That a profile shows another number than the role is a note (G1): it is meant so.
    assert [finding for finding in check(directory, NOW) if finding.severity is not Severity.NOTE] == []
    loaded = load(directory)
    assert [str(listener.transport) for listener in loaded.listeners] == ["udp", "tcp"]
    assert {person.role for person in loaded.policy.people.values()} == {"standard", "sales", "technical"}
    demo = {"200": "demo-200", "201": "demo-201", "201-gsm": "demo-201-gsm", "204": "demo-204", "301": "demo-301"}
    for user, password in demo.items():
        assert loaded.accounts[user].ha1_md5 == ha1(user, loaded.realm, password)[0]


def test_the_benchmark_configuration_is_what_its_script_writes(tmp_path: Path) -> None:
    from bench.make_config import PEOPLE, PREFIXES, write

    write(tmp_path)
    for name in ("company.yaml", "people.yaml", "greylist.txt"):
        assert (ROOT / "bench" / "config" / name).read_text() == (tmp_path / name).read_text()
    loaded = load(tmp_path)
    assert len(loaded.policy.people) == PEOPLE
    assert loaded.policy.greylist.entry_count == PREFIXES
    assert check(tmp_path, NOW) == ()


def test_an_empty_configuration_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        configuration("# nothing yet\n", tmp_path)
    missing = " ".join(finding.message for finding in raised.value.findings)
    assert all(section in missing for section in ("company", "sip", "numbers", "roles", "people"))


def test_the_sketch_of_a_role_can_be_written_as_the_policy_says_it() -> None:
    """Short and long forms of a condition mean the same."""
    long = COMPANY.replace("on_call: reception", "on_call: {then: reception}")
    assert yaml.safe_load(long) != yaml.safe_load(COMPANY)
    assert configuration(long).policy.people["claire"].on_line == configuration().policy.people["claire"].on_line
