"""Hands letters in (RFC 6409). It runs in a process of its own: writing down a message of three minutes takes longer
than a call may wait."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

import aiosmtplib

from router.mail.letter import compose
from router.model.mail import Letter, Posted
from router.model.mailbox import MailServer

TIMEOUT: Final = 20.0  # seconds for each answer of the server


def post(server: MailServer, letters: Sequence[Letter]) -> list[Posted]:
    """Hand letters in by one connection; return what became of each. Never raises for a fault of the server."""
    return asyncio.run(_post(server, letters))


async def _post(server: MailServer, letters: Sequence[Letter]) -> list[Posted]:
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        timeout=TIMEOUT,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=ssl.create_default_context(cadata=server.certificates or None),
        username=server.user or None,
        password=server.password or None,
    )
    posted: list[Posted] = []
    try:
        async with client:
            for letter in letters:
                posted.append(await _hand_in(client, server, letter))
    except (aiosmtplib.SMTPException, OSError) as error:  # while connecting, or while saying goodbye
        posted += [Posted(_fault(server, error))] * (len(letters) - len(posted))
    return posted


async def _hand_in(client: aiosmtplib.SMTP, server: MailServer, letter: Letter) -> Posted:
    try:
        await client.sendmail(server.sender, [letter.recipient], compose(letter, server.sender).as_bytes())
    except aiosmtplib.SMTPRecipientsRefused as refused:
        return Posted(_fault(server, refused), all(one.code >= 500 for one in refused.recipients))
    except aiosmtplib.SMTPResponseException as refused:
        return Posted(_fault(server, refused), refused.code >= 500)
    except (aiosmtplib.SMTPException, OSError) as error:
        return Posted(_fault(server, error))
    return Posted()


def _fault(server: MailServer, error: Exception) -> str:
    return f"{server.host}:{server.port}: {str(error) or type(error).__name__}"
