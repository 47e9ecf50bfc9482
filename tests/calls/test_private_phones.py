"""How long private phones have been connected (D2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from router.calls.private_phones import CONNECTED, DAY, GONE, PrivatePhones
from router.model.decision import Connection
from router.model.peers import Account
from router.stores.database import Database
from router.stores.journal import Journal
from router.stores.states import SqliteStates
from tests.calls.story import COMPANY, TUESDAY_TEN, Phone, Story, configuration_of

NOW = TUESDAY_TEN
OWN = Account("202-own", "carol", Connection.PRIVATE, "0" * 32, until=NOW + 200 * DAY)
OTHER = replace(OWN, user="203-own", until=NOW + 30 * DAY)
DESK = Account("202", "carol", Connection.FIXED, "0" * 32)
ACCOUNTS = {account.user: account for account in (OWN, OTHER, DESK)}


def test_days_count_from_the_first_registration() -> None:
    phones = PrivatePhones(ACCOUNTS)
    phones.registered(OWN, NOW)
    phones.registered(OTHER, NOW + 10 * DAY)
    phones.registered(OWN, NOW + 12 * DAY)
    assert phones.days(NOW + 12 * DAY) == [12.0, 2.0]


def test_an_exception_that_has_ended_is_no_nuisance_any_more() -> None:
    phones = PrivatePhones(ACCOUNTS)
    phones.registered(OWN, NOW)
    phones.registered(OTHER, NOW)
    assert len(phones.days(NOW + 30 * DAY - 1)) == 2
    assert phones.days(NOW + 30 * DAY) == [30.0]


def test_an_exception_that_is_written_anew_counts_anew() -> None:
    phones = PrivatePhones(ACCOUNTS)
    phones.registered(OWN, NOW)
    phones.set_accounts({DESK.user: DESK}, NOW + DAY)
    phones.set_accounts(ACCOUNTS, NOW + 2 * DAY)
    assert phones.days(NOW + 2 * DAY) == []
    phones.registered(OWN, NOW + 3 * DAY)
    assert phones.days(NOW + 4 * DAY) == [1.0]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStates]:
    database = await Database.open(tmp_path / "renvoi.sqlite")
    yield SqliteStates(database)
    await database.close()


async def test_the_days_go_on_after_a_restart(store: SqliteStates) -> None:
    journal = Journal(store)
    phones = PrivatePhones(ACCOUNTS, journal)
    phones.registered(OWN, NOW)
    phones.registered(OTHER, NOW)
    phones.set_accounts({OWN.user: OWN}, NOW + DAY)
    phones.set_accounts(ACCOUNTS, NOW + DAY)
    phones.registered(OTHER, NOW + DAY)
    await journal.close()
    entries = await store.entries_of((CONNECTED, GONE))
    assert [(entry.action, entry.subject) for entry in entries] == [
        (CONNECTED, "202-own"),
        (CONNECTED, "203-own"),
        (GONE, "203-own"),
        (CONNECTED, "203-own"),
    ]
    restarted = PrivatePhones(ACCOUNTS)
    restarted.restore(entries, NOW + 2 * DAY)
    assert restarted.since == {"202-own": NOW, "203-own": NOW + DAY}


async def test_an_exception_that_went_while_the_router_was_off_is_noted_at_the_start(store: SqliteStates) -> None:
    journal = Journal(store)
    PrivatePhones(ACCOUNTS, journal).registered(OWN, NOW)
    await journal.written()
    restarted = PrivatePhones({DESK.user: DESK}, journal)
    restarted.restore(await store.entries_of((CONNECTED, GONE)), NOW + DAY)
    await journal.close()
    assert restarted.since == {}
    assert [entry.action for entry in await store.entries_of((CONNECTED, GONE))] == [CONNECTED, GONE]


def test_a_registration_by_sip_counts(tmp_path: Path) -> None:
    private = "own: {kind: private, user: 202-own, secret: secret-202-own, until: 2026-12-31, approved_by: alice}"
    text = COMPANY.replace(
        "desk: {kind: fixed, secret: secret-202}", f"desk: {{kind: fixed, user: '202', secret: secret-202}}, {private}"
    )
    story = Story(configuration_of(text, tmp_path / "company"))
    phone: Phone = story.phone("202-own")
    story.phone("202")
    story.advance(3600)
    phone.registers()
    assert story.exchange.private_phones.days(story.clock()) == [3600 / DAY]
    story.check_nothing_is_left()
    story.close()
