"""Phones and callers by the dozen: each a socket for SIP and one for sound, in the loop of the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar, cast

from tests.calls.voice_story import NAMES, seconds_of
from tests.media.peer import Peer
from tests.media.tone_code import heard

from .company import SECRET
from .messages import Message
from .wire import credentials

Result = TypeVar("Result")
CALLERS_HOST = "127.0.0.2"  # whoever calls from there comes by the trunk


async def until(what: str, condition: Callable[[], Result | None], seconds: float = 15.0) -> Result:
    """Return the first true value of `condition`; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        assert time.monotonic() < deadline, f"in {seconds:g} s this did not happen: {what}"
        await asyncio.sleep(0.1)


class Party(asyncio.DatagramProtocol):
    """Somebody with a telephone.

    Attributes:
        name: user part of their address. ear: their sound.
        inbox: every message that came. answered_at: when they answered, or were answered; ended: their call is over.
    """

    def __init__(self, name: str, router: str) -> None:
        self.name = name
        self.router = router
        self.ear = Peer()
        self.inbox: list[Message] = []
        self.answered_at = 0.0
        self.ended = False
        self._serial = 0
        self._transport: asyncio.DatagramTransport
        self._invite: Message | None = None  # that came, and rings
        self._dialog: dict[str, str] = {}

    @classmethod
    async def join(cls, name: str, router: str, host: str = "127.0.0.1") -> Party:
        party = cls(name, router)
        loop = asyncio.get_running_loop()
        address, port = router.split(":")
        await loop.create_datagram_endpoint(lambda: party, (host, 0), (address, int(port)))
        return party

    @classmethod
    async def agent(cls, account: str, router: str) -> Party:
        """Register a phone."""
        party = await cls.join(account, router)
        await party._registers()
        return party

    def leave(self) -> None:
        self._transport.close()
        self.ear.close()

    # -------------------------------------------------------------------------------------------------- calling

    async def calls(self, number: str, caller: str) -> Party:
        """Call, be answered, acknowledge, and listen."""
        uri = f"sip:{number}@{self.router}"
        self._dialog = {"id": f"{id(self)}-{time.monotonic_ns()}", "remote": f"<{uri}>", "target": uri}
        self._dialog["local"] = f'"{self.name}" <sip:{caller}@{self.host}>;tag=t{self.port}'
        self._send(self._request("INVITE", uri, 1, self.ear.sdp().decode()))
        answer = await until(f"{self.name} is answered", lambda: self.got(200, "INVITE"))
        self.answered_at = time.monotonic()
        self._dialog |= {"remote": answer["To"], "target": _uri(answer["Contact"])}
        self.ear.heed(answer.body.replace("\n", "\r\n").encode())
        self._send(self._request("ACK", self._dialog["target"], 1))
        return self

    async def dials(self, code: str) -> int:
        """Dial a code from a registered phone; returns the status of the answer."""
        uri = f"sip:{code}@{self.router}"
        self._dialog = {"id": f"c{id(self)}-{time.monotonic_ns()}", "remote": f"<{uri}>", "target": uri}
        self._dialog["local"] = f"<sip:{self.name}@{self.router}>;tag=c{self.port}"
        self.inbox.clear()
        self._send(self._request("INVITE", uri, 1, self.ear.sdp().decode()))
        challenge = await until("the router asks", lambda: self.got(407, "INVITE") or self.got(401, "INVITE"))
        name, value = credentials(challenge, "INVITE", uri, self.name, SECRET.format(self.name))
        self._send(self._request("INVITE", uri, 2, self.ear.sdp().decode(), extra=f"{name}: {value}\r\n"))
        answers = await until("the code is answered", lambda: [m for m in self.inbox if m["CSeq"] == "2 INVITE"
                                                               and m.status >= 200])  # fmt: skip
        self._dialog |= {"remote": answers[0]["To"], "target": _uri(answers[0]["Contact"])}
        self._send(self._request("ACK", self._dialog["target"], 2))
        return answers[0].status

    def hangs_up(self) -> None:
        self._send(self._request("BYE", self._dialog["target"], 20))

    # ------------------------------------------------------------------------------------------------ answering

    async def is_rung(self, seconds: float = 15.0) -> Message:
        """Wait for a call, and let it ring."""
        invite = await until(f"{self.name} is rung", lambda: self._invite, seconds)
        self._send(self._response(invite, 180, "Ringing"))
        return invite

    async def is_cancelled(self) -> Message:
        """Wait until nobody rings any more."""
        return await until(f"{self.name} is cancelled", lambda: self.got("CANCEL"))

    async def is_hung_up(self) -> None:
        """Wait until the other side has ended the call."""
        await until(f"{self.name} is hung up", lambda: self.ended)

    @property
    def rings(self) -> bool:
        return self._invite is not None

    def answers(self) -> None:
        invite, self._invite = self._invite, None
        assert invite is not None, f"{self.name} is not rung"
        local = f"{invite['To']};tag=a{self.port}"
        self._dialog = {"id": invite["Call-ID"], "local": local, "remote": invite["From"]}
        self._dialog["target"] = _uri(invite["Contact"])
        self.ear.heed(invite.body.replace("\n", "\r\n").encode())
        self.answered_at = time.monotonic()
        self._send(self._response(invite, 200, "OK", self.ear.sdp().decode()))

    def refuses(self, status: int = 603) -> None:
        invite, self._invite = self._invite, None
        assert invite is not None, f"{self.name} is not rung"
        self._send(self._response(invite, status, "No"))

    def vanish(self) -> None:
        """The phone is unplugged."""
        self._transport.close()

    # -------------------------------------------------------------------------------------------------- hearing

    def said(self) -> list[str]:
        """The prompts that were heard."""
        return [NAMES.get(number, f"?{number}") for number in heard(self.ear.heard())]

    async def hears(self, *prompts: str, seconds: float = 20.0) -> None:
        """Wait until these prompts were heard, in this order; what was heard up to then is forgotten."""

        def found() -> bool:
            said, at = self.said(), 0
            for prompt in prompts:
                if prompt not in said[at:]:
                    return False
                at = said.index(prompt, at) + 1
            return True

        try:
            await until("", found, seconds)
        except AssertionError:
            raise AssertionError(f"{self.name} heard {self.said()}, not {prompts}") from None
        self.ear.packets.clear()  # it would be decoded again and again

    async def hears_tone(self, hertz: float, seconds: float = 0.3) -> None:
        await until(f"{self.name} hears {hertz:g} Hz", lambda: seconds_of(self.ear.heard(), hertz) >= seconds)
        self.ear.packets.clear()

    def got(self, what: int | str, method: str = "") -> Message | None:
        """The latest message of this method or status that came."""
        for message in reversed(self.inbox):
            if (message.status or message.method) == what and (not method or message.method == method):
                return message
        return None

    def count(self, method: str) -> int:
        """How many different requests of a method came."""
        return len({message["CSeq"] + message["Call-ID"] for message in self.inbox if message.is_request and
                    message.method == method})  # fmt: skip

    # ------------------------------------------------------------------------------------------------- the wire

    @property
    def host(self) -> str:
        return str(self._transport.get_extra_info("sockname")[0])

    @property
    def port(self) -> int:
        return int(self._transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def error_received(self, exc: Exception) -> None:
        """The router is gone, which the test sees by what does not come."""

    def datagram_received(self, data: bytes, addr: object) -> None:
        message = Message.parse(data.decode())
        again = any(str(message) == str(other) for other in self.inbox)
        self.inbox.append(message)
        if not message.is_request:
            if message.method == "INVITE" and message.status >= 300:
                self._send(self._request("ACK", self._dialog["target"], 1))
            return
        if message.method == "INVITE" and not again:
            self._invite = message
        elif message.method == "CANCEL":
            self._send(self._response(message, 200, "OK"))
            if self._invite is not None:
                self._send(self._response(self._invite, 487, "Request Terminated"))
                self._invite = None
        elif message.method == "BYE":
            self.ended = True
            self._send(self._response(message, 200, "OK"))
        elif message.method not in ("ACK", "INVITE"):
            self._send(self._response(message, 200, "OK"))

    async def _registers(self) -> None:
        uri = f"sip:{self.router}"
        self._dialog = {"id": f"r{id(self)}", "remote": f"<sip:{self.name}@{self.router}>", "target": uri}
        self._dialog["local"] = f"<sip:{self.name}@{self.router}>;tag=r{self.port}"
        self._send(self._request("REGISTER", uri, 1))
        challenge = await until("the registrar asks", lambda: self.got(401, "REGISTER"))
        name, value = credentials(challenge, "REGISTER", uri, self.name, SECRET.format(self.name))
        self._send(self._request("REGISTER", uri, 2, extra=f"{name}: {value}\r\nExpires: 600\r\n"))
        await until(f"{self.name} is registered", lambda: self.got(200, "REGISTER"))

    def _request(self, method: str, uri: str, cseq: int, body: str = "", extra: str = "") -> str:
        self._serial += 1
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{self.port}{self._serial}\r\n"
            f"Max-Forwards: 70\r\nFrom: {self._dialog['local']}\r\nTo: {self._dialog['remote']}\r\n"
            f"Call-ID: {self._dialog['id']}\r\nCSeq: {cseq} {method}\r\n"
            f"Contact: <sip:{self.name}@{self.host}:{self.port}>\r\n{extra}{kind}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def _response(self, request: Message, status: int, reason: str, body: str = "") -> str:
        to = request["To"] if ";tag=" in request["To"] else f"{request['To']};tag=a{self.port}"
        vias = "".join(f"Via: {via}\r\n" for via in request.all("Via"))
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"SIP/2.0 {status} {reason}\r\n{vias}From: {request['From']}\r\nTo: {to}\r\n"
            f"Call-ID: {request['Call-ID']}\r\nCSeq: {request['CSeq']}\r\n"
            f"Contact: <sip:{self.name}@{self.host}:{self.port}>\r\n{kind}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def _send(self, text: str) -> None:
        self._transport.sendto(text.encode())


def _uri(address: str) -> str:
    return address.partition("<")[2].partition(">")[0] if "<" in address else address
