"""What a caller enters by keys: one of several choices, or a number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from router.prompts.parts import Pause, PromptPart, Recorded

if TYPE_CHECKING:
    from router.calls.script import Script

KEYS: Final = "0123456789*#"  # of a telephone; each of them interrupts what is said
BETWEEN: Final = Pause(0.35)  # two sentences
DIGIT_SECONDS: Final = 4.0  # to press the next digit of a number
MAX_ROUNDS: Final = 3  # that a caller is asked the same


class NotUnderstoodError(Exception):
    """The caller was asked often enough, and chose nothing that was offered."""


async def choice(script: Script, question: Iterable[PromptPart], keys: str, key: str = "") -> str:
    """Ask until one of `keys` is pressed, and return it.

    Args:
        key: one that was pressed before; "" for none.

    Raises `NotUnderstoodError` after `MAX_ROUNDS`, `HungUp`.
    """
    sounds = script.voice.sounds(question)
    for _ in range(MAX_ROUNDS):
        key = key or await script.play(sounds, interruptible=KEYS) or await script.key(script.attendant.patience)
        if not key or key not in keys:
            apology = Recorded("menu.wrong" if key else "menu.nothing")
            key = await script.say(apology, BETWEEN, interruptible=KEYS)
        if key and key in keys:
            return key
    raise NotUnderstoodError


async def number(script: Script, question: Iterable[PromptPart], longest: int) -> str:
    """Ask for a number that `#` ends, or silence; return its digits, "" for none. `*` takes all of it back.

    Raises `HungUp`.
    """
    digits = ""
    key = await script.say(*question, interruptible=KEYS) or await script.key(script.attendant.patience)
    while key and key != "#":
        if key == "*":
            digits = ""
        elif key.isdigit():
            digits += key
        if len(digits) == longest:
            break
        key = await script.key(DIGIT_SECONDS)
    return digits
