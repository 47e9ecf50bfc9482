"""Mailboxes over HTTP: whose they are, what is in them, greetings, and the erasure of a caller (V1)."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from router.app import Router
from router.calls.clock import PolicyClock
from router.configuration import load
from router.configuration.tokens import new_token
from router.model.message import Message

TUESDAY_TEN = 1_795_510_800.0  # 2026-11-24T10:00+01:00
CUSTOMER = "+32475111222"
ROLES = {
    "boss": "administrator",
    "desk": "reception",
    "wall": "reader",
    "claire": "person, person: claire",
    "marc": "person, person: marc",
}
COMPANY = """
company:
  name: Atelier
  country: BE
  time_zone: Europe/Brussels
  main_number: "+3242200100"
  main_line: {{then: voicemail}}
numbers: [{{range: "+3242200100..+3242200199", verified: true}}]
targets: {{voicemail: {{mailbox: "{{person}}"}}}}
media: {{enabled: false}}
sip: {{listen: ["udp:127.0.0.1:{port}"], realm: api.example}}
http: {{listen: "127.0.0.1:{http}"}}
storage: {{directory: "{directory}/var"}}
roles: {{standard: {{when: {{on_call: voicemail, busy_other: voicemail, absent: voicemail}}}}}}
people:
  claire: {{name: Claire Dubois, role: standard, extension: "201"}}
  marc: {{name: Marc Lejeune, role: standard, extension: "202"}}
mailboxes: {{sales: {{name: Service Commercial, people: [claire]}}}}
trunks: {{first: {{address: "127.0.0.1:{trunk}", options_interval: 0s}}}}
api: {{tokens: {{{tokens}}}}}
"""


def wav(seconds: float = 1.0, rate: int = 8000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(rate)
        made.writeframes(bytes(range(200)) * round(seconds * rate / 100))
    return file.getvalue()


SOUND = wav()


class Answer(NamedTuple):
    status: int
    content: Any
    headers: Any


class Desk:
    """A running router and what asks it."""

    def __init__(self, directory: Path, client: aiohttp.ClientSession, ports: list[int]) -> None:
        made = {name: new_token() for name in ROLES}
        self.tokens = {name: token for name, (token, _) in made.items()}
        self.client = client
        tokens = ", ".join(f'{name}: {{hash: "{made[name][1]}", role: {role}}}' for name, role in ROLES.items())
        udp, http, trunk = ports
        self.text = COMPANY.format(port=udp, http=http, trunk=trunk, directory=directory, tokens=tokens)
        self.file = directory / "company.yaml"
        self.file.write_text(self.text)
        self.router = Router(load(directory), PolicyClock(TUESDAY_TEN))

    async def ask(self, token: str, method: str, path: str, body: Any = None, data: bytes = b"", **more: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.tokens[token]}", **more.pop("headers", {})}
        if data:
            headers.setdefault("Content-Type", "audio/wav")
        url = f"{self.router.web.url}/api/v1/{path}"
        sent = {"data": io.BytesIO(data)} if data else {"json": body}
        async with self.client.request(method, url, headers=headers, params=more, **sent) as answer:
            is_json = answer.content_type.endswith("json")
            content = await answer.json(content_type=None) if is_json else await answer.read()
            return Answer(answer.status, content, answer.headers)

    async def audit(self) -> list[tuple[str, str, str]]:
        entries = (await self.ask("boss", "GET", "audit")).content["entries"]
        return [(entry["actor"], entry["action"], entry["subject"]) for entry in entries if entry["actor"] != "start"]

    async def leave(self, mailbox: str = "claire", caller: str | None = CUSTOMER, urgent: bool = False) -> Message:
        store = self.router.mailboxes
        draft = await store.begin(mailbox, caller, "Client", TUESDAY_TEN, "En réunion")
        record(draft.path)
        return await store.confirm(draft, 2.0, urgent=urgent)


def record(path: str) -> None:
    Path(path).write_bytes(SOUND)


def lose(path: str) -> None:
    Path(path).unlink()


@pytest.fixture
async def desk(tmp_path: Path, unused_tcp_port_factory: Any, unused_udp_port_factory: Any) -> AsyncIterator[Desk]:
    async with aiohttp.ClientSession() as client:
        desk = Desk(tmp_path, client, [unused_udp_port_factory(), unused_tcp_port_factory(), unused_udp_port_factory()])
        await desk.router.start()
        yield desk
        await desk.router.stop(drain_seconds=0)


async def test_people_hear_and_mark_and_delete_their_messages(desk: Desk) -> None:
    message = await desk.leave(urgent=True)
    boxes = (await desk.ask("claire", "GET", "mailboxes")).content["mailboxes"]
    assert [(box["name"], box["new"]) for box in boxes] == [("claire", 1), ("sales", 0)]

    (listed,) = (await desk.ask("claire", "GET", "mailboxes/claire/messages")).content["messages"]
    assert listed == {
        "id": message.id,
        "kind": "message",
        "state": "new",
        "caller": CUSTOMER,
        "caller_name": "Client",
        "received": "2026-11-24T10:00:00+01:00",
        "seconds": 2.0,
        "urgent": True,
        "reason": "En réunion",
        "has_sound": True,
    }
    path = f"mailboxes/claire/messages/{message.id}"
    heard = await desk.ask("claire", "GET", path)
    assert (heard.status, heard.content) == (200, SOUND)
    assert heard.headers["Content-Type"] == "audio/wav"
    assert heard.headers["Cache-Control"] == "no-store"
    assert '"20261124-100000.wav"' in heard.headers["Content-Disposition"]
    part = await desk.ask("claire", "GET", path, headers={"Range": "bytes=0-3"})
    assert (part.status, part.content) == (206, b"RIFF")

    marked = await desk.ask("claire", "PATCH", path, {"state": "heard"})
    assert (marked.status, marked.content["state"]) == (200, "heard")
    box = (await desk.ask("claire", "GET", "mailboxes/claire")).content
    assert (box["new"], box["old"], box["urgent_new"], box["urgent_old"]) == (0, 1, 0, 1)
    gone = await desk.ask("claire", "DELETE", path)
    assert (gone.status, gone.content) == (204, b"")
    assert (await desk.ask("claire", "GET", path)).status == 404
    assert (await desk.ask("claire", "DELETE", path)).status == 404
    assert await desk.audit() == []  # her own


async def test_a_message_is_forwarded_to_a_colleague(desk: Desk) -> None:
    message = await desk.leave()
    path = f"mailboxes/claire/messages/{message.id}/copies"
    copy = await desk.ask("claire", "POST", path, {"mailbox": "marc"})
    assert (copy.status, copy.content["state"]) == (201, "new")
    heard = await desk.ask("marc", "GET", f"mailboxes/marc/messages/{copy.content['id']}")
    assert heard.content == SOUND
    nobody = await desk.ask("claire", "POST", path, {"mailbox": "mark"})
    assert (nobody.status, "did you mean 'marc'" in nobody.content["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("token", "status"), [("boss", 200), ("claire", 200), ("marc", 403), ("desk", 403), ("wall", 403)]
)
async def test_a_mailbox_opens_for_those_whose_it_is(desk: Desk, token: str, status: int) -> None:
    message = await desk.leave()
    for path in ("", "/messages", f"/messages/{message.id}"):
        assert (await desk.ask(token, "GET", f"mailboxes/claire{path}")).status == status
    if status == 403:
        for method, body in (("PATCH", {"state": "heard"}), ("DELETE", None)):
            assert (await desk.ask(token, method, f"mailboxes/claire/messages/{message.id}", body)).status == 403
        assert (await desk.ask(token, "PUT", "mailboxes/claire/greetings/absent", data=SOUND)).status == 403
        assert await desk.router.mailboxes.messages("claire") == [message]


async def test_no_message_is_reached_through_another_mailbox(desk: Desk) -> None:
    message = await desk.leave("claire")
    assert (await desk.ask("marc", "GET", f"mailboxes/marc/messages/{message.id}")).status == 404
    assert (await desk.ask("marc", "DELETE", f"mailboxes/marc/messages/{message.id}")).status == 404
    copies = await desk.ask("marc", "POST", f"mailboxes/marc/messages/{message.id}/copies", {"mailbox": "marc"})
    assert copies.status == 404
    assert (await desk.ask("marc", "GET", "mailboxes/nobody")).status == 403  # as for one that exists


async def test_whoever_opens_what_is_not_theirs_stands_in_the_audit(desk: Desk) -> None:
    message = await desk.leave()
    path = f"mailboxes/claire/messages/{message.id}"
    await desk.ask("boss", "GET", "mailboxes/claire/messages")
    await desk.ask("boss", "GET", path)
    await desk.ask("boss", "DELETE", path)
    assert await desk.audit() == [
        ("token boss", action, "mailbox claire") for action in ("delete message", "listen to message", "read mailbox")
    ]


async def test_a_greeting_is_set_heard_and_removed(desk: Desk) -> None:
    path = "mailboxes/claire/greetings/absent"
    assert (await desk.ask("claire", "GET", path)).status == 404
    largest = wav(179.0, 16000)
    answer = await desk.ask("claire", "PUT", path, data=largest)
    assert (answer.status, answer.content["greetings"]) == (200, ["absent"])
    heard = await desk.ask("claire", "GET", path)
    assert heard.content == largest
    answer = await desk.ask("claire", "DELETE", path)
    assert (answer.status, answer.content["greetings"]) == (200, [])
    assert (await desk.ask("claire", "GET", path)).status == 404


@pytest.mark.parametrize(
    ("data", "content_type", "status", "said"),
    [
        (b"ID3 no sound", "audio/wav", 422, "no WAV file"),
        (wav(rate=44100), "audio/wav", 422, "44100 Hz"),
        (SOUND, "audio/mpeg", 415, "audio/wav"),
        (bytes(6 * 1024 * 1024 + 1), "audio/wav", 413, "octets"),
    ],
    ids=["no sound", "44 kHz", "mp3", "huge"],
)
async def test_what_is_no_greeting_is_refused_with_a_reason(
    desk: Desk, data: bytes, content_type: str, status: int, said: str
) -> None:
    path = "mailboxes/claire/greetings/absent"
    answer = await desk.ask("claire", "PUT", path, data=data, headers={"Content-Type": content_type})
    assert (answer.status, said in answer.content["detail"]) == (status, True), answer.content
    assert desk.router.mailboxes.greeting("claire", "absent") is None


async def test_what_is_asked_wrongly_is_answered_with_what_is_wrong(desk: Desk) -> None:
    message = await desk.leave()
    path = f"mailboxes/claire/messages/{message.id}"
    assert (await desk.ask("claire", "PATCH", path, {"state": "lost"})).status == 422
    assert (await desk.ask("claire", "PUT", "mailboxes/claire/greetings/asleep", data=SOUND)).status == 404
    assert (await desk.ask("claire", "PUT", "mailboxes/claire/greetings/..%2F..%2Fx", data=SOUND)).status == 404
    answer = await desk.ask("boss", "GET", "mailboxes/clare")
    assert (answer.status, answer.content["detail"]) == (404, "there is no mailbox 'clare'; did you mean 'claire'?")
    lose(desk.router.mailboxes.sound(message))
    assert (await desk.ask("claire", "GET", path)).status == 404


async def test_a_caller_is_erased_in_any_spelling(desk: Desk) -> None:
    await desk.leave("claire", CUSTOMER)
    await desk.leave("marc", "0475111222")
    await desk.leave("sales", "0032475111222")
    other = await desk.leave("marc", "+32475111223")
    assert (await desk.ask("claire", "DELETE", "people-data", number=CUSTOMER)).status == 403
    assert (await desk.ask("boss", "DELETE", "people-data")).status == 422
    answer = await desk.ask("boss", "DELETE", "people-data", number="0475 11 12 22")
    assert (answer.status, answer.content) == (200, {"messages": 3, "recordings": 0})
    assert await desk.router.mailboxes.messages("marc") == [other]
    (entry,) = await desk.audit()
    assert entry == ("token boss", "erase caller", "…22")
    assert "475111222" not in str((await desk.ask("boss", "GET", "audit")).content)


async def test_the_description_names_sounds_and_empty_answers(desk: Desk) -> None:
    async with desk.client.get(f"{desk.router.web.url}/api/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    message = paths["/api/v1/mailboxes/{mailbox}/messages/{message}"]
    assert list(message["get"]["responses"]["200"]["content"]) == ["audio/wav"]
    assert "content" not in message["delete"]["responses"]["204"]
    greeting = paths["/api/v1/mailboxes/{mailbox}/greetings/{kind}"]
    assert list(greeting["put"]["requestBody"]["content"]) == ["audio/wav"]


async def test_a_reload_opens_a_mailbox_for_somebody_else(desk: Desk) -> None:
    message = await desk.leave("sales")
    path = f"mailboxes/sales/messages/{message.id}"
    assert (await desk.ask("marc", "GET", path)).status == 403
    desk.file.write_text(desk.text.replace("people: [claire]", "people: [marc]"))
    assert (await desk.ask("boss", "POST", "configuration/reload")).status == 200
    assert (await desk.ask("marc", "GET", path)).content == SOUND
    assert (await desk.ask("claire", "GET", path)).status == 403


async def test_messages_and_missing_greetings_are_counted(desk: Desk) -> None:
    """V2: two people have a mailbox, one of them greets callers."""
    await desk.ask("claire", "PUT", "mailboxes/claire/greetings/available", data=SOUND)
    await desk.leave()
    async with desk.client.get(f"{desk.router.web.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    assert "mailboxes_without_greeting 1.0" in lines
    assert 'voicemail_messages_total{outcome="kept"} 1.0' in lines
    report = (await desk.ask("boss", "GET", "mailboxes", without_greeting="true")).content["mailboxes"]
    assert [box["title"] for box in report] == ["Marc Lejeune"]
