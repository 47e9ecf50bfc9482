"""The API as its users see it: a real router, asked over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema  # type: ignore[import-untyped]
import pytest

from router.app import Router
from router.calls.clock import PolicyClock
from router.configuration import load
from router.configuration.tokens import new_token

TUESDAY_TEN = 1_795_510_800.0  # 2026-11-24T10:00+01:00
CUSTOMER = "+32475111222"

COMPANY = """
company:
  name: Atelier
  country: BE
  time_zone: Europe/Brussels
  main_number: "+3242200100"
  main_line: {{then: reception}}
numbers: [{{range: "+3242200100..+3242200199", verified: true}}]
calendars: {{weekdays: {{days: mon-fri}}}}
targets:
  reception: {{sip: "sip:reception@127.0.0.1:5090"}}
  voicemail: {{sip: "sip:{{extension}}@127.0.0.1:5091"}}
sip: {{listen: ["udp:127.0.0.1:{port}"], realm: api.example}}
http: {{listen: "127.0.0.1:{http}"}}
storage: {{directory: "{directory}/var"}}
profiles:
  meeting: {{kind: busy_other, says: {{fr: En réunion}}}}
  leave: {{kind: absent, says: {{fr: En congé}}}}
roles:
  standard:
    shows: {{fixed: direct_number}}
    may: {{profiles: [meeting], for_at_most: 4h}}
    when: {{on_call: voicemail, busy_other: reception, absent: voicemail}}
people:
  paul: {{name: Paul Servais, role: standard, extension: "204", direct_number: "+3242200124",
          devices: {{desk: {{kind: fixed, secret: secret-204}}}}}}
  claire: {{name: Claire Dubois, role: standard, extension: "201", direct_number: "+3242200121"}}
trunks: {{first: {{address: "127.0.0.1:{trunk}", options_interval: 0s}}}}
greylist: {{prefixes: ["+224"]}}
api:
  tokens:
    boss: {{hash: "{boss}", role: administrator}}
    desk: {{hash: "{desk}", role: reception}}
    wall: {{hash: "{wall}", role: reader}}
    paul: {{hash: "{paul}", role: person, person: paul}}
    old: {{hash: "{old}", role: administrator, until: 2026-11-23}}
"""


class Desk:
    """A running router and what asks it. `tokens` are by name."""

    def __init__(self, directory: Path, client: aiohttp.ClientSession, ports: list[int]) -> None:
        made = {name: new_token() for name in ("boss", "desk", "wall", "paul", "old")}
        self.tokens = {name: token for name, (token, _) in made.items()}
        self.file = directory / "company.yaml"
        self.client = client
        self.router: Router
        self.moment = TUESDAY_TEN
        udp, http, trunk = ports
        hashes = {name: kept for name, (_, kept) in made.items()}
        self.text = COMPANY.format(port=udp, http=http, trunk=trunk, directory=directory, **hashes)
        self.file.write_text(self.text)

    async def start(self) -> None:
        self.router = Router(load(self.file.parent), PolicyClock(self.moment))
        self.moment += 60  # the next start is a minute later
        await self.router.start()

    async def stop(self) -> None:
        await self.router.stop(drain_seconds=0)

    async def ask(
        self, token: str | None, method: str, path: str, body: Any = None, **parameters: Any
    ) -> tuple[int, Any]:
        """Return status and JSON body of an answer."""
        headers = {"Authorization": f"Bearer {self.tokens.get(token, token)}"} if token else {}
        url = f"{self.router.web.url}{path}"
        async with self.client.request(method, url, json=body, params=parameters, headers=headers) as response:
            return response.status, await response.json(content_type=None)


@pytest.fixture
async def desk(tmp_path: Path, unused_tcp_port_factory: Any, unused_udp_port_factory: Any) -> AsyncIterator[Desk]:
    async with aiohttp.ClientSession() as client:
        desk = Desk(tmp_path, client, [unused_udp_port_factory(), unused_tcp_port_factory(), unused_udp_port_factory()])
        await desk.start()
        yield desk
        await desk.stop()


async def test_nobody_gets_in_without_a_valid_token(desk: Desk) -> None:
    url = f"{desk.router.web.url}/api/v1/people"
    for authorization in (
        None,
        "Basic Ym9zczpib3Nz",
        "Bearer",
        "Bearer renvoi_guessed",
        f"Bearer {desk.tokens['old']}",
    ):
        headers = {"Authorization": authorization} if authorization else {}
        async with desk.client.get(url, headers=headers) as response:
            assert response.status == 401, authorization
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert response.content_type == "application/problem+json"
            assert "Claire" not in await response.text()


@pytest.mark.parametrize(
    ("token", "method", "path"),
    [
        ("wall", "GET", "/api/v1/calls"),
        ("wall", "PUT", "/api/v1/people/paul/profile"),
        ("desk", "PUT", "/api/v1/people/paul/profile"),
        ("desk", "GET", "/api/v1/audit"),
        ("desk", "POST", "/api/v1/configuration/reload"),
        ("paul", "GET", "/api/v1/people"),
        ("paul", "GET", "/api/v1/people/claire"),
        ("paul", "PUT", "/api/v1/people/claire/profile"),
        ("paul", "POST", "/api/v1/simulate"),
    ],
)
async def test_a_role_opens_only_what_is_meant_for_it(desk: Desk, token: str, method: str, path: str) -> None:
    status, answer = await desk.ask(token, method, path, {"profile": "meeting"} if method == "PUT" else None)
    assert (status, answer["title"]) == (403, "Forbidden")
    assert "claire" not in desk.router.states.selections and "paul" not in desk.router.states.selections


async def test_an_administrators_selection_holds_for_the_next_call_and_over_a_restart(desk: Desk) -> None:
    """P1 P2: with its automatic return, and written down."""
    call = {"from": CUSTOMER, "to": "+3242200124", "states": ["paul=idle"]}
    _, before = await desk.ask("boss", "POST", "/api/v1/simulate", call)
    assert before["decision"]["action"] == "ring"

    status, paul = await desk.ask(
        "boss", "PUT", "/api/v1/people/paul/profile", {"profile": "leave", "until": "2026-11-24T15:30"}
    )
    assert status == 200
    assert paul["profile"] == {
        "profile": "leave",
        "kind": "absent",
        "by": "administrator",
        "until": "2026-11-24T15:30:00+01:00",
        "forward": "",
    }
    _, after = await desk.ask("boss", "POST", "/api/v1/simulate", call)
    assert (after["decision"]["target"], after["decision"]["profile"]) == ("voicemail", "leave")
    assert any("token boss" in reason["text"] for reason in after["decision"]["because"])
    _, later = await desk.ask("boss", "POST", "/api/v1/simulate", {**call, "at": "2026-11-24T15:30"})
    assert later["decision"]["action"] == "ring"

    await desk.stop()
    await desk.start()
    _, paul = await desk.ask("wall", "GET", "/api/v1/people/paul")
    assert paul["profile"]["profile"] == "leave"
    _, audit = await desk.ask("boss", "GET", "/api/v1/audit", subject="paul")
    assert [(entry["actor"], entry["action"]) for entry in audit["entries"]] == [("token boss", "select profile")]

    status, paul = await desk.ask("boss", "DELETE", "/api/v1/people/paul/profile")
    assert (status, paul["profile"]) == (200, None)
    _, audit = await desk.ask("boss", "GET", "/api/v1/audit", subject="paul", limit=1)
    assert audit["entries"][0]["action"] == "take selection back"


async def test_people_choose_within_their_limits(desk: Desk) -> None:
    """R8."""
    path = "/api/v1/people/paul/profile"
    status, answer = await desk.ask("paul", "PUT", path, {"profile": "leave"})
    assert status == 403
    assert "R8" in answer["detail"] and "meeting" in answer["detail"]
    status, answer = await desk.ask("paul", "PUT", path, {"profile": "meeting", "minutes": 600})
    assert status == 403

    status, paul = await desk.ask("paul", "PUT", path, {"profile": "meeting", "minutes": 60})
    assert (status, paul["profile"]["by"]) == (200, "person")
    status, _ = await desk.ask("boss", "PUT", path, {"profile": "leave"})
    _, paul = await desk.ask("paul", "GET", "/api/v1/people/paul")
    assert (paul["profile"]["profile"], len(paul["selections"])) == ("leave", 2)  # G4: the administrator's weighs more
    status, answer = await desk.ask("paul", "DELETE", path, by="administrator")
    assert status == 403
    _, paul = await desk.ask("boss", "DELETE", path)
    assert paul["profile"]["profile"] == "meeting"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "body.profile"),
        ({"profile": "meating"}, 422, "did you mean 'meeting'?"),
        ({"profile": "meeting", "end": "12:00"}, 422, "body.end"),
        ({"profile": "meeting", "until": "tomorrow"}, 422, "ISO 8601"),
        ({"profile": "meeting", "until": "2026-11-24T09:00"}, 422, "past"),
        ({"profile": "meeting", "until": "2026-11-24T12:00", "minutes": 5}, 422, "not both"),
        ({"profile": "meeting", "minutes": -5}, 422, "body.minutes"),
        ({"profile": "meeting", "forward": "nowhere"}, 403, "nowhere"),
        (["meeting"], 422, "body"),
    ],
)
async def test_a_bad_body_is_answered_with_what_is_wrong_and_changes_nothing(
    desk: Desk, body: Any, status: int, said: str
) -> None:
    answered, answer = await desk.ask("boss", "PUT", "/api/v1/people/paul/profile", body)
    assert answered == status, answer
    assert said in str(answer)
    assert not desk.router.states.selections


async def test_what_is_no_json_is_refused(desk: Desk) -> None:
    url = f"{desk.router.web.url}/api/v1/people/paul/profile"
    headers = {"Authorization": f"Bearer {desk.tokens['boss']}"}
    for data, content_type, status in (
        (b"{", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"profile=meeting", "application/x-www-form-urlencoded", 415),
        (b'"' + b"x" * 100_000 + b'"', "application/json", 413),
    ):
        async with desk.client.put(url, data=data, headers={**headers, "Content-Type": content_type}) as response:
            assert response.status == status, await response.text()


async def test_unknown_things_are_not_found(desk: Desk) -> None:
    status, answer = await desk.ask("boss", "GET", "/api/v1/people/pol")
    assert (status, answer["detail"]) == (404, "there is no person 'pol'; did you mean 'paul'?")
    assert (await desk.ask("boss", "GET", "/api/v1/nothing"))[0] == 404
    assert (await desk.ask("boss", "DELETE", "/api/v1/people"))[0] == 404


async def test_the_greylist_is_asked_in_any_spelling(desk: Desk) -> None:
    """X2."""
    for number in ("+224621000000", "00224621000000"):
        status, answer = await desk.ask("wall", "GET", f"/api/v1/greylist/{number}")
        assert (status, answer["may_be_called"], answer["number"]) == (200, False, "+224621000000")
        assert answer["because"][0]["clause"] == "X2"
    assert (await desk.ask("wall", "GET", "/api/v1/greylist/042200121"))[1]["may_be_called"] is True
    assert (await desk.ask("wall", "GET", "/api/v1/greylist/xyz"))[0] == 422


async def test_a_reload_over_the_api(desk: Desk) -> None:
    _, old = await desk.ask("boss", "GET", "/api/v1/configuration")
    desk.file.write_text(desk.text.replace('role: standard, extension: "204"', 'role: standerd, extension: "204"'))
    status, answer = await desk.ask("boss", "POST", "/api/v1/configuration/reload")
    assert status == 422
    assert any("standerd" in fault["what"] for fault in answer["errors"])
    assert answer["errors"][0]["where"].startswith("company.yaml:")
    assert (await desk.ask("boss", "GET", "/api/v1/configuration"))[1] == old

    desk.file.write_text(desk.text.replace("Paul Servais", "Paul Servais-Dupont"))
    status, new = await desk.ask("boss", "POST", "/api/v1/configuration/reload")
    assert status == 200
    assert new["hash"] != old["hash"]
    _, paul = await desk.ask("boss", "GET", "/api/v1/people/paul")
    assert paul["name"] == "Paul Servais-Dupont"
    _, audit = await desk.ask("boss", "GET", "/api/v1/audit", subject=new["hash"])
    assert audit["entries"][0]["actor"] == "token boss"


async def test_a_token_that_a_reload_takes_away_opens_nothing_more(desk: Desk) -> None:
    lines = [line for line in desk.text.splitlines() if not line.startswith("    wall:")]
    desk.file.write_text("\n".join(lines))
    assert (await desk.ask("wall", "GET", "/api/v1/people"))[0] == 200
    assert (await desk.ask("boss", "POST", "/api/v1/configuration/reload"))[0] == 200
    assert (await desk.ask("wall", "GET", "/api/v1/people"))[0] == 401


async def test_every_answer_is_as_the_description_says(desk: Desk) -> None:
    status, description = await desk.ask(None, "GET", "/api/openapi.json")
    assert (status, description["openapi"]) == (200, "3.1.0")
    bodies: dict[str, Any] = {
        "select_profile": {"profile": "meeting"},
        "simulate_call": {"from": CUSTOMER, "to": "201"},
        "mark_message": {"state": "heard"},
        "forward_message": {"mailbox": "paul"},
        "set_greeting": {},
        "move_place": {"tier": 0},
        "set_duty": {"duty": "in"},
        "control_recording": {"do": "pause"},
    }
    asked = set()
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            name = operation["operationId"]
            asked.add(name)
            url = path.replace("{person}", "paul").replace("{number}", "112")
            status, answer = await desk.ask("boss", method.upper(), url, bodies.get(name))
            expected = str(status) if str(status) in operation["responses"] else "default"
            (content,) = operation["responses"][expected]["content"].values()
            schema = {**content["schema"], "components": description["components"]}
            jsonschema.validate(answer, schema)
            assert ("requestBody" in operation) == (name in bodies)
    assert {"list_people", "select_profile", "simulate_call", "list_audit", "list_calls", "list_trunks"} <= asked


async def test_many_who_ask_at_once_are_all_answered(desk: Desk) -> None:
    async def select(minutes: int) -> int:
        body = {"profile": "meeting", "minutes": minutes}
        return (await desk.ask("boss", "PUT", "/api/v1/people/paul/profile", body))[0]

    assert set(await asyncio.gather(*(select(minutes) for minutes in range(1, 21)))) == {200}
    _, audit = await desk.ask("boss", "GET", "/api/v1/audit", subject="paul")
    assert len(audit["entries"]) == 20
