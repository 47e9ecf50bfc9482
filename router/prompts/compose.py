"""Puts sentences together of recorded parts.

    say("position", {"place": 3}, French("BE"))
    say("greeting", {"name": "Claire Dubois", "own": "name.claire", "says": "En réunion", …}, French("BE"))
    say("queue.thanks", {}, English())

The first argument is a key of `KINDS`, whose values are the named arguments of its function, or a sentence of the
catalogue. What nobody recorded comes as `Spoken`, with a wording that does without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Final, NamedTuple

from router.prompts.catalogue import PROMPTS, Language
from router.prompts.parts import Parts, Pause, PromptPart, Recorded, Spoken
from router.prompts.sentences import SENTENCES
from router.prompts.telephone import grouped

OWN_COMPANY: Final = "company.name"  # id of a company's recording of its own name
_AFTER_SENTENCE: Final = Pause(0.35)
_WITHIN_SENTENCE: Final = Pause(0.15)
_BETWEEN_DIGITS: Final = Pause(0.2)

# What a profile says in the configuration, and the reason that was recorded for it.
_REASONS_BY_TEXT: Final = {
    text.casefold().rstrip("."): name.replace("profile.", "reason.")
    for name, sentence in SENTENCES.items()
    for text in sentence
    if name.startswith("profile.") and name.replace("profile.", "reason.") in SENTENCES
} | {
    "fermé ce jour férié": "reason.public_holiday",
    "closed for the holiday": "reason.public_holiday",
    "en cours": "reason.teaching",
    "en consultation": "reason.with_a_patient",
    "en formation": "reason.training",
    "on site": "reason.travelling",
}


class Option(NamedTuple):
    """One choice of a menu.

    Args:
        key: "0" to "9", "*" or "#".
        offer: its sentence ("offer.message", "record.again"), or "offer.transfer_to".
        name: for "offer.transfer_to": whom it reaches; own: id under which a company may have recorded that name.
    """

    key: str
    offer: str
    name: str = ""
    own: str = ""


def say(kind: str, values: Mapping[str, object], language: Language) -> Parts:
    """Compose a sentence.

    Args:
        kind: a key of `KINDS` or of `SENTENCES`.
        values: the arguments of that kind by name; none for a sentence.
        language: see `catalogue.language`.

    Raises:
        ValueError: there is no such kind, a value is missing or unknown, or lies outside what can be said.
    """
    if kind in SENTENCES:
        if values:
            raise ValueError(f"the sentence {kind} takes no values")
        return (Recorded(kind),)
    if kind not in KINDS:
        raise ValueError(f"there is no sentence {kind!r}; composed are {', '.join(KINDS)}")
    function, required, optional = KINDS[kind]
    missing = [name for name in required if name not in values]
    unknown = [name for name in values if name not in required and name not in optional]
    if missing or unknown:
        raise ValueError(f"{kind} needs {', '.join(required) or 'no values'}; it was given {', '.join(values)}")
    return _paced(function(language, **values), language)


def transcript(parts: Iterable[PromptPart], language: Language) -> str:
    """Write what is said, for records and screens."""
    words: list[str] = []
    for part in parts:
        if isinstance(part, Spoken):
            words += [*(_text(before, language) for before in part.before), part.text]
        elif isinstance(part, Recorded):
            words.append(_text(part, language))
        elif part == _AFTER_SENTENCE and words:
            words[-1] = _sentence(words[-1])
        elif part == _BETWEEN_DIGITS and words:
            words[-1] += ","
    return _sentence(" ".join(words)) if words else ""


def number(language: Language, *, number: int) -> Parts:
    """A number from 0 to 999."""
    return language.number(number)


def telephone(language: Language, *, number: str) -> Parts:
    """A telephone number, grouped as the listener's country groups it."""
    parts: list[PromptPart] = []
    for group in grouped(number, language.country):
        if parts:
            parts.append(_BETWEEN_DIGITS)
        parts += [Recorded("telephone.plus")] if group == "+" else language.telephone_group(group)
    return tuple(parts)


def time_of_day(language: Language, *, at: time) -> Parts:
    """A time of day."""
    return language.clock(at)


def on_date(language: Language, *, on: date) -> Parts:
    """A date, with its weekday and without its year."""
    return language.day(on)


def duration(language: Language, *, seconds: float) -> Parts:
    """How long something lasts: to the second below an hour, to the minute from there on."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if not whole:
        return (*language.number(0), Recorded("unit.seconds"))
    return language.duration(hours, minutes, 0 if hours else left)


def position(language: Language, *, place: int) -> Parts:
    """A caller's place in a waiting line, 1 being the first (Q3)."""
    if place < 1:
        raise ValueError(f"a place in a waiting line is 1 or more, not {place}")
    if f"position.{place}" in language.words:
        return (Recorded(f"position.{place}"),)
    if place > 999:
        return (Recorded("queue.more_than_twenty"),)
    return (Spoken(language.position(place), otherwise=(Recorded("queue.more_than_twenty"),)),)


def back(language: Language, *, until: datetime, now: datetime) -> Parts:
    """When somebody is back: at a time, tomorrow, on Monday, on a date. Both times are the company's."""
    days = (until.date() - now.date()).days
    if until <= now:
        return ()
    if days == 0:
        return (Recorded("return.back_at"), *language.clock(until.time()))
    if days == 1:
        day: Parts = (Recorded("return.back"), Recorded("time.tomorrow"))
    else:
        day = language.back_on(until.date(), this_week=days < 7)
    return (*day, *_at(language, until))


def until(language: Language, *, until: datetime, now: datetime) -> Parts:
    """Until when something holds. Both times are the company's; an end that is past says nothing."""
    days = (until.date() - now.date()).days
    if until <= now:
        return ()
    if days == 0:
        return (Recorded("return.until"), *language.clock(until.time()))
    if days == 1:
        day: Parts = (Recorded("return.until"), Recorded("time.tomorrow"))
    else:
        day = language.until_day(until.date(), this_week=days < 7)
    return (*day, *_at(language, until))


def reason(language: Language, *, kind: str, says: str = "", profile: str = "") -> Parts:
    """Why somebody does not answer (M4 M5 R4 R9).

    Args:
        kind: "busy_other" or "absent" for a profile; "on_call", "no_answer", "unreachable"; "closed", "lines_busy".
        says: the profile's own words; profile: its name: a company may have recorded "reason.NAME" for it.
    """
    if f"reason.{kind}" not in SENTENCES:
        raise ValueError(f"there is no reason {kind!r}")
    usual = _REASONS_BY_TEXT.get(says.casefold().strip(" ."))
    if usual is None and not says and f"reason.{profile}" in SENTENCES:
        usual = f"reason.{profile}"
    if usual is not None or not (says or profile):
        return (Recorded(usual or f"reason.{kind}"),)
    return (Spoken(_sentence(says), own=f"reason.{profile}", otherwise=(Recorded(f"reason.{kind}"),)),)


def options(language: Language, *, options: Sequence[Option]) -> Parts:
    """What the caller may choose, each with its key (P3)."""
    parts: list[PromptPart] = []
    for option in options:
        if option.offer == "offer.transfer_to":
            parts.append(
                Spoken(
                    f"{option.name},",
                    own=option.own,
                    before=(Recorded("offer.transfer_to"),),
                    otherwise=(Recorded("offer.transfer"),),
                )
            )
        elif option.offer in SENTENCES:
            parts.append(Recorded(option.offer))
        else:
            raise ValueError(f"there is no sentence {option.offer!r}")
        parts.append(_key(option.key))
    return tuple(parts)


def greeting(
    language: Language,
    *,
    name: str = "",
    own: str = "",
    company: str = "",
    team: bool = False,
    kind: str = "",
    says: str = "",
    profile: str = "",
    until: datetime | None = None,
    now: datetime | None = None,
    offers: Sequence[Option] = (),
) -> Parts:
    """What a mailbox says while nobody has recorded its greeting (V1): who, why, until when, and the choices.

    Args:
        name: whose mailbox it is, "" if that is not to be said; own: id of a recording of the name ("name.claire").
        company: name of the company, "" to leave it out; team: the mailbox belongs to a team or queue.
        kind, says, profile: see `reason`; kind "" gives none.
        until, now: when the person is back, None if that is not known.
        offers: choices by key.
    """
    parts: list[PromptPart] = [Recorded("greeting.hello")]
    if team:
        parts += [Spoken(_sentence(name), own=own)] if name else []
        parts.append(Recorded("greeting.team"))
    elif name:
        at, mailbox = (Recorded("greeting.at"),), (Recorded("greeting.mailbox"),)
        parts.append(Spoken(_sentence(name), own=own, before=at, otherwise=mailbox))
    else:
        parts.append(Recorded("greeting.mailbox"))
    if company:
        parts.append(Spoken(_sentence(company), own=OWN_COMPANY))
    if kind:
        parts += reason(language, kind=kind, says=says, profile=profile)
    if until is not None and now is not None:
        parts += _ended(back(language, until=until, now=now))
    return (*parts, *options(language, options=offers))


def welcome(language: Language, *, company: str) -> Parts:
    """Welcome a caller to the company (Q7)."""
    welcome_to, welcome = (Recorded("greeting.welcome_to"),), (Recorded("greeting.welcome"),)
    return (Spoken(_sentence(company), own=OWN_COMPANY, before=welcome_to, otherwise=welcome),)


def transfer(language: Language, *, to: str, own: str = "") -> Parts:
    """Tell a caller where the call goes."""
    before, otherwise = (Recorded("transfer.to"),), (Recorded("transfer.now"),)
    return (Spoken(_sentence(to), own=own, before=before, otherwise=otherwise),)


def whisper(language: Language, *, queue: str, own: str = "", waited: float = 0.0) -> Parts:
    """Tell an agent, and nobody else, for which queue a call is and how many seconds it waited (Q7)."""
    before, otherwise = (Recorded("whisper.call_for"),), (Recorded("whisper.queue_call"),)
    parts: Parts = (Spoken(_sentence(queue), own=own, before=before, otherwise=otherwise),)
    if waited < 1:
        return parts
    return (*parts, Recorded("whisper.waited"), *duration(language, seconds=waited))


def callback_number(language: Language, *, number: str) -> Parts:
    """Repeat the number that will be called back (P3)."""
    return (Recorded("callback.number"), *telephone(language, number=number))


def profile_set(
    language: Language, *, says: str, profile: str, until: datetime | None = None, now: datetime | None = None
) -> Parts:
    """Confirm the profile that somebody chose, and until when it holds (P2)."""
    known = _REASONS_BY_TEXT.get(says.casefold().strip(" ."), "").replace("reason.", "profile.")
    parts: Parts
    if known in SENTENCES:
        parts = (Recorded("profile.set"), Recorded(known))
    else:
        before, otherwise = (Recorded("profile.set"),), (Recorded("profile.activated"),)
        parts = (Spoken(_sentence(says or profile), own=f"profile.{profile}", before=before, otherwise=otherwise),)
    if until is None or now is None:
        return parts
    return (*parts, *_until(language, until=until, now=now))


def mailbox(language: Language, *, new: int, saved: int) -> Parts:
    """How many messages a mailbox holds."""
    if new == 0:
        parts: Parts = (Recorded("mailbox.nothing_new"),)
    elif new == 1:
        parts = (Recorded("mailbox.one_new"),)
    else:
        parts = (Recorded("mailbox.new"), *language.number(min(new, 999)))
    if not saved:
        return parts
    return (*_ended(parts), Recorded("mailbox.saved"), *language.number(min(saved, 999)))


def message(
    language: Language, *, number: int, received: datetime, now: datetime, caller: str = "", urgent: bool = False
) -> Parts:
    """Introduce one message: its number, when it came and from whom ("" for a withheld number)."""
    parts: Parts = (Recorded("message.number"), *language.number(number), _AFTER_SENTENCE)
    if urgent:
        parts += (Recorded("message.urgent"),)
    days = (now.date() - received.date()).days
    if days in (0, 1):
        parts += (Recorded("message.received"), Recorded("time.yesterday" if days else "time.today"))
    else:
        parts += language.received_on(received.date())
    parts += (Recorded("time.at"), *language.clock(received.time()), _AFTER_SENTENCE)
    digits = telephone(language, number=caller)
    return (*parts, Recorded("message.from"), *digits) if digits else (*parts, Recorded("message.withheld"))


_until = until  # where an argument has the same name


class Kind(NamedTuple):
    """A composed sentence: its function, and the names of its values."""

    function: Callable[..., Parts]
    required: tuple[str, ...]
    optional: tuple[str, ...]


def _kind(function: Callable[..., Parts]) -> Kind:
    values = [value for value in signature(function).parameters.values() if value.kind is Parameter.KEYWORD_ONLY]
    return Kind(
        function,
        tuple(value.name for value in values if value.default is Parameter.empty),
        tuple(value.name for value in values if value.default is not Parameter.empty),
    )


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "number": _kind(number),
        "telephone": _kind(telephone),
        "time": _kind(time_of_day),
        "date": _kind(on_date),
        "duration": _kind(duration),
        "position": _kind(position),
        "back": _kind(back),
        "until": _kind(until),
        "reason": _kind(reason),
        "options": _kind(options),
        "greeting": _kind(greeting),
        "welcome": _kind(welcome),
        "transfer": _kind(transfer),
        "whisper": _kind(whisper),
        "callback_number": _kind(callback_number),
        "profile_set": _kind(profile_set),
        "mailbox": _kind(mailbox),
        "message": _kind(message),
    }
)


def _at(language: Language, moment: datetime) -> Parts:
    if not moment.hour and not moment.minute:
        return ()
    return (_WITHIN_SENTENCE, Recorded("time.at"), *language.clock(moment.time()))


def _key(key: str) -> Recorded:
    name = {"*": "star", "#": "hash"}.get(key, key)
    if name not in ("star", "hash") and (len(name) != 1 or name not in "0123456789"):
        raise ValueError(f"{key!r} is no key of a telephone")
    return Recorded(f"key.{name}")


def _sentence(text: str) -> str:
    return text if text.endswith((".", ",", "!", "?")) else f"{text}."


def _ended(parts: Parts) -> Parts:
    return (*parts, _AFTER_SENTENCE) if parts else ()


def _text(part: Recorded, language: Language) -> str:
    return PROMPTS[language.code].get(part.id, f"[{part.id}]")


def _paced(parts: Parts, language: Language) -> Parts:
    """Let the voice breathe between sentences and after what leads to a number or a key."""
    paced: list[PromptPart] = []
    for part in parts:
        if paced and not isinstance(part, Pause) and not isinstance(paced[-1], Pause):
            before = paced[-1]
            text = before.text if isinstance(before, Spoken) else _text(before, language)
            if text.endswith((".", "!", "?")) and not text.endswith(".m."):
                paced.append(_AFTER_SENTENCE)
            elif text.endswith((",", ":")):
                paced.append(_WITHIN_SENTENCE)
        paced.append(part)
    while paced and isinstance(paced[-1], Pause):
        paced.pop()
    return tuple(paced)
