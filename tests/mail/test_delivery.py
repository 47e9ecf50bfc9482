"""E-mails about messages reach a real mail server, whatever happens on the way (V1)."""

from __future__ import annotations

import asyncio
import datetime
import gc
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from router.configuration import Configuration, load
from router.mail.delivery import GIVE_UP_AFTER, Delivery
from router.stores.database import Database
from router.stores.mailboxes import SqliteMailboxes
from router.stores.mails import SqliteMails

# The mail server of the tests leaves a connection open whose handshake failed.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

TUESDAY_TEN = 1_795_510_800.0
COMPANY = """
company:
  name: Atelier
  country: BE
  time_zone: Europe/Brussels
  languages: [fr]
  main_number: "+3242200100"
  main_line: {{then: voicemail}}
numbers: [{{range: "+3242200100..+3242200199", verified: true}}]
targets: {{voicemail: {{mailbox: "{{person}}"}}}}
sip: {{listen: ["udp:127.0.0.1:5060"], realm: mail.example}}
roles: {{standard: {{when: {{on_call: voicemail, busy_other: voicemail, absent: voicemail}}}}}}
people:
  claire: {{name: Claire Dubois, role: standard, extension: "201", email: claire@example.com}}
mailboxes: {{sales: {{name: Ventes, people: [claire], email: [one@example.com, two@example.com]}}}}
trunks: {{first: {{address: "127.0.0.1:5080", options_interval: 0s}}}}
voicemail: {{email: {{from: voicemail@example.com, server: 127.0.0.1, port: {port}, {more}}}}}
"""


class Inbox:
    """What a mail server does: `refusals` are said, one after the other, in place of taking a mail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refusals: list[str] = []
        self.recipients_refused: dict[str, str] = {}

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address in self.recipients_refused:
            return self.recipients_refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


Serve = Callable[..., Controller]


@pytest.fixture
def serve(inbox: Inbox) -> Iterator[Serve]:
    """Starts a mail server."""
    started: list[Controller] = []

    def start(port: int, **more: Any) -> Controller:
        server = Controller(inbox, hostname="127.0.0.1", port=port, data_size_limit=10_000_000, **more)
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
    gc.collect()  # now, not in somebody else's test


@pytest.fixture
def port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        found: int = one.getsockname()[1]
        return found


class Office:
    """Mailboxes and what is told of them by e-mail. `now` is the policy's clock."""

    def __init__(self, directory: Path, configuration: Configuration) -> None:
        self.directory = directory
        self.configuration = configuration
        self.now = TUESDAY_TEN

    async def open(self) -> None:
        configuration = self.configuration
        self.database = await Database.open(self.directory / "renvoi.sqlite")
        self.store = await SqliteMailboxes.open(
            self.database, self.directory, configuration.mailboxes, configuration.voicemail
        )
        self.queue = SqliteMails(self.database)
        self.delivery = Delivery(self.queue, self.store, lambda: self.now)
        self.store.on_mail(self.delivery.wake)
        self.delivery.follow(configuration)

    async def close(self) -> None:
        await self.delivery.close()
        await self.store.close()
        await self.database.close()

    async def leave(self, mailbox: str = "claire", sound: bytes = b"RIFF" + bytes(1000)) -> str:
        draft = await self.store.begin(mailbox, "+32475111222", "Client", self.now, "En réunion")
        record(draft.path, sound)
        return (await self.store.confirm(draft, 3.0)).id

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def waiting(self) -> int:
        return len(await self.queue.due(self.now + 1e9, 100))

    async def passes(self, seconds: float) -> None:
        """Let time pass on the policy's clock."""
        self.now += seconds
        self.delivery.wake()


def record(path: str, sound: bytes) -> None:
    Path(path).write_bytes(sound)


MakeOffice = Callable[..., Any]


@pytest.fixture
async def office(tmp_path: Path, port: int) -> AsyncIterator[MakeOffice]:
    opened: list[Office] = []

    async def make(more: str = "tls: none") -> Office:
        (tmp_path / "company.yaml").write_text(COMPANY.format(port=port, more=more))
        (tmp_path / "password").write_text("correct horse\n")
        made = Office(tmp_path, load(tmp_path))
        await made.open()
        opened.append(made)
        return made

    yield make
    for one in opened:
        await one.close()


async def test_a_message_is_told_to_its_owner_with_the_sound(
    office: MakeOffice, serve: Serve, inbox: Inbox, port: int
) -> None:
    serve(port)
    at = await office()
    sound = bytes(range(256)) * 4000  # a minute
    await at.leave(sound=sound)
    await at.until(lambda: at.delivery.outcomes["sent",] == 1)
    (mail,) = inbox.mails
    assert mail["To"] == "claire@example.com"
    assert mail["Subject"] == "Message vocal de Client (+32475111222) (0:03)"
    (attached,) = mail.iter_attachments()
    assert attached.get_content() == sound
    assert await at.waiting() == 0


async def test_a_shared_mailbox_tells_everybody(office: MakeOffice, serve: Serve, inbox: Inbox, port: int) -> None:
    serve(port)
    at = await office("tls: none, attach: false")
    await at.leave("sales")
    await at.until(lambda: len(inbox.mails) == 2)
    assert sorted(str(mail["To"]) for mail in inbox.mails) == ["one@example.com", "two@example.com"]
    assert not any(list(mail.iter_attachments()) for mail in inbox.mails)


async def test_a_server_that_is_away_is_tried_again_later(
    office: MakeOffice, serve: Serve, inbox: Inbox, port: int
) -> None:
    at = await office()
    await at.leave()
    await at.until(lambda: at.delivery.outcomes["later",] == 1)
    await at.passes(59)
    assert await at.waiting() == 1
    serve(port)
    await at.passes(2)
    await at.until(lambda: len(inbox.mails) == 1)
    await at.until(lambda: at.delivery.outcomes["sent",] == 1)
    assert at.delivery.outcomes["later",] == 1
    assert await at.waiting() == 0


async def test_what_waits_is_sent_after_a_restart(office: MakeOffice, serve: Serve, inbox: Inbox, port: int) -> None:
    at = await office()
    await at.leave()
    await at.until(lambda: at.delivery.outcomes["later",] == 1)
    await at.close()
    serve(port)
    at.now += 61
    await at.open()
    await at.until(lambda: len(inbox.mails) == 1)


async def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_not(
    office: MakeOffice, serve: Serve, inbox: Inbox, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    serve(port)
    inbox.refusals = ["451 greylisted"]
    inbox.recipients_refused["two@example.com"] = "550 no such person"
    at = await office()
    await at.leave("sales")
    await at.until(lambda: at.delivery.outcomes["refused",] + at.delivery.outcomes["later",] == 2)
    await at.passes(61)
    await at.until(lambda: at.delivery.outcomes["sent",] == 1)
    assert [str(mail["To"]) for mail in inbox.mails] == ["one@example.com"]
    assert await at.waiting() == 0
    assert "550" in caplog.text
    assert "no such person" in caplog.text


async def test_after_three_days_it_is_given_up(
    office: MakeOffice, serve: Serve, inbox: Inbox, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody wants to hear of it then, even if the server is back."""
    at = await office()
    await at.leave()
    await at.until(lambda: at.delivery.outcomes["later",] == 1)
    serve(port)
    with caplog.at_level(logging.ERROR):
        await at.passes(GIVE_UP_AFTER + 1)
        await at.until(lambda: at.delivery.outcomes["given up",] == 1)
    assert "given up after 1 attempts" in caplog.text
    assert await at.waiting() == 0
    assert inbox.mails == []


async def test_of_a_message_that_was_deleted_nobody_is_told(
    office: MakeOffice, serve: Serve, inbox: Inbox, port: int
) -> None:
    at = await office()
    first = await at.leave()
    await at.until(lambda: at.delivery.outcomes["later",] == 1)
    await at.store.delete(first)
    assert await at.waiting() == 0
    serve(port)
    await at.passes(61)
    await at.leave("sales")
    await at.until(lambda: len(inbox.mails) == 2)
    assert "claire@example.com" not in [str(mail["To"]) for mail in inbox.mails]


def certificate(directory: Path) -> ssl.SSLContext:
    """Make a certificate for 127.0.0.1, at "ca.pem", and what serves it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    (directory / "ca.pem").write_bytes(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "server.pem").write_bytes(pem + private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / "server.pem")
    return context


def knows(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"renvoi", b"correct horse"))


CREDENTIALS = "user: renvoi, password_file: password"


async def test_the_password_goes_by_starttls_only(
    office: MakeOffice, serve: Serve, inbox: Inbox, port: int, tmp_path: Path
) -> None:
    context = certificate(tmp_path)
    serve(port, tls_context=context, require_starttls=True, auth_required=True, authenticator=knows)
    at = await office(f"tls: starttls, ca_file: ca.pem, {CREDENTIALS}")
    await at.leave()
    await at.until(lambda: len(inbox.mails) == 1)


async def test_a_certificate_that_nobody_vouches_for_gets_no_password(
    office: MakeOffice, serve: Serve, inbox: Inbox, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    context = certificate(tmp_path)
    tried: list[str] = []

    def notes(*arguments: Any) -> AuthResult:
        tried.append("password")
        return knows(*arguments)

    serve(port, tls_context=context, require_starttls=True, auth_required=True, authenticator=notes)
    at = await office(f"tls: starttls, {CREDENTIALS}")
    await at.leave()
    await at.until(lambda: at.delivery.outcomes["later",] == 1)
    assert "certificate" in caplog.text.lower()
    assert (tried, inbox.mails) == ([], [])


async def test_a_wrong_password_is_said_without_the_password(
    office: MakeOffice, serve: Serve, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)

    serve(port, tls_context=certificate(tmp_path), require_starttls=True, auth_required=True, authenticator=refuses)
    at = await office(f"tls: starttls, ca_file: ca.pem, {CREDENTIALS}")
    await at.leave()
    await at.until(lambda: at.delivery.outcomes["later",] == 1)
    assert "535" in caplog.text
    assert "correct horse" not in caplog.text
    assert await at.waiting() == 1
