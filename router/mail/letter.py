"""Writes an e-mail about a message, in French or English."""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from router.model.mail import Letter
from router.model.message import Message, MessageKind

MAX_NAME: Final = 80  # characters of what a caller is called; whoever calls chooses them


class _Words(NamedTuple):
    """What is said in one language; the texts are filled in by `str.format`."""

    months: tuple[str, ...]
    date: str
    nobody: str
    urgent: str
    message_subject: str
    callback_subject: str
    message: str
    callback: str
    reason: str
    attached: str
    elsewhere: str


_LANGUAGES: Final = {
    "fr": _Words(
        tuple("janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()),
        "le {day} {month} {year} à {hour:02}:{minute:02}",
        "numéro masqué",
        "Urgent : ",
        "message vocal de {who} ({length})",
        "{who} demande à être rappelé",
        "{who} a laissé un message de {length} dans la boîte vocale « {mailbox} », {when}.",
        "{who} demande à être rappelé ; boîte vocale « {mailbox} », {when}.",
        "Ce qui lui a été annoncé : « {reason} ».",
        "Le message est joint.",
        "Le message s'écoute depuis le téléphone.",
    ),
    "en": _Words(
        tuple("January February March April May June July August September October November December".split()),
        "on {day} {month} {year} at {hour:02}:{minute:02}",
        "number withheld",
        "Urgent: ",
        "voice message from {who} ({length})",
        "{who} wishes to be called back",
        "{who} left a message of {length} in the mailbox “{mailbox}” {when}.",
        "{who} wishes to be called back; mailbox “{mailbox}”, {when}.",
        "They were told: “{reason}”.",
        "The message is attached.",
        "The message can be heard by telephone.",
    ),
}


def compose(letter: Letter, sender: str) -> EmailMessage:
    """Return the e-mail.

    Args:
        letter: what it is written from; its sound is read here, and left out where it is gone.
        sender: an e-mail address.
    """
    words = _LANGUAGES.get(letter.language, _LANGUAGES["en"])
    message = letter.message
    received = datetime.fromtimestamp(message.received_at, ZoneInfo(letter.zone))
    who, length = _caller(message, words), _length(message.seconds)
    callback = message.kind is MessageKind.CALLBACK
    subject = (words.callback_subject if callback else words.message_subject).format(who=who, length=length)
    mail = EmailMessage(policy=SMTP)
    name, _, domain = sender.rpartition("@")
    mail["From"] = Address(_plain(letter.company), name, domain)
    mail["To"] = letter.recipient
    mail["Subject"] = (words.urgent if message.urgent else "") + _sentence(subject)
    mail["Date"] = format_datetime(received)
    # The same for each attempt, so that a mailbox program shows it once even if it was handed in twice.
    identity = hashlib.sha256(f"{message.id} {letter.recipient}".encode()).hexdigest()[:32]
    mail["Message-ID"] = f"<{identity}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no absence note answers it
    if message.urgent:
        mail["Importance"] = "high"
    sound = _sound(letter.sound)
    mail.set_content(_body(letter, words, who, length, received, bool(sound)), charset="utf-8", cte="quoted-printable")
    if sound:
        mail.add_attachment(sound, maintype="audio", subtype="wav", filename=f"message-{received:%Y%m%d-%H%M}.wav")
    return mail


def _body(letter: Letter, words: _Words, who: str, length: str, received: datetime, attached: bool) -> str:
    message = letter.message
    when = words.date.format(
        day="1er" if received.day == 1 and letter.language == "fr" else received.day,
        month=words.months[received.month - 1],
        year=received.year,
        hour=received.hour,
        minute=received.minute,
    )
    text = words.callback if message.kind is MessageKind.CALLBACK else words.message
    lines = [_sentence(text.format(who=who, length=length, mailbox=_plain(letter.mailbox), when=when))]
    if message.reason:
        lines.append(words.reason.format(reason=_plain(message.reason)))
    if message.has_sound:
        lines.append(words.attached if attached else words.elsewhere)
    return "\n".join([*lines, "", "-- ", _plain(letter.company), ""])


def _caller(message: Message, words: _Words) -> str:
    number, name = _plain(message.caller or ""), _plain(message.caller_name or "")
    if number and name and name != number:
        return f"{name} ({number})"
    return number or name or words.nobody


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _sound(path: str) -> bytes:
    """Return what is to be attached; b"" for a message that was deleted meanwhile."""
    try:
        return Path(path).read_bytes() if path else b""
    except FileNotFoundError:
        return b""


def _plain(text: str) -> str:
    """Return a text as one line that says nothing to a mail program."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:MAX_NAME]
