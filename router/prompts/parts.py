"""What a composed sentence is made of."""

from __future__ import annotations

from typing import NamedTuple


class Recorded(NamedTuple):
    """A recording of the catalogue, or one that only a company has ("name.claire"), by its id."""

    id: str


class Pause(NamedTuple):
    """Silence between two parts, in seconds."""

    seconds: float


class Spoken(NamedTuple):
    """Words that nobody recorded beforehand, such as a person's name.

    Played is the first of these that can be: `before` and the company's recording `own`; `before` and `text` by the
    synthesiser; `otherwise`, a wording that does without.

    Args:
        text: what is to be said.
        own: id under which a company may have recorded it; "" for what nobody records.
        before: the beginning of the sentence.
        otherwise: in place of `before` and `text`; empty: nothing is said.
    """

    text: str
    own: str = ""
    before: tuple[Recorded, ...] = ()
    otherwise: tuple[Recorded, ...] = ()


PromptPart = Recorded | Pause | Spoken
Parts = tuple[PromptPart, ...]
