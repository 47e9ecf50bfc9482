"""Random stories with transfers: whatever the parties do in whatever order, nothing raises and nothing is left."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from router.configuration import Configuration
from tests.calls.story import ANSWER, OFFER, Actor, Conversation, Story
from tests.calls.test_call_random import Chaos
from tests.calls.transferring import consulted, talk

STORIES = int(os.environ.get("RANDOM_STORIES", "120"))
STEPS = 60


class TransferChaos(Chaos):
    """Actors who mostly do as they should, so that calls come about, and transfer all of them."""

    def __init__(self, story: Story, seed: int) -> None:
        super().__init__(story, seed)
        _, bob, _, carol, *_ = self.actors
        talk(self.alice, bob, "201")
        talk(bob, carol, "202")

    def step(self) -> None:
        actor = self.chance.choice(self.actors)
        verbs: list[Callable[[Actor], None]] = [self.call, self.wait_a_little]
        if actor.conversations:
            verbs += [self.take] * 4 + [self.refer] * 4 + [self.settle] * 4
            verbs += [self.acknowledge, self.take_over, self.answer, self.hang_up, self.change, self.tell]
        if actor.inbox:
            verbs += [self.confirm] * 4 + [self.respond]
        verb = self.chance.choice(verbs)
        self.told.append(f"{verb.__name__} {actor.user}")
        verb(actor)

    def wait_a_little(self, _actor: Actor) -> None:
        self.story.advance(self.chance.choice([0.1, 0.5, 2.0, 4.0, 21.0]))

    def take(self, actor: Actor) -> None:
        """Answer whatever INVITE waits, by an offer where it has none."""
        for conversation in actor.conversations:
            invite, conversation.invite = conversation.invite, None
            if invite is not None:
                actor.responds(invite, 200, body=ANSWER if invite.body else OFFER)

    def settle(self, _actor: Actor) -> None:
        """Everybody does what is due."""
        for actor in self.actors:
            self.take(actor)
            self.acknowledge(actor)
            self.confirm(actor)

    def confirm(self, actor: Actor) -> None:
        """Answer all NOTIFYs that came."""
        for notify in actor.all_received("NOTIFY"):
            actor.responds(notify, 200)

    def refer(self, actor: Actor) -> None:
        conversation = self.chance.choice(actor.conversations)
        if conversation.remote_tag is None:
            return
        uri = f"sip:{self.chance.choice(['200', '201', '202', '+32475111222', '+22412345678', '999'])}@192.0.2.1"
        if self.chance.random() < 0.6:
            uri = consulted("202", self.any_conversation(actor))
        header = self.chance.choice(["Refer-Sub: true", "Refer-Sub: true", "Refer-Sub: false"])
        actor.sends_in_call("REFER", f"Refer-To: <{uri}>", header, conversation=conversation)

    def take_over(self, actor: Actor) -> None:
        """A phone takes a place in a call: of its own, of its person's other phone, or of somebody else."""
        if actor.user not in ("200", "201", "201-gsm", "202"):
            return
        there = self.any_conversation(actor)
        value = f"{there.call_id};to-tag={there.remote_tag};from-tag={there.tag}"
        actor.invites("200", f"Replaces: {value}", body=self.chance.choice([OFFER, b""]))

    def any_conversation(self, actor: Actor) -> Conversation:
        """Mostly one of the actor's own."""
        if self.chance.random() < 0.8:
            return self.chance.choice(actor.conversations)
        return self.chance.choice([each for other in self.actors for each in other.conversations])


@pytest.mark.parametrize("seed", range(STORIES))
def test_a_random_story_with_transfers_leaves_nothing_behind(company: Configuration, seed: int) -> None:
    story = Story(company)
    try:
        chaos = TransferChaos(story, seed)
        for _ in range(STEPS):
            chaos.step()
        story.advance(40)
        story.exchange.end_all(story.now)
        story.flush()
        story.check_nothing_is_left()
        assert not {"alice", "bob", "carol"} & set(story.lines)  # everybody is registered, and idle again
        assert all(record.ended_after >= (record.answered_after or 0.0) >= 0.0 for record in story.records)
    finally:
        story.close()
