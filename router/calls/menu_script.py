"""Menus: the caller hears what there is to choose from, presses a key, and the policy says where that leads (Q1).

What was chosen becomes a fact of the call; every key interrupts at once. Menus that follow one another, and whatever
else the router itself answers, go on in the same sound; whoever is to be called is called while the caller hears it
ring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.calls.keypad import BETWEEN, KEYS
from router.calls.script import Script
from router.model.decision import TIMEOUT, WRONG, JoinQueue, LeaveMessage, PlayMenu, RingPerson, Target
from router.policy.snapshot import Menu
from router.prompts.compose import Option, say
from router.prompts.parts import Parts, Spoken
from router.prompts.parts import Recorded as Prompt

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.call import Call

_FILE: Final = ".wav"  # ends what names a file
_NOBODY: Final = (Prompt("transfer.failed"), BETWEEN, Prompt("system.later"), BETWEEN, Prompt("menu.goodbye"))
# What a target's name offers, where a menu names its choices itself.
_OFFERS: Final = {"reception": "offer.reception", "voicemail": "offer.message"}


class ChooseByKeys(Script):
    """Asks the caller, in one menu after the other, until a choice leads to somebody or something else."""

    def __init__(self, attendant: Attendant, call: Call, target: PlayMenu) -> None:
        Script.__init__(self, attendant, call)
        self._menu = target.menu

    async def run(self) -> None:
        await self.answer()
        call = self.call
        name = self._menu
        while True:
            choice = await self._choice(call.policy.menus[name])
            facts = call.facts._replace(chosen=(*call.facts.chosen, f"{name}:{choice}"))
            decision = self.attendant.exchange.decide(facts, call.policy)
            target = decision.target
            if not isinstance(target, PlayMenu):
                break
            call.redirect(decision, facts)
            name = target.menu
        await self.follow(decision, facts)
        await self.say(*_NOBODY)

    async def _choice(self, menu: Menu) -> str:
        """Return the key that the caller chose, or `TIMEOUT` or `WRONG` once they were asked often enough."""
        key, failures = "", 0
        while True:
            key = key or await self.play(await self._sounds(menu), interruptible=KEYS) or await self.key(menu.timeout)
            if key in menu.ways or key in menu.languages:
                return key
            if key and menu.leaves_when_wrong:
                return WRONG
            failures += 1
            if failures > menu.repeats:
                return WRONG if key else TIMEOUT
            key = await self.say(Prompt("menu.wrong" if key else "menu.nothing"), BETWEEN, interruptible=KEYS)

    # ------------------------------------------------------------------------------------------- what is said

    async def _sounds(self, menu: Menu) -> list[str]:
        """What the caller hears: what is written for their language, else each choice with its key."""
        voice = self.voice
        written = menu.says.get(voice.language.code) or menu.says.get("") or ""
        if written.endswith(_FILE):
            return [written]
        if written:
            words = Spoken(written)
            sounds = voice.sounds((Prompt(written),))
            if not sounds:
                await voice.prepare((words,))
                sounds = voice.sounds((words,))
            if sounds:
                return sounds
        parts = self._choices(menu)
        await voice.prepare(parts)
        sounds = voice.sounds(parts)
        for key, language in menu.languages.items():
            if language.code != voice.language.code:  # each is offered in its own words
                other = self.attendant.voice_for(language.code)
                sounds += other.sounds((BETWEEN, *say("options", {"options": [_to_speak(key)]}, other.language)))
        return sounds

    def _choices(self, menu: Menu) -> Parts:
        voice = self.voice
        options = [self._option(menu, key, way.target) for key, way in menu.ways.items() if key in KEYS]
        choices = say("options", {"options": options}, voice.language)
        if self.call.facts.chosen:
            return choices
        return (*say("welcome", {"company": voice.company}, voice.language), BETWEEN, *choices)

    def _option(self, menu: Menu, key: str, target: Target) -> Option:
        called = menu.called.get(key, {})
        name = called.get(self.voice.language.code) or called.get("") or ""
        own = str(target).rpartition(":")[2]
        if not name:
            policy = self.call.policy
            if isinstance(target, LeaveMessage):
                return Option(key, "offer.message")
            if str(target) in _OFFERS:
                return Option(key, _OFFERS[str(target)])
            if isinstance(target, PlayMenu) and target.menu == menu.name:
                return Option(key, "offer.again")
            if isinstance(target, PlayMenu) and self._has_been_in(target.menu):
                return Option(key, "message.menu")
            if isinstance(target, RingPerson):
                name = policy.people[target.person].name
            elif isinstance(target, JoinQueue):
                name = policy.queues[target.queue].name
            else:
                return Option(key, "offer.transfer")
        return Option(key, "offer.transfer_to", name, f"name.{own}")

    def _has_been_in(self, menu: str) -> bool:
        return any(choice.startswith(f"{menu}:") for choice in self.call.facts.chosen)


def _to_speak(key: str) -> Option:
    return Option(key, "offer.language")
