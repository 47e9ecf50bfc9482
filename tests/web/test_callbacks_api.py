"""Callbacks over HTTP (P3): whoever waits is seen, and taken off the list."""

from __future__ import annotations

from typing import Any

from router.model.message import MessageKind
from tests.web.test_mailboxes_api import CUSTOMER, TUESDAY_TEN, Desk, desk

__all__ = ["desk"]  # the fixture
OTHER = "+32475333444"


async def wished(desk: Desk, number: str = CUSTOMER, at: float = TUESDAY_TEN) -> None:
    """Somebody was promised that Claire calls them back."""
    store = desk.router.mailboxes
    draft = await store.begin("claire", number, "Client", at)
    message = await store.confirm(draft, 0.0, kind=MessageKind.CALLBACK)
    await desk.router.callbacks.take(number, message)


async def numbers(desk: Desk, token: str, path: str) -> tuple[int, Any]:
    answer = await desk.ask(token, "GET", path)
    if answer.status != 200:
        return answer.status, None
    return 200, [callback["number"] for callback in answer.content["callbacks"]]


async def test_the_desk_sees_all_of_them_and_a_person_their_own(desk: Desk) -> None:
    await wished(desk, OTHER, TUESDAY_TEN + 60)
    await wished(desk)
    assert await numbers(desk, "desk", "callbacks") == (200, [CUSTOMER, OTHER])
    assert await numbers(desk, "claire", "people/claire/callbacks") == (200, [CUSTOMER, OTHER])
    assert await numbers(desk, "boss", "people/marc/callbacks") == (200, [])
    assert (await numbers(desk, "marc", "people/claire/callbacks"))[0] == 403
    assert (await numbers(desk, "claire", "callbacks"))[0] == 403
    assert (await numbers(desk, "wall", "callbacks"))[0] == 403, "who names no caller sees none"
    assert (await numbers(desk, "desk", "people/clair/callbacks"))[0] == 404
    [first, _] = (await desk.ask("desk", "GET", "callbacks")).content["callbacks"]
    assert {name: first[name] for name in first if name != "id"} == {
        "person": "claire",
        "number": CUSTOMER,
        "caller_name": "Client",
        "asked": "2026-11-24T10:00:00+01:00",
        "next_try": None,
        "person_tries": 0,
        "caller_tries": 0,
        "being_called": False,
    }


async def test_one_is_taken_back_for_good_and_the_message_stays(desk: Desk) -> None:
    await wished(desk)
    [callback] = (await desk.ask("claire", "GET", "people/claire/callbacks")).content["callbacks"]
    path = f"people/claire/callbacks/{callback['id']}"
    assert (await desk.ask("marc", "DELETE", path)).status == 403
    assert (await desk.ask("claire", "DELETE", path)).status == 204
    assert (await desk.ask("claire", "DELETE", path)).status == 404
    assert await numbers(desk, "desk", "callbacks") == (200, [])
    assert await desk.router.callback_store.load() == []
    assert desk.router.mailboxes.counts("claire").new == 1
    audit = (await desk.ask("boss", "GET", "audit")).content["entries"]
    [entry] = [entry for entry in audit if entry["action"] == "cancel callback"]
    assert (entry["actor"], entry["subject"]) == ("token claire", "claire")
    assert CUSTOMER not in str(entry)


async def test_who_is_erased_is_not_called_back(desk: Desk) -> None:
    await wished(desk)
    await wished(desk, OTHER)
    assert (await desk.ask("boss", "DELETE", "people-data", number="0475 11 12 22")).status == 200
    assert await numbers(desk, "desk", "callbacks") == (200, [OTHER])
