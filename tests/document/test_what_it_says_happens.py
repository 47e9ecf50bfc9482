"""What the document says about calls is what happens to calls."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from router.configuration import Configuration, load
from router.model.decision import Attempt, Connection, Facts, LineState, Origin, Outcome, SelectedBy, Selection
from router.policy import decide
from tests.document.company import BRUSSELS, COMPANY, the_policy

TUESDAY_MORNING = datetime.fromisoformat("2026-11-24T10:15").replace(tzinfo=BRUSSELS).timestamp()
WORDS = {
    "voicemail": "voicemail",
    "reception": "reception",
    "queue:sales": "the queue “Service Commercial”",
    "queue:technical": "the queue “Service Technique”",
    "claire": "Claire Dubois",
}
PEOPLE = {"paul": "204", "claire": "201", "marc": "202", "thomas": "301", "emma": "304"}
CONDITIONS = ("on_call", "busy_other", "absent", "no_answer", "unreachable")


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    directory: Path = tmp_path_factory.mktemp("company")
    (directory / "company.yaml").write_text(COMPANY)
    return load(directory)


def facts(person: str, condition: str) -> Facts:
    """A colleague calls somebody who is in this condition."""
    lines: dict[str, LineState] = {}
    selections: dict[str, tuple[Selection, ...]] = {}
    attempts: tuple[Attempt, ...] = ()
    match condition:
        case "on_call":
            lines[person] = LineState.ON_CALL
        case "unreachable":
            lines[person] = LineState.UNREGISTERED
        case "no_answer":
            attempts = (Attempt(person, Outcome.NO_ANSWER),)
        case _:
            selections[person] = (Selection(person, condition, SelectedBy.ADMINISTRATOR, 0.0),)
    return Facts(
        Origin.PERSON,
        "205",
        PEOPLE[person],
        "sophie",
        Connection.FIXED,
        lines=lines,
        selections=selections,
        attempts=attempts,
    )


def stated(person: str, role: str | None, condition: str) -> str:
    """Return what a reader finds: the person's own rule, else their role's, else that of the role it is based on."""
    statements = the_policy("en").statements()
    based_on = {"sales": "standard", "technical": "standard", "apprentice": "technical"}
    places = [f"personal.{person}.{condition}"]
    while role is not None:
        places.append(f"roles.{role}.{condition}")
        role = based_on.get(role)
    return next(str(getattr(statements[place], "text", "")) for place in places if place in statements)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("person", PEOPLE)
def test_a_call_goes_where_the_document_says(configuration: Configuration, person: str, condition: str) -> None:
    decision = decide(facts(person, condition), configuration.policy, TUESDAY_MORNING)
    role = configuration.policy.people[person].role
    assert stated(person, role, condition).endswith(f"forwarded to {WORDS[str(decision.target)]}.")


@pytest.mark.parametrize(
    ("account", "person", "connection", "place", "words"),
    [
        ("204", "paul", Connection.FIXED, "fixed.shown", "the person's direct number"),
        ("204-gsm", "paul", Connection.MOBILE, "mobile.shown", "the main number"),
        ("201", "claire", Connection.FIXED, "roles.sales.shows", "The personal mobile number"),
        ("301", "thomas", Connection.SOFTPHONE, "roles.technical.shows", "The team's number"),
    ],
)
def test_a_call_shows_what_the_document_says(
    configuration: Configuration, account: str, person: str, connection: Connection, place: str, words: str
) -> None:
    numbers = {
        "the person's direct number": "+3242200124",
        "the main number": "+3242200100",
        "The personal mobile number": "+32470555012",
        "The team's number": "+3242200160",
    }
    call = Facts(Origin.PERSON, account, "0475111222", person, connection)
    assert decide(call, configuration.policy, TUESDAY_MORNING).shown_number == numbers[words]
    text = str(getattr(the_policy("en").statements()[place], "text", "")).replace(
        "\N{RIGHT SINGLE QUOTATION MARK}", "'"
    )
    assert words in text
