"""Random stories: whatever phones and trunks do, in whatever order, with losses, nothing raises and nothing is left."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from router.configuration import Configuration
from router.model.decision import LineState
from router.sip.message import Request
from tests.calls.story import ANSWER, OFFER, Actor, Story

STORIES = int(os.environ.get("RANDOM_STORIES", "60"))
STEPS = 40
STATUSES = [*[200] * 12, *[180] * 4, 183, 100, 302, 401, 407, 404, 408, 480, 481, 486, 487, 491, 500, 503, 600, 603]

LOST: list[str | int] = ["INVITE", "ACK", "BYE", "CANCEL", 200, 180, 486, 487]

SPOILT = [
    b"",
    b"\r\n",
    b"\r",
    b";",
    b",",
    b'"',
    b"<",
    b">",
    b":",
    b"\xff",
    b"9",
    b"9" * 12,
    b" ",
    b"\0",
    b"x",
    b"tag=",
    b"%",
]


class Chaos:
    """One random story: actors that do what their protocol allows, and now and then what it does not."""

    def __init__(self, story: Story, seed: int) -> None:
        self.story = story
        self.chance = random.Random(seed)
        self.alice = story.phone("200", transport=self.chance.choice(["udp", "tcp"]))
        self.actors: list[Actor] = [
            self.alice,
            story.phone("201"),
            story.phone("201-gsm"),
            story.phone("202"),
            story.trunk("first"),
            story.trunk("second"),
            story.voicemail(),
            story.reception(),
        ]
        self.told: list[str] = []
        self._deliver = story.hand_in

    def spoil_messages(self) -> None:
        """From now on, some messages arrive twice or damaged."""
        self.story.hand_in = self.hand_in  # type: ignore[method-assign]

    def hand_in(self, data: bytes, actor: Actor) -> None:
        chance = self.chance.random()
        if chance < 0.03:
            self._deliver(data, actor)
        elif chance < 0.08:
            at = self.chance.randrange(len(data))
            end = at + self.chance.choice([1, 1, 2, 8, 30])
            data = data[:at] + self.chance.choice(SPOILT) + data[end:]
        self._deliver(data, actor)

    def step(self) -> None:
        """Let somebody do something."""
        actor = self.chance.choice(self.actors)
        verbs: list[Callable[[Actor], None]] = [self.wait, self.call, self.call, self.lose, self.vanish]
        if actor.conversations:
            verbs += (
                [self.answer] * 8
                + [self.acknowledge] * 5
                + [self.hang_up, self.cancel, self.change, self.tell, self.transfer]
            )
        if actor.inbox:
            verbs.append(self.respond)
        verb = self.chance.choice(verbs)
        self.told.append(f"{verb.__name__} {actor.user}")
        verb(actor)

    def wait(self, _actor: Actor) -> None:
        self.story.advance(self.chance.choice([0.1, 0.1, 0.5, 0.5, 1.0, 1.0, 5.0, 21.0, 33.0]))

    def lose(self, actor: Actor) -> None:
        what = self.chance.choice(LOST)
        self.story.drop_next(what, actor, self.chance.choice([1, 1, 2, 12]))

    def vanish(self, actor: Actor) -> None:
        """Somebody is not there for a while, with or without a sign of it."""
        if actor.transport == "tcp":
            self.story.break_connection(actor)
        elif actor.address in self.story.silent | self.story.unreachable:
            self.story.silent.discard(actor.address)
            self.story.unreachable.discard(actor.address)
        else:
            self.chance.choice([self.story.silent, self.story.unreachable]).add(actor.address)

    def call(self, actor: Actor) -> None:
        if actor.user in ("200", "202", "first"):
            number = self.chance.choice(
                ["201", "201", "201", "202", "+3242200121", "+3225551234", "+3225551234", "112", "999"]
            )
            actor.invites(number, body=self.chance.choice([OFFER, b""]))

    def answer(self, actor: Actor) -> None:
        conversation = actor.call
        if conversation.invite is not None:
            status = self.chance.choice(STATUSES)
            tag = self.chance.choice([None, None, None, "fork-a", "fork-b"])
            actor.responds(conversation.invite, status, body=ANSWER if status in (183, 200) else b"", tag=tag)

    def respond(self, actor: Actor) -> None:
        """Answer any request ever received, even again."""
        requests = [message for message in actor.inbox if isinstance(message, Request) and message.method != "ACK"]
        if requests:
            actor.responds(self.chance.choice(requests), self.chance.choice(STATUSES))

    def acknowledge(self, actor: Actor) -> None:
        for conversation in actor.conversations:
            if conversation.answer is not None:
                actor.acks(conversation=conversation, body=self.chance.choice([b"", ANSWER]))

    def hang_up(self, actor: Actor) -> None:
        conversation = self.chance.choice(actor.conversations)
        if conversation.remote_tag is not None:
            actor.hangs_up(conversation=conversation)

    def cancel(self, actor: Actor) -> None:
        if actor.call.sent is not None:
            actor.cancels()

    def change(self, actor: Actor) -> None:
        conversation = self.chance.choice(actor.conversations)
        if conversation.remote_tag is not None:
            actor.reinvites(conversation=conversation, body=self.chance.choice([OFFER, b""]))

    def tell(self, actor: Actor) -> None:
        conversation = self.chance.choice(actor.conversations)
        if conversation.remote_tag is not None:
            actor.sends_in_call(self.chance.choice(["INFO", "OPTIONS", "MESSAGE", "UPDATE"]), conversation=conversation)

    def transfer(self, actor: Actor) -> None:
        """Blind, or attended to any dialog that this actor knows."""
        conversation, other = self.chance.choice(actor.conversations), self.chance.choice(actor.conversations)
        if conversation.remote_tag is None:
            return
        number = self.chance.choice(["201", "202", "+3225551234", "999"])
        replaces = f"?Replaces={other.call_id}%3Bto-tag%3D{other.remote_tag}%3Bfrom-tag%3D{other.tag}"
        target = f"<sip:{number}@story.example{self.chance.choice(['', replaces])}>"
        actor.sends_in_call("REFER", f"Refer-To: {target}", conversation=conversation)


@pytest.mark.parametrize("seed", range(STORIES))
def test_a_random_story_leaves_nothing_behind(company: Configuration, seed: int) -> None:
    story = Story(company)
    try:
        chaos = Chaos(story, seed)
        chaos.spoil_messages()
        for _ in range(STEPS):
            chaos.step()
        story.advance(40)
        story.exchange.end_all(story.now)
        story.flush()
        story.check_nothing_is_left()
        assert set(story.lines.values()) <= {LineState.UNREGISTERED}  # who is registered is idle again
        assert all(record.ended_after >= (record.answered_after or 0.0) >= 0.0 for record in story.records)
    finally:
        story.close()
