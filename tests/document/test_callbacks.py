"""What the written policy says of callbacks (P3), in a company whose mailboxes are the router's own."""

from __future__ import annotations

from tests.document.company import COMPANY, policy_of

OWN_MAILBOXES = COMPANY.replace('{sip: "sip:{extension}@127.0.0.1:5091"}', '{mailbox: "{person}"}')
STATEMENT = "profiles.callback"


def test_it_says_when_somebody_is_called_back_and_when_no_more() -> None:
    text = OWN_MAILBOXES + "callbacks: {tries: 4, keep_days: 2}\n"
    french, english = (policy_of(text, language).statements()[STATEMENT] for language in ("fr", "en"))
    assert getattr(french, "clauses", None) == ("P3", "S6", "X2")
    assert "jamais hors de ses heures" in getattr(french, "text", "")
    assert "4 tries in vain or 2 days" in getattr(english, "text", "")


def test_it_says_nothing_where_the_router_calls_nobody_back() -> None:
    assert STATEMENT not in policy_of(COMPANY).statements(), "the voicemail is somebody else's"
    assert STATEMENT not in policy_of(OWN_MAILBOXES + "callbacks: {tries: 0}\n").statements()
    assert STATEMENT not in policy_of(OWN_MAILBOXES.replace("[message, callback]", "[message]")).statements()
