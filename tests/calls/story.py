"""Stories on fake time: the real stack, exchange, registrar, trunks and policy, with phones and trunks in memory.

    alice, bob = story.phone("200"), story.phone("201")
    alice.invites("201")
    bob.rings()
    bob.answers()
    alice.acks()
    story.advance(5)
    alice.hangs_up()
    assert bob.received("BYE")

What actors send is written here as text and what they get is read by the router's own parser. An actor does by itself
only what every user agent does without its user: it acknowledges refusals of its own INVITEs, answers BYE, and answers
CANCEL with 200 and the INVITE with 487 (`story.silent` and `Actor.automatic` switch that off).
"""

from __future__ import annotations

import gc
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from router.calls.authentication import Gate
from router.calls.exchange import Exchange
from router.calls.lines import Lines
from router.calls.peers import Peers
from router.calls.registrar import Registrar
from router.calls.trunk import Trunks
from router.configuration import Configuration, load
from router.model.record import CallRecord
from router.model.tally import Histogram
from router.ports import Flow
from router.sip.digest import DigestServer, strongest
from router.sip.errors import RemoteError
from router.sip.ids import Ids
from router.sip.message import Message, Request, Response, parse
from router.sip.name_addr import NameAddr
from router.sip.stack import Stack
from router.stores.memory import MemoryBindings

TUESDAY_TEN = 1_795_510_800.0  # 2026-11-24T10:00+01:00, when everybody works
LONG_ENOUGH = 300.0  # seconds after which no timer of any transaction runs any more (timer C is the longest)
ROUTER = ("192.0.2.1", 5060)
OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.200\r\ns=-\r\nc=IN IP4 192.0.2.200\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0\r\n"
ANSWER = b"v=0\r\no=- 7 7 IN IP4 192.0.2.201\r\ns=-\r\nc=IN IP4 192.0.2.201\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n"

COMPANY = """
company:
  name: Story Company
  country: BE
  time_zone: Europe/Brussels
  main_number: "+3242200100"
  main_line: {then: reception}
numbers:
  - {range: "+3242200100..+3242200199", verified: true}
  - {number: "+32470555012", verified: true, holder: carol}
calendars: {weekdays: {days: mon-fri}}
targets:
  reception: {sip: "sip:reception@192.0.2.90:5090"}
  voicemail: {sip: "sip:{extension}@192.0.2.91:5091"}
sip: {listen: ["udp:192.0.2.1:5060", "tcp:192.0.2.1:5060"], realm: story.example}
roles:
  standard:
    shows: {fixed: direct_number, mobile: main_number}
    when: {on_call: voicemail, busy_other: reception, absent: voicemail, rejected: voicemail,
           no_answer: {after: 20s, then: voicemail}, unreachable: voicemail}
  sales: {based_on: standard, shows: personal_mobile}
people:
  alice: {name: Alice Martin, role: standard, extension: "200", direct_number: "+3242200120",
          devices: {desk: {kind: fixed, secret: secret-200}}}
  bob:   {name: Bob Durand, role: standard, extension: "201", direct_number: "+3242200121",
          devices: {desk: {kind: fixed, user: "201", secret: secret-201},
                    gsm: {kind: mobile, user: 201-gsm, secret: secret-201-gsm}}}
  carol: {name: Carol Petit, role: sales, extension: "202", direct_number: "+3242200122", mobile: "+32470555012",
          devices: {desk: {kind: fixed, secret: secret-202}}}
trunks:
  first:  {address: "198.51.100.1:5060", priority: 1, options_interval: 0s}
  second: {address: "198.51.100.2:5060", priority: 2, options_interval: 0s}
pbxs:
  central: {from: "192.0.2.50", address: "192.0.2.50:5060"}
greylist: {prefixes: ["+224"]}
"""


def configuration_of(text: str, directory: Path) -> Configuration:
    """Load a configuration that is written as one YAML text; `directory` is an empty one to write it to."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "company.yaml").write_text(text, encoding="utf-8")
    return load(directory)


class Wire:
    """A flow between the router and one address; what the router sends on it goes to the story."""

    def __init__(self, story: Story, transport: str, source: tuple[str, int]) -> None:
        self._story = story
        self.transport = transport.upper()
        self.reliable = transport != "udp"
        self.source = source
        self.local = ROUTER
        self.via = f"SIP/2.0/{self.transport} {ROUTER[0]}:{ROUTER[1]}"
        self.contact = f"{ROUTER[0]}:{ROUTER[1]}" + (";transport=tcp" if self.reliable else "")

    def send(self, data: bytes) -> None:
        self._story.deliver(data, self)


@dataclass(eq=False)
class Dropped:
    """A loss to come: the next `count` messages that fit."""

    what: str | int
    towards: Actor | None
    count: int


class Story:
    """A router and everybody who talks to it. `advance` is the only clock.

    Attributes:
        now: seconds on the clock of the SIP timers.
        records: of the calls that ended.
        wire_log: everything the router sent, as (receiver's address, message text), in order.
        silent: addresses at which nobody is: what is sent there is lost.
        unreachable: addresses for which an ICMP error comes back.
    """

    def __init__(self, configuration: Configuration, timer_c: float = 180.0) -> None:
        self.configuration = configuration
        self.now = 1000.0
        self.records: list[CallRecord] = []
        self.wire_log: list[tuple[tuple[str, int], str]] = []
        self.silent: set[tuple[str, int]] = set()
        self.unreachable: set[tuple[str, int]] = set()
        self.actors: dict[tuple[str, int], Actor] = {}
        self._wires: dict[tuple[str, str, int], Wire] = {}
        self._losses: list[Dropped] = []
        self._next_host = 200
        self._garbage_collected = gc.isenabled()
        gc.disable()
        gc.collect()
        gc.freeze()  # what is here already is no garbage of this story, and need not be looked at again
        chance = random.Random(20261124)
        self.stack = Stack(Ids(chance.randbytes), self, timer_c)
        self.lines = Lines(account.person for account in configuration.accounts.values())
        self.gate = Gate(
            configuration.accounts,
            DigestServer(configuration.realm, b"k" * 32, chance.randbytes, ("MD5",)),
            self.clock,
        )
        self.registrar = Registrar(
            configuration.accounts, MemoryBindings(), person_changed=self.lines.registration_changed
        )
        self.trunks = Trunks(configuration.trunks, self.stack, self, self.stack.ids.token)
        self.exchange = Exchange(
            self.stack,
            configuration.policy,
            Peers(configuration.trunks, configuration.pbxs),
            self.gate,
            self.registrar,
            self.trunks,
            self.lines,
            self.clock,
            self.records.append,
            Histogram((0.1, 1.0, 10.0)),
            Histogram((0.001, 0.01)),
        )
        self.exchange.configuration = configuration.hash
        self.trunks.start(self.now)
        self.flush()

    # --------------------------------------------------------------------------------------------- the people

    def phone(self, user: str, *, transport: str = "udp", registers: bool = True) -> Phone:
        """A phone of that account at an address of its own, registered with digest."""
        address = (f"192.0.2.{self._next_host}", 5060)
        self._next_host += 1
        phone = Phone(self, user, address, transport)
        if registers:
            phone.registers()
        return phone

    def stranger(self, host: str = "203.0.113.9", port: int = 5060) -> Actor:
        """Somebody whom the router does not know."""
        return Actor(self, "stranger", (host, port), "udp")

    def trunk(self, name: str = "first") -> Actor:
        """The provider at the other end of a trunk."""
        trunk = next(trunk for trunk in self.configuration.trunks if trunk.name == name)
        return Actor(self, name, (trunk.host, trunk.port), trunk.transport)

    def pbx(self, name: str = "central") -> Actor:
        pbx = next(pbx for pbx in self.configuration.pbxs if pbx.name == name)
        return Actor(self, name, (pbx.host, pbx.port), pbx.transport)

    def place(self, host: str, port: int) -> Actor:
        """What stands at a SIP address of the configuration, such as the reception's console."""
        return Actor(self, "place", (host, port), "udp")

    def voicemail(self) -> Actor:
        return self.place("192.0.2.91", 5091)

    def reception(self) -> Actor:
        return self.place("192.0.2.90", 5090)

    # -------------------------------------------------------------------------------------- time and the wire

    def clock(self) -> float:
        """The policy's clock."""
        return TUESDAY_TEN + self.now - 1000.0

    def advance(self, seconds: float) -> None:
        """Let time pass, every timer expiring when it is due."""
        end = self.now + seconds
        while self.stack.deadline <= end:
            self.now = max(self.now, self.stack.deadline)
            self.stack.advance(self.now)
            self.flush()
        self.now = end

    def drop_next(self, what: str | int, towards: Actor | None = None, count: int = 1) -> None:
        """Lose the next message the router sends that is this request method, or a response with this status."""
        self._losses.append(Dropped(what, towards, count))

    def flow_to(self, transport: str, host: str, port: int) -> Flow:
        """`FlowDirectory`: the router has listeners for UDP and TCP."""
        if transport not in ("udp", "tcp"):
            raise LookupError(transport)
        key = (transport, host, port)
        wire = self._wires.get(key)
        if wire is None:
            wire = self._wires[key] = Wire(self, transport, (host, port))
        return wire

    def hand_in(self, data: bytes, actor: Actor) -> None:
        """Give the router bytes that come from an actor."""
        self.stack.receive(data, self.flow_to(actor.transport, *actor.address), self.now)
        self.flush()

    def flush(self) -> None:
        """Carry what the router has to send, and what that makes others say, until all is quiet."""
        while outbox := self.stack.take_outbox():
            for flow, data in outbox:
                flow.send(data)

    def deliver(self, data: bytes, wire: Wire) -> None:
        self.wire_log.append((wire.source, data.decode("utf-8", "surrogateescape")))
        try:
            message = parse(data)
        except RemoteError:  # the answer to something malformed, which it repeats
            return
        if wire.source in self.unreachable:
            self.stack.flow_failed(wire, data[:256], self.now)
            return
        actor = self.actors.get(wire.source)
        if self._is_lost(message, actor) or actor is None or wire.source in self.silent:
            return
        actor.take(message)

    def break_connection(self, actor: Actor) -> None:
        """The TCP connection to an actor is gone, told as the app tells it."""
        wire = self.flow_to(actor.transport, *actor.address)
        self.stack.flow_failed(wire, b"", self.now)
        self.trunks.flow_failed(wire, b"", self.now)
        self.registrar.flow_failed(wire)
        self.flush()

    def _is_lost(self, message: Message, actor: Actor | None) -> bool:
        for loss in self._losses:
            if loss.what == kind_of(message) and loss.towards in (None, actor):
                loss.count -= 1
                if not loss.count:
                    self._losses.remove(loss)
                return True
        return False

    # ------------------------------------------------------------------------------------------------ the end

    def check_nothing_is_left(self) -> None:
        """What must hold after every story: no call, dialog, transaction or timer, nobody busy, no garbage."""
        self.advance(LONG_ENOUGH)
        assert self.exchange.calls == set()
        assert self.stack.dialogs == {}
        assert self.stack.transactions == 0
        assert self.stack._merging == {}
        assert self.stack.deadline == float("inf")
        assert self.lines._calls == {}
        assert self.lines._ringing == {}
        left = garbage()
        assert not left, left

    def close(self) -> None:
        if self._garbage_collected:
            gc.enable()


def garbage() -> list[str]:
    """Classes of the router's objects that only the garbage collector finds: cycles that outlived their call."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return sorted({f"{type(o).__module__}.{type(o).__qualname__}" for o in gc.garbage if _is_ours(o)})
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


def _is_ours(found: object) -> bool:
    return type(found).__module__.startswith("router.")


def kind_of(message: Message) -> str | int:
    """The method of a request, the status of a response."""
    return message.status if isinstance(message, Response) else message.method


@dataclass(eq=False)
class Conversation:
    """One dialog as an actor sees it, from its first INVITE on."""

    call_id: str
    local: str
    remote: str
    target: str
    tag: str
    remote_tag: str | None = None
    cseq: int = 0
    routes: list[str] = field(default_factory=list)
    invite: Request | None = None  # the INVITE that came and has to be answered
    sent: Sent | None = None  # the INVITE that we sent last
    answer: Response | None = None  # the 2xx to it


@dataclass(eq=False)
class Sent:
    """A request that an actor sent."""

    method: str
    uri: str
    via: str
    cseq: int
    text: bytes
    to: str


class Actor:
    """Somebody at one address.

    Attributes:
        inbox: everything that came, retransmissions included, oldest first.
        automatic: what it does by itself: "ACK" of refusals, "BYE", "CANCEL".
        call: the conversation that the verbs mean: the latest one.
    """

    contact_parameters = ""

    def __init__(self, story: Story, user: str, address: tuple[str, int], transport: str) -> None:
        self.story = story
        self.user = user
        self.address = address
        self.transport = transport
        self.inbox: list[Request | Response] = []
        self.automatic = {"ACK", "BYE", "CANCEL"}
        self.conversations: list[Conversation] = []
        self._looked_at = 0
        self._branches = 0
        story.actors[address] = self

    @property
    def call(self) -> Conversation:
        assert self.conversations, f"{self.user} is in no call"
        return self.conversations[-1]

    @property
    def contact(self) -> str:
        return f"<sip:{self.user}@{self.host_port}{self.contact_parameters}>"

    @property
    def host_port(self) -> str:
        host, port = self.address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    # --------------------------------------------------------------------------------------------- what comes

    def take(self, message: Request | Response) -> None:
        self.inbox.append(message)
        if isinstance(message, Request):
            self._take_request(message)
        else:
            self._take_response(message)

    def _take_request(self, request: Request) -> None:
        if request.method == "INVITE":
            conversation = self._conversation(request)
            if conversation is None:
                conversation = Conversation(
                    request.call_id,
                    request.get("to") or "",
                    request.get("from") or "",
                    NameAddr.parse(request.get("contact") or "").uri,
                    f"tag-{self.user}-{len(self.conversations)}",
                    request.from_tag,
                    routes=request.list("record-route"),
                )
                self.conversations.append(conversation)
            conversation.invite = request
        elif request.method == "BYE" and "BYE" in self.automatic:
            self.responds(request, 200)
        elif request.method == "CANCEL" and "CANCEL" in self.automatic:
            self.responds(request, 200)
            conversation = self._conversation(request)
            if conversation is not None and conversation.invite is not None:
                self.responds(conversation.invite, 487)
                conversation.invite = None

    def _conversation(self, message: Message) -> Conversation | None:
        for conversation in self.conversations:
            if conversation.call_id == message.call_id:
                return conversation
        return None

    def _take_response(self, response: Response) -> None:
        if response.method != "INVITE":
            return
        conversation = self._conversation(response)
        if conversation is None or conversation.sent is None or response.cseq != conversation.sent.cseq:
            return
        if response.status >= 300 and "ACK" in self.automatic:
            self.acks_refusal(response, conversation)
        elif 200 <= response.status < 300:
            conversation.answer = response
            self._learn(conversation, response)
        elif response.status > 100 and conversation.remote_tag is None and response.to_tag:
            self._learn(conversation, response)

    def _learn(self, conversation: Conversation, response: Response) -> None:
        first = conversation.answer is None or conversation.remote_tag != response.to_tag
        conversation.remote_tag = response.to_tag
        conversation.remote = response.get("to") or ""
        if "contact" in response:
            conversation.target = NameAddr.parse(response.get("contact") or "").uri
        if first and "record-route" in response:
            conversation.routes = response.list("record-route")[::-1]

    def received(self, what: str | int, method: str | None = None) -> Any:
        """The newest message of this method or status since `forgets`, or None; `method` is that of a response's CSeq.

        A message again sent is a message; see `count`.
        """
        found = self.all_received(what, method)
        return found[-1] if found else None

    def all_received(self, what: str | int, method: str | None = None) -> list[Any]:
        return [
            message
            for message in self.inbox[self._looked_at :]
            if kind_of(message) == what and (method is None or message.method == method)
        ]

    def count(self, what: str | int, method: str | None = None) -> int:
        return len(self.all_received(what, method))

    def heard(self) -> list[str | int]:
        """Kinds of all messages since `forgets`, in order."""
        return [kind_of(message) for message in self.inbox[self._looked_at :]]

    def forgets(self) -> None:
        """Look only at what comes from now on."""
        self._looked_at = len(self.inbox)

    # --------------------------------------------------------------------------------------------- what it says

    def says(self, text: str | bytes) -> None:
        """Send bytes as they are; a text is written with plain line ends."""
        data = text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode("utf-8", "surrogateescape")
        self.story.hand_in(data, self)

    def new_via(self) -> str:
        self._branches += 1
        branch = f"z9hG4bK-{self.user}-{self._branches}"
        return f"SIP/2.0/{self.transport.upper()} {self.host_port};branch={branch};rport"

    def sends(
        self,
        method: str,
        uri: str,
        *headers: str,
        body: bytes = b"",
        to: str | None = None,
        sender: str | None = None,
        call_id: str | None = None,
        cseq: int = 1,
        via: str | None = None,
        max_forwards: str | None = "70",
        contact: str | None = "",
    ) -> Sent:
        """Send a request outside any dialog, or one that is written by hand."""
        via = via or self.new_via()
        to = to or f"<{uri}>"
        lines = [f"{method} {uri} SIP/2.0", f"Via: {via}"]
        if max_forwards is not None:
            lines.append(f"Max-Forwards: {max_forwards}")
        lines += [
            f"From: {sender or f'<sip:{self.user}@story.example>;tag=from-{self.user}'}",
            f"To: {to}",
            f"Call-ID: {call_id or f'call-{self._branches}-{self.user}'}",
            f"CSeq: {cseq} {method}",
        ]
        if contact is not None:
            lines.append(f"Contact: {contact or self.contact}")
        lines += headers
        if body and not any(line.lower().startswith("content-type") for line in headers):
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        text = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + body
        self.story.hand_in(text, self)
        return Sent(method, uri, via, cseq, text, to)

    def repeats(self, sent: Sent) -> None:
        """The same bytes again, as a retransmission."""
        self.story.hand_in(sent.text, self)

    def responds(
        self, request: Request, status: int, *headers: str, body: bytes = b"", tag: str | None = None, reason: str = ""
    ) -> None:
        """Answer a request that came."""
        conversation = self._conversation(request)
        to = request.get("to") or ""
        if request.to_tag is None and status > 100:
            to += f";tag={tag or (conversation.tag if conversation else 'tag')}"
        lines = [f"SIP/2.0 {status} {reason or 'Reason'}"]
        lines += [f"Via: {value}" for value in request.lines("via")]
        lines += [f"Record-Route: {value}" for value in request.lines("record-route")]
        lines += [
            f"From: {request.get('from')}",
            f"To: {to}",
            f"Call-ID: {request.call_id}",
            f"CSeq: {request.cseq} {request.method}",
        ]
        if request.method == "INVITE" and 100 < status < 300 and not any(h.startswith("Contact") for h in headers):
            lines.append(f"Contact: {self.contact}")
        lines += headers
        if body and not any(line.lower().startswith("content-type") for line in headers):
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        self.story.hand_in(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + body, self)

    # ------------------------------------------------------------------------------------------- making a call

    def invites(
        self,
        number: str,
        *headers: str,
        body: bytes = OFFER,
        sender: str | None = None,
        routes: tuple[str, ...] = (),
        max_forwards: str | None = "70",
    ) -> Conversation:
        """Call a number. `routes` are Record-Route values of proxies on the way, topmost first."""
        self._branches += 1
        tag = f"tag-{self.user}-{self._branches}"
        uri = number if ":" in number else f"sip:{number}@{ROUTER[0]}"
        local = sender or f"<sip:{self.user}@story.example>"
        conversation = Conversation(
            f"call-{self._branches}-{self.user}", f"{local};tag={tag}", f"<{uri}>", uri, tag, routes=list(routes[::-1])
        )
        self.conversations.append(conversation)
        extra = [f"Record-Route: {route}" for route in routes]
        self._invite(conversation, uri, (*extra, *headers), body, max_forwards)
        return conversation

    def _invite(
        self,
        conversation: Conversation,
        uri: str,
        headers: tuple[str, ...],
        body: bytes,
        max_forwards: str | None = "70",
    ) -> None:
        via = self.new_via()
        cseq = conversation.cseq + 1
        conversation.cseq = cseq
        # Known before it is sent, as the answer comes at once.
        conversation.sent = Sent("INVITE", uri, via, cseq, b"", conversation.remote)
        conversation.sent = self.sends(
            "INVITE",
            uri,
            *headers,
            body=body,
            to=conversation.remote,
            sender=conversation.local,
            call_id=conversation.call_id,
            cseq=cseq,
            via=via,
            max_forwards=max_forwards,
        )

    def rings(
        self, status: int = 180, *headers: str, body: bytes = b"", tag: str | None = None, reason: str = "Ringing"
    ) -> bool:
        """Answer provisionally; fails when no INVITE has come. True, so that a story can say `assert bob.rings()`."""
        self.responds(self.waiting, status, *headers, body=body, tag=tag, reason=reason)
        return True

    def answers(self, *headers: str, body: bytes = ANSWER, tag: str | None = None, status: int = 200) -> None:
        conversation = self.call
        request = self.waiting
        if tag is not None:
            conversation.tag = tag
        self.responds(request, status, *headers, body=body, tag=tag, reason="OK")

    def refuses(self, status: int, *headers: str, reason: str = "Refused", tag: str | None = None) -> None:
        request = self.waiting
        self.call.invite = None
        self.responds(request, status, *headers, reason=reason, tag=tag)

    @property
    def waiting(self) -> Request:
        """The INVITE that came last."""
        invite = self.call.invite
        assert invite is not None, f"{self.user} has no INVITE to answer"
        return invite

    @property
    def was_called(self) -> bool:
        return self.received("INVITE") is not None

    def acks(self, *headers: str, body: bytes = b"", conversation: Conversation | None = None) -> None:
        """Acknowledge the 2xx."""
        conversation = conversation or self.call
        assert conversation.answer is not None, f"{self.user} got no answer"
        assert conversation.sent is not None
        self._in_dialog(conversation, "ACK", headers, body, conversation.sent.cseq)

    def acks_refusal(self, response: Response, conversation: Conversation) -> None:
        """The ACK of a refusal belongs to the INVITE's transaction (RFC 3261 §17.1.1.3)."""
        sent = conversation.sent
        assert sent is not None
        self.sends(
            "ACK",
            sent.uri,
            to=response.get("to"),
            sender=conversation.local,
            call_id=conversation.call_id,
            cseq=sent.cseq,
            via=sent.via,
            contact=None,
        )

    def cancels(self, *headers: str) -> None:
        """Give up the INVITE that was sent last."""
        conversation = self.call
        sent = conversation.sent
        assert sent is not None
        self.sends(
            "CANCEL",
            sent.uri,
            *headers,
            to=sent.to,
            sender=conversation.local,
            call_id=conversation.call_id,
            cseq=sent.cseq,
            via=sent.via,
            contact=None,
        )

    # -------------------------------------------------------------------------------------------- in the call

    def _in_dialog(
        self, conversation: Conversation, method: str, headers: tuple[str, ...], body: bytes, cseq: int | None = None
    ) -> Sent:
        if cseq is None:
            cseq = conversation.cseq = conversation.cseq + 1
        routes = [f"Route: {route}" for route in conversation.routes]
        return self.sends(
            method,
            conversation.target,
            *routes,
            *headers,
            body=body,
            to=self._tagged(conversation.remote, conversation.remote_tag),
            sender=self._tagged(conversation.local, conversation.tag),
            call_id=conversation.call_id,
            cseq=cseq,
            contact="" if method in ("INVITE", "REFER", "SUBSCRIBE") else None,
        )

    @staticmethod
    def _tagged(value: str, tag: str | None) -> str:
        return value if tag is None or ";tag=" in value else f"{value};tag={tag}"

    def sends_in_call(
        self,
        method: str,
        *headers: str,
        body: bytes = b"",
        conversation: Conversation | None = None,
        cseq: int | None = None,
    ) -> Sent:
        """A request within the dialog."""
        return self._in_dialog(conversation or self.call, method, headers, body, cseq)

    def reinvites(self, *headers: str, body: bytes = OFFER, conversation: Conversation | None = None) -> None:
        """Change the session: hold, resume, another codec."""
        conversation = conversation or self.call
        via = self.new_via()
        cseq = conversation.cseq = conversation.cseq + 1
        to = self._tagged(conversation.remote, conversation.remote_tag)
        conversation.answer = None
        conversation.sent = Sent("INVITE", conversation.target, via, cseq, b"", to)
        conversation.sent = self.sends(
            "INVITE",
            conversation.target,
            *(f"Route: {route}" for route in conversation.routes),
            *headers,
            body=body,
            to=to,
            sender=self._tagged(conversation.local, conversation.tag),
            call_id=conversation.call_id,
            cseq=cseq,
            via=via,
        )

    def hangs_up(self, *headers: str, conversation: Conversation | None = None) -> Sent:
        return self._in_dialog(conversation or self.call, "BYE", headers, b"")


class Phone(Actor):
    """A device of the company: it registers and answers challenges."""

    def __init__(self, story: Story, user: str, address: tuple[str, int], transport: str) -> None:
        super().__init__(story, user, address, transport)
        self.password = f"secret-{user}"
        self.answers_challenges = True
        self._register_cseq = 0
        if transport == "tcp":
            self.contact_parameters = ";transport=tcp"

    def registers(self, expires: int = 3600) -> None:
        """Register with digest; fails when the router does not let it."""
        call_id = f"register-{self.user}"
        address_of_record = f"<sip:{self.user}@story.example>"
        uri = f"sip:{ROUTER[0]}"
        for attempt in (1, 2):
            self._register_cseq += 1
            credentials = (
                [] if attempt == 1 else [f"Authorization: {self.credentials(self.received(401), 'REGISTER', uri)}"]
            )
            self.sends(
                "REGISTER",
                uri,
                f"Expires: {expires}",
                *credentials,
                to=address_of_record,
                sender=f"{address_of_record};tag=register",
                call_id=call_id,
                cseq=self._register_cseq,
            )
        assert self.received(200, "REGISTER"), f"{self.user} could not register: {self.heard()}"
        self.forgets()

    def credentials(self, response: Response, method: str, uri: str) -> str:
        """The value that answers a 401 or 407."""
        header = "www-authenticate" if response.status == 401 else "proxy-authenticate"
        challenge = strongest(response.lines(header))
        assert challenge is not None
        return challenge.answer(self.user, self.password, method, uri, f"cnonce{self._branches}")

    def invites(
        self,
        number: str,
        *headers: str,
        body: bytes = OFFER,
        sender: str | None = None,
        routes: tuple[str, ...] = (),
        max_forwards: str | None = "70",
    ) -> Conversation:
        """Call a number, with credentials once they are asked for."""
        self.forgets()
        conversation = super().invites(
            number, *headers, body=body, sender=sender, routes=routes, max_forwards=max_forwards
        )
        challenge = self.received(407, "INVITE")
        if challenge is not None and self.answers_challenges:
            self.forgets()
            uri = conversation.target
            extra = [f"Record-Route: {route}" for route in routes]
            authorization = f"Proxy-Authorization: {self.credentials(challenge, 'INVITE', uri)}"
            self._invite(conversation, uri, (*extra, *headers, authorization), body, max_forwards)
        return conversation
