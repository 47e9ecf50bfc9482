"""What an e-mail about a message says, in both languages (V1)."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from router.mail.letter import compose
from router.model.mail import Letter
from router.model.message import Message, MessageKind, MessageState

MESSAGE = Message(
    "a" * 32, "claire", "+32475111222", "Société Dupré", 1_795_510_800.0, 42.4, False,
    MessageKind.MESSAGE, MessageState.NEW, "En réunion", True,
)  # fmt: skip
SENDER = "voicemail@example.com"


def letter(message: Message = MESSAGE, language: str = "fr", sound: str = "", mailbox: str = "Claire Dubois") -> Letter:
    return Letter("claire@example.com", language, "Atelier de la Meuse", mailbox, message, "Europe/Brussels", sound)


def written(one: Letter) -> EmailMessage:
    """As it arrives."""
    mail = message_from_bytes(compose(one, SENDER).as_bytes(), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    content: str = body.get_content()
    return content


def test_in_french() -> None:
    mail = written(letter())
    assert mail["Subject"] == "Message vocal de Société Dupré (+32475111222) (0:42)"
    assert mail["From"] == "Atelier de la Meuse <voicemail@example.com>"
    assert mail["To"] == "claire@example.com"
    assert mail["Date"] == "Tue, 24 Nov 2026 10:00:00 +0100"
    assert text(mail).splitlines() == [
        "Société Dupré (+32475111222) a laissé un message de 0:42 dans la boîte vocale « Claire Dubois », "
        "le 24 novembre 2026 à 10:00.",
        "Ce qui lui a été annoncé : « En réunion ».",
        "Le message s'écoute depuis le téléphone.",
        "",
        "-- ",
        "Atelier de la Meuse",
    ]


def test_in_english_urgent_with_the_sound(tmp_path: Path) -> None:
    sound = tmp_path / "message.wav"
    sound.write_bytes(bytes(range(256)) * 100)
    mail = written(letter(MESSAGE._replace(urgent=True, seconds=125.0), "en", str(sound)))
    assert mail["Subject"] == "Urgent: Voice message from Société Dupré (+32475111222) (2:05)"
    assert mail["Importance"] == "high"
    assert "left a message of 2:05 in the mailbox “Claire Dubois” on 24 November 2026 at 10:00." in text(mail)
    assert "The message is attached." in text(mail)
    (attached,) = mail.iter_attachments()
    assert (attached.get_content_type(), attached.get_filename()) == ("audio/wav", "message-20261124-1000.wav")
    assert attached.get_content() == sound.read_bytes()


@pytest.mark.parametrize(
    ("language", "subject"),
    [("fr", "Numéro masqué demande à être rappelé"), ("en", "Number withheld wishes to be called back")],
)
def test_a_wish_to_be_called_back(language: str, subject: str) -> None:
    wish = MESSAGE._replace(kind=MessageKind.CALLBACK, caller=None, caller_name=None, has_sound=False, seconds=0.0)
    mail = written(letter(wish, language))
    assert mail["Subject"] == subject
    assert " 0:00" not in text(mail)
    assert text(mail).startswith(subject)


def test_the_first_of_a_month_in_french() -> None:
    assert "le 1er décembre 2026 à 10:00" in text(written(letter(MESSAGE._replace(received_at=1_796_115_600.0))))


def test_a_sound_that_was_deleted_meanwhile_is_left_out(tmp_path: Path) -> None:
    mail = written(letter(sound=str(tmp_path / "gone.wav")))
    assert list(mail.iter_attachments()) == []
    assert "depuis le téléphone" in text(mail)


@pytest.mark.parametrize(
    "name",
    [
        "x\r\nBcc: victim@example.com",
        "x\nSubject: other\n\n<script>",
        "x" * 5000,
        "\x00\x1b[2J\u202e\u2028y",
        "=?utf-8?q?x?=",
    ],
)
def test_a_caller_cannot_write_into_the_head_of_the_mail(name: str) -> None:
    mail = written(letter(MESSAGE._replace(caller_name=name, caller=name, reason=name), mailbox=name))
    assert mail["Bcc"] is None
    assert mail.get_all("Subject") is not None
    assert len(mail.get_all("Subject") or []) == 1
    assert len(mail["Subject"]) < 300
    assert "\n" not in mail["Subject"]


def test_an_attempt_that_is_repeated_is_recognised_as_the_same_mail() -> None:
    first, second = written(letter()), written(letter())
    other = written(letter()._replace(recipient="desk@example.com"))
    assert first["Message-ID"] == second["Message-ID"] != other["Message-ID"]
    assert MESSAGE.id not in first["Message-ID"]
