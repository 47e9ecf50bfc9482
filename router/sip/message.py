"""SIP messages (RFC 3261 §7, §25), read lazily.

A message is decoded once and cut into lines once. Header values are looked at only when somebody asks; lines keep
their order and spelling, so that what the router does not understand it can carry on unchanged. Bytes that are not
UTF-8 survive the round trip (surrogateescape).

`parse` makes only the checks without which a message cannot be answered or forwarded safely: framing, header names,
mandatory and single headers, CSeq. What concerns one method alone is checked where that method is served.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from router.sip.errors import RemoteError
from router.sip.name_addr import split_list, split_parameters

MAX_HEADER_LINES: Final = 256  # a dozen is usual, fifty happens; bounds the work one message can cause
MAX_CSEQ: Final = 2**31 - 1  # RFC 3261 §8.1.1.5
MAX_STATUS: Final = 699
KNOWN_SENDERS: Final = 4096  # bounds the memory of who sent what; a company has a few hundred peers

# Compact forms (RFC 3261 §7.3.3 and the IANA registry).
COMPACT: Final = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}

# Usual spellings, so that one dictionary look-up names most headers.
_USUAL: Final = (
    "Via From To Call-ID CSeq Contact Max-Forwards Content-Type Content-Length Route Record-Route Allow "
    "Supported Require Proxy-Require User-Agent Server Expires Authorization Proxy-Authorization "
    "WWW-Authenticate Proxy-Authenticate P-Asserted-Identity P-Preferred-Identity Privacy Remote-Party-ID "
    "Diversion History-Info Reason Refer-To Referred-By Replaces Event Allow-Events Subscription-State Accept "
    "Accept-Encoding Accept-Language Session-Expires Min-SE Date Subject Organization Alert-Info Call-Info "
    "Retry-After Unsupported Warning Min-Expires Path RSeq RAck Timestamp Content-Disposition "
    "Content-Encoding Content-Language In-Reply-To MIME-Version Priority Reply-To Error-Info "
    "Authentication-Info Target-Dialog P-Charging-Vector P-Access-Network-Info"
).split()
_KEYS: Final[dict[str, str]] = {name: name.lower() for name in _USUAL}
_KEYS.update({name.lower(): name.lower() for name in _USUAL})
_KEYS.update(COMPACT)

# Headers of which two lines contradict each other (RFC 4475 §3.3.8, §3.3.9).
SINGLE: Final = frozenset(
    (
        "from to call-id cseq max-forwards content-length content-type expires min-expires date event "
        "refer-to replaces user-agent server organization subject priority timestamp retry-after mime-version "
        "reply-to session-expires"
    ).split()
)
_MANDATORY: Final = ("via", "from", "to", "call-id", "cseq")

# Numbers as they usually stand in CSeq and, after a space, in Content-Length; status codes with the space behind them.
_SMALL: Final = {f"{space}{number}": number for number in range(4096) for space in ("", " ")}
_STATUS: Final = {f"{status}{space}": status for status in range(100, MAX_STATUS + 1) for space in ("", " ")}

Values = list[str]  # named, as a method of Message is called list
Fields = Iterable[tuple[str, str]]

_TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")
_FOLD: Final = re.compile(r"[ \t]*\r\n[ \t]+")


class Message:
    """What requests and responses have in common.

    Attributes:
        body: exactly the Content-Length bytes.
        cseq: CSeq number.
        method: of a request its method, of a response the method in its CSeq.
    """

    __slots__ = ("_index", "_keys", "_lines", "_via", "body", "cseq", "method")

    body: bytes
    cseq: int
    method: str
    _keys: Iterable[str]
    _lines: Values
    _index: dict[str, str]
    _via: Via | None

    def lines_except(self, keys: frozenset[str]) -> Values:
        """The lines, as `fields` gives them, of all headers but these."""
        if self._keys is not self._index:  # a header came twice
            return [line for key, line in self.fields if key not in keys]
        lines = self._lines
        return [lines[at] for at, key in enumerate(self._index) if key not in keys]

    @property
    def fields(self) -> Fields:
        """(key, line) of each header in order; the line as received (unfolded, without CRLF)."""
        return zip(self._keys, self._lines, strict=True)

    def __contains__(self, key: str) -> bool:
        return key in self._index

    def get(self, key: str) -> str | None:
        """Value of the first header of that name (full, in lower case), without surrounding space; else None."""
        value = self._index.get(key)
        return None if value is None else value.strip()

    def lines(self, key: str) -> Values:
        """Values of all headers of that name, a line each, commas not split."""
        if key not in self._index:
            return []
        if self._keys is self._index:  # no header came twice
            return [self._index[key].strip()]
        return [
            line.partition(":")[2].strip() for name, line in zip(self._keys, self._lines, strict=True) if name == key
        ]

    def list(self, key: str) -> Values:
        """All values of a header that is a comma-separated list, over all its lines (RFC 3261 §7.3.1)."""
        return [value for line in self.lines(key) for value in split_list(line)]

    def tokens(self, key: str) -> Values:
        """A list header's values in lower case: option tags, event names."""
        return [value.lower() for value in self.list(key)]

    @property
    def via(self) -> Via:
        """The topmost Via. Raises RemoteError when it is malformed."""
        if self._via is None:
            self._via = Via.parse(self._index["via"])
        return self._via

    @property
    def call_id(self) -> str:
        return self._index["call-id"].strip()

    @property
    def from_tag(self) -> str | None:
        return tag_of(self._index["from"])

    @property
    def to_tag(self) -> str | None:
        return tag_of(self._index["to"])


class Request(Message):
    """A request; `uri` is the Request-URI as received."""

    __slots__ = ("uri",)

    def __init__(
        self, method: str, uri: str, keys: Iterable[str], lines: Values, index: dict[str, str], body: bytes
    ) -> None:
        self.method = method
        self.uri = uri
        self.body = body
        self.cseq = 0
        self._keys = keys
        self._lines = lines
        self._index = index
        self._via = None

    def __repr__(self) -> str:
        return f"<{self.method} {self.uri}>"


class Response(Message):
    """A response; `status` 100 to 699 and `reason` phrase as received."""

    __slots__ = ("reason", "status")

    def __init__(
        self, status: int, reason: str, keys: Iterable[str], lines: Values, index: dict[str, str], body: bytes
    ) -> None:
        self.method = ""
        self.body = body
        self.cseq = 0
        self._keys = keys
        self._lines = lines
        self._index = index
        self._via = None
        self.status = status
        self.reason = reason

    def __repr__(self) -> str:
        return f"<{self.status} {self.reason} to {self.method}>"


class Via:
    """One Via value (RFC 3261 §20.42): who sent it, and under which branch.

    Attributes:
        text: the value as received.
        transport: upper case, "UDP".
        sent_by: host and port as written, in lower case.
        host: without brackets; port: None when absent.
        branch: "" when absent (RFC 2543).
        rport: the peer asks for the source port (RFC 3581) and has not filled it in.
        received: value of the parameter, or None.
    """

    __slots__ = ("branch", "host", "port", "received", "rport", "sent_by", "text", "transport")

    def __init__(
        self,
        text: str,
        transport: str,
        sent_by: str,
        host: str,
        port: int | None,
        branch: str,
        rport: bool,
        received: str | None,
    ) -> None:
        self.text = text
        self.transport = transport
        self.sent_by = sent_by
        self.host = host
        self.port = port
        self.branch = branch
        self.rport = rport
        self.received = received

    @classmethod
    def parse(cls, line: str) -> Via:
        """Read the first value of a Via line. Raises RemoteError(400)."""
        value = line.strip()
        if "," in value:
            value = split_list(value)[0]
        parameters = value.split(";") if '"' not in value else split_parameters(value)
        transport, sent_by, host, port = _sender(parameters.pop(0))
        branch, rport, received = "", False, None
        for parameter in parameters:
            name, equals, content = parameter.partition("=")
            name = name.strip()
            if name == "branch":
                branch = content.strip()
            elif name == "rport":
                rport = not equals
            elif name == "received":
                received = content.strip()
            elif not _TOKEN.match(name):
                raise RemoteError("Via has a malformed parameter")
            elif name.lower() == "branch":
                branch = content.strip()
            elif name.lower() == "rport":
                rport = not equals
            elif name.lower() == "received":
                received = content.strip()
        return Via(value, transport, sent_by, host, port, branch, rport, received)


@lru_cache(maxsize=KNOWN_SENDERS)
def _sender(head: str) -> tuple[str, str, str, int | None]:
    """Transport, sent-by, host and port of a Via without its parameters: the same in all that a peer sends."""
    words = head.split()
    if len(words) == 2 and words[0].startswith("SIP/2.0/"):
        transport, sent_by = words[0][8:].upper(), words[1].lower()
    else:
        transport, sent_by = _unusual_via(head)
    if sent_by.startswith("["):
        host, bracket, port_text = sent_by[1:].partition("]")
        if not bracket or (port_text and port_text[0] != ":"):
            raise RemoteError("Via has a malformed IPv6 address")
        port_text = port_text[1:]
    else:
        host, _, port_text = sent_by.partition(":")
    if not host:
        raise RemoteError("Via has no sent-by host")
    return transport, sent_by, host, _port(port_text) if port_text else None


def _unusual_via(head: str) -> tuple[str, str]:
    """Sent-protocol and sent-by of a Via with spaces round its slashes or colon (RFC 4475 §3.1.1.1)."""
    protocol = re.match(r"\s*SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+(\S.*)\Z", head, re.IGNORECASE)
    if protocol is None:
        raise RemoteError("Via does not begin with SIP/2.0/transport and a host")
    sent_by = re.sub(r"\s*:\s*", ":", protocol[2].strip()).lower()
    if " " in sent_by or "\t" in sent_by:
        raise RemoteError("Via has a malformed sent-by")
    return protocol[1].upper(), sent_by


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise RemoteError("Via has a malformed port")
    return int(text)


def tag_of(value: str) -> str | None:
    """The tag parameter of a From or To value, or None."""
    at = value.rfind(";tag=")
    tag = value[at + 5 :]
    if at >= 0 and ">" not in tag and ";" not in tag:
        return tag.strip()
    return _unusual_tag(value)


def _unusual_tag(value: str) -> str | None:
    """The tag where other parameters follow it, or where it is written with spaces or capitals (`; TAG = x`)."""
    if "tag" not in value and "tag" not in value.lower():
        return None
    for parameter in value[value.rfind(">") + 1 :].split(";")[1:]:
        name, _, content = parameter.partition("=")
        if name.strip().lower() == "tag":
            return content.strip()
    return None


def header_key(name: str) -> str:
    """Full name in lower case of a header as spelled on the wire. Raises RemoteError(400) for what is no name."""
    stripped = name.rstrip(" \t")
    key = _KEYS.get(stripped)
    if key is None:
        if not _TOKEN.match(stripped):
            raise RemoteError("a header line has no valid name")
        key = stripped.lower()
        key = COMPACT.get(key, key)
    return key


def parse(data: bytes) -> Request | Response:
    """Read one message: a datagram, or what a stream's framing cut out.

    Raises:
        RemoteError: not a message that can be served. Its `request` is the request as far as it could be read when an
            answer is possible, None when the bytes are to be dropped (responses, ACK, anything without a Via).
    """
    head, end_of_head, body = data.partition(b"\r\n\r\n")
    if head[:2] == b"\r\n" or not head:  # RFC 3261 §7.5: empty lines before the start line are ignored
        data = data.lstrip(b"\r\n")
        head, end_of_head, body = data.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "surrogateescape")
    lines = text.split("\r\n")
    joined = "".join(lines)
    start = lines.pop(0)
    if len(lines) > MAX_HEADER_LINES:
        raise RemoteError("more header lines than any call needs", 513)
    index: dict[str, str] = {}
    known = _KEYS
    empty = False
    fault = ""
    try:
        for line in lines:  # the hottest loop of the router: it does what an ordinary message needs, and no more
            name, _, value = line.partition(":")
            if not value:
                empty = True
            index[known[name]] = value
        keys: Iterable[str] = index
        if empty or len(index) != len(lines):
            fault, keys = _read(lines, index)
    except KeyError:
        if "\r\n " in text or "\r\n\t" in text:
            lines = _FOLD.sub(" ", text).split("\r\n")
            start = lines.pop(0)
        fault, keys = _read(lines, index)
    message: Request | Response
    if start.startswith("SIP/2.0 "):
        message = Response(_STATUS.get(start[8:12], 0), start[12:], keys, lines, index, body)
        if message.status == 0:
            fault = "the status code is not one of SIP's"
    else:
        method, _, rest = start.partition(" ")
        uri, _, version = rest.rpartition(" ")
        message = Request(method, uri, keys, lines, index, body)
        if version != "SIP/2.0" or not uri or " " in uri:
            fault = _start_line_fault(message, start)
    if "\n" in joined or "\r" in joined:
        fault = fault or "a bare CR or LF stands in the headers"
    if not end_of_head:
        fault = fault or "the empty line after the headers is missing"
    fault = fault or _fault(message, index)
    if fault:
        raise _refusal(message, fault)
    return message


def _read(lines: Values, index: dict[str, str]) -> tuple[str, Values]:
    """Read header lines of any kind: unusual spellings, several of one name, and what is no header at all.

    Fills `index` with the first of each name. Returns what is wrong, or "", and the keys of all lines; the key "" marks
    a line that goes no further.
    """
    fault = ""
    keys: Values = []
    index.clear()
    for line in lines:
        name, colon, value = line.partition(":")
        key = ""
        try:
            key = header_key(name)
        except RemoteError as error:
            fault = fault or error.text
        if not colon:
            key = ""
            fault = fault or "a header line has no colon"
        keys.append(key)
        if key not in index:
            index[key] = value
        elif key in SINGLE:
            fault = fault or f"{key} appears more than once"
    return fault, keys


def _fault(message: Message, index: dict[str, str]) -> str:
    """What is wrong with the headers that nothing works without, or ""; sets `cseq`, cuts what follows the body."""
    try:
        number, method = index["cseq"].split()
        index["via"], index["from"], index["to"], index["call-id"]
    except KeyError:
        return f"{next(key for key in _MANDATORY if key not in index)} is missing"
    except ValueError:
        return "CSeq is not a number and a method"
    cseq = _SMALL.get(number)
    if cseq is None:
        cseq = _number(number)
        if not 0 <= cseq <= MAX_CSEQ:
            return "CSeq is not a number below 2^31"
    message.cseq = cseq
    if type(message) is Response:
        message.method = method
    elif method != message.method:
        return "CSeq names another method than the request line"
    length = index.get("content-length")
    if length is not None:
        expected = _SMALL.get(length)
        if expected is None:
            expected = _number(length.strip())
            if expected < 0:
                return "Content-Length is not a number"
        if expected != len(message.body):
            if expected > len(message.body):
                return "the body is shorter than Content-Length"
            message.body = message.body[:expected]  # RFC 3261 §18.3: what follows is not part of the message
    return ""


def _number(text: str) -> int:
    """A decimal number of at most ten ASCII digits, or -1."""
    return int(text) if text.isdigit() and text.isascii() and len(text) <= 10 else -1


def _start_line_fault(request: Request, start: str) -> str:
    """Why a request line is not `METHOD URI SIP/2.0`."""
    words = start.split()
    if len(words) >= 3 and words[-1].upper().startswith("SIP/") and words[-1].upper() != "SIP/2.0":
        return "505"
    if not words or not _TOKEN.match(words[0]):
        raise RemoteError("not a SIP message")
    if words[-1].upper() != "SIP/2.0":
        raise RemoteError("the request line does not end with SIP/2.0")
    request.method = words[0]
    return "the request line is not method, URI and version with one space between them"


def _refusal(message: Request | Response, fault: str) -> RemoteError:
    error = RemoteError("Version Not Supported", 505) if fault == "505" else RemoteError(fault)
    if type(message) is Request and message.method != "ACK" and "via" in message:
        error.request = message
    return error
