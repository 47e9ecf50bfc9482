"""The shape of a menu's section (Q1)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from router.configuration.section import Section
from router.configuration.short_forms import Says, with_then
from router.configuration.values import Duration


class MenuKey(Section):
    """Where a key leads; `says` is what that is called, in a menu that names its choices itself."""

    then: str
    says: Says = Field(default={})


class MenuSection(Section):
    """What callers choose by keys. `says` is a WAV file, the id of a prompt, or words; without it the choices are named
    one by one. `message` is the key that leads to the voicemail (Q5); `on_wrong` is "repeat", or a target."""

    says: Says = Field(default={})
    keys: dict[str, Annotated[MenuKey, BeforeValidator(with_then)]]
    timeout: Duration = 6
    on_timeout: str | None = None
    on_wrong: str = "repeat"
    repeats: Annotated[int, Field(ge=0, le=9)] = 2
    message: str = "#"
    languages: dict[str, str] = Field(default={})
