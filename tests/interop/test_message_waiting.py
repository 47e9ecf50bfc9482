"""A phone's lamp and the router's own mailboxes (V1; RFC 3842)."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

from router.configuration.tokens import new_token
from router.model.mailbox import Mailbox, VoicemailRules
from router.model.message import Message
from router.stores.database import Database
from router.stores.mailboxes import SqliteMailboxes

from .company import OUTSIDE, SECRET, Company
from .conftest import StartRouter, needs_sipp
from .peers import Peers

pytestmark = needs_sipp

TUESDAY = 1_795_510_800.0  # when the router's clock starts


def leave(directory: Path, mailbox: str) -> Message:
    """Leave an urgent message in a mailbox while no router runs."""
    directory.mkdir(parents=True, exist_ok=True)

    async def left() -> Message:
        database = await Database.open(directory / "renvoi.sqlite")
        boxes = {mailbox: Mailbox(mailbox, mailbox)}
        store = await SqliteMailboxes.open(database, directory, boxes, VoicemailRules())
        draft = await store.begin(mailbox, OUTSIDE, None, TUESDAY)
        record(draft.path)
        message = await store.confirm(draft, 1.0, urgent=True)
        await store.close()
        await database.close()
        return message

    return asyncio.run(left())


def record(path: str) -> None:
    Path(path).write_bytes(b"RIFF" + bytes(16_000))


def test_the_lamp_is_lit_and_goes_out_when_the_message_was_heard(
    company: Company, start_router: StartRouter, peers_of: Callable[..., Peers]
) -> None:
    message = leave(Path(company.document["storage"]["directory"]), "benoit")
    token, kept = new_token()
    company.document["targets"]["voicemail"] = {"mailbox": "{person}"}
    company.document["media"] = {"enabled": False}
    company.document["api"] = {"tokens": {"benoit": {"hash": kept, "role": "person", "person": "benoit"}}}
    router = start_router()
    phone = peers_of(router).stranger(
        "phone_sees_its_lamp_go_out", "202", user="202", password=SECRET.format("202"), keys={"caller": "202"}
    )
    assert "yes" in phone.request("NOTIFY").body
    request = urllib.request.Request(
        f"http://127.0.0.1:{company.http_port}/api/v1/mailboxes/benoit/messages/{message.id}",
        data=json.dumps({"state": "heard"}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="PATCH",
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert json.load(answer)["state"] == "heard"
    phone.succeeds()
    assert router.metric("mailboxes_without_greeting") > 0
