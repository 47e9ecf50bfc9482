"""SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966): frozen values that print themselves.

A URI is parsed once, keeps the spelling of everything it was given except the scheme's case and leading zeros of the
port, and looks at its parameters only when asked. What the grammar forbids but cannot do harm (a bare "#" in a user
part, an underscore in a host name) is let through; what could end up elsewhere than meant (white space, controls,
quotes, angle brackets, broken escapes, impossible hosts and ports) is refused with 400.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import unquote

from router.sip.errors import RemoteError

MAX_PORT: Final = 65535
KNOWN_HOSTS: Final = 1024  # bounds the memory of host names found valid; a company meets a few dozen

_HEXADECIMAL: Final = frozenset("0123456789abcdefABCDEF")
_SCHEME: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+-.")
_TEL_SEPARATORS: Final = str.maketrans("", "", "-.()")
_LOCAL_DIGITS: Final = frozenset("0123456789ABCDEFabcdef*#")
# RFC 3261 §19.1.4: these must match even when only one of the two URIs has them.
_COMPARED_WHEN_ABSENT: Final = ("user", "ttl", "method", "maddr", "transport")
# RFC 3261 §19.1.4: an escaped character equals itself unescaped unless it is one of RFC 2396's reserved set.
_RESERVED: Final = frozenset(";/?:@&=+$,")


class SipUri:
    """A SIP or SIPS URI.

    No dataclass, as one is made for each call: compiled, its own constructor takes a twentieth of the time.

    Args:
        scheme: "sip" or "sips".
        user: user part as written, escapes included; "" when there is none. See `username`.
        password: as written; None when there is none. (Deprecated by RFC 3261, carried all the same.)
        host: as written; an IPv6 reference keeps its brackets. See `address`.
        port: None when not given, which is not the same as 5060 (RFC 3261 §19.1.4).
        params: text after the first ";", such as "transport=tcp;lr"; "" when there are none. See `param`.
        headers: text after "?", such as "Replaces=a%3Bb"; "" when there are none. See `header`.
    """

    __slots__ = ("headers", "host", "params", "password", "port", "scheme", "user")

    def __init__(
        self,
        scheme: str,
        user: str,
        password: str | None,
        host: str,
        port: int | None = None,
        params: str = "",
        headers: str = "",
    ) -> None:
        self.scheme: Final = scheme
        self.user: Final = user
        self.password: Final = password
        self.host: Final = host
        self.port: Final = port
        self.params: Final = params
        self.headers: Final = headers

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SipUri) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        text = self.scheme + ":"
        if self.user:
            text += self.user if self.password is None else f"{self.user}:{self.password}"
            text += "@"
        text += self.host
        if self.port is not None:
            text += f":{self.port}"
        if self.params:
            text += ";" + self.params
        if self.headers:
            text += "?" + self.headers
        return text

    @property
    def username(self) -> str:
        """The user part with escapes undone, as UTF-8 (undecodable bytes become U+FFFD). May contain any character."""
        return unquote(self.user) if "%" in self.user else self.user

    @property
    def address(self) -> str:
        """The host in lower case and without brackets, as sockets and resolvers want it."""
        host = self.host.lower()
        return host[1:-1] if host[0] == "[" else host

    @property
    def transport(self) -> str:
        """The `transport` parameter in lower case, or "" when there is none."""
        return (self.param("transport") or "").lower()

    def param(self, name: str) -> str | None:
        """The value of a URI parameter with escapes undone, "" for one without value, None when it is absent."""
        return _find(self.params, ";", name)

    def header(self, name: str) -> str | None:
        """The value of a header in the URI with escapes undone (RFC 3261 §19.1.1), or None.

        Whatever it holds was chosen by a peer, line breaks included: parse it, never copy it into a message.
        """
        return _find(self.headers, "&", name)

    def bare(self) -> SipUri:
        """The same URI without headers, as a Request-URI or a remote target must be (RFC 3261 §19.1.1, table 1)."""
        if not self.headers:
            return self
        return SipUri(self.scheme, self.user, self.password, self.host, self.port, self.params)

    def matches(self, other: Uri) -> bool:
        """Whether both name the same resource by the comparison rules of RFC 3261 §19.1.4."""
        if self == other:
            return True
        if (
            not isinstance(other, SipUri)
            or self.scheme != other.scheme
            or self.port != other.port
            or self.host.lower() != other.host.lower()
            or _normal(self.user) != _normal(other.user)
            or (self.password is None) != (other.password is None)
            or _normal(self.password or "") != _normal(other.password or "")
        ):
            return False
        mine, theirs = _pairs(self.params, ";"), _pairs(other.params, ";")
        for name in mine.keys() & theirs.keys():
            if mine[name] != theirs[name]:
                return False
        if any((name in mine) != (name in theirs) for name in _COMPARED_WHEN_ABSENT):
            return False
        return _pairs(self.headers, "&") == _pairs(other.headers, "&")


@dataclass(frozen=True, slots=True)
class TelUri:
    """A tel URI (RFC 3966).

    Args:
        number: as written, visual separators included. See `digits`.
        params: text after the first ";", such as "phone-context=example.com"; "" when there are none.
    """

    number: str
    params: str = ""

    def __str__(self) -> str:
        return f"tel:{self.number};{self.params}" if self.params else f"tel:{self.number}"

    @property
    def digits(self) -> str:
        """The number without visual separators, "+" kept: "+3242200121"."""
        return self.number.translate(_TEL_SEPARATORS)

    @property
    def phone_context(self) -> str | None:
        """Where a local number is valid (RFC 3966 §5.1.5), or None."""
        return self.param("phone-context")

    def param(self, name: str) -> str | None:
        """The value of a parameter with escapes undone, "" for one without value, None when it is absent."""
        return _find(self.params, ";", name)

    def matches(self, other: Uri) -> bool:
        """Whether both name the same number by the comparison rules of RFC 3966 §4."""
        return self == other or (
            isinstance(other, TelUri)
            and self.digits.lower() == other.digits.lower()
            and _pairs(self.params, ";") == _pairs(other.params, ";")
        )


@dataclass(frozen=True, slots=True)
class OtherUri:
    """A URI of a scheme we do not speak, kept as it is; a request to one is answered 416 (RFC 3261 §8.2.2.1)."""

    scheme: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"

    def matches(self, other: Uri) -> bool:
        """Whether both are spelled alike: we know no better for a scheme that we do not speak."""
        return self == other


Uri = SipUri | TelUri | OtherUri


def parse_uri(text: str) -> Uri:
    """Parse a URI that stands alone, without angle brackets.

    Raises `RemoteError` (400) when it is not a URI, or not a valid one of a scheme that we speak.
    """
    if text.startswith("sip:"):
        return _parse_sip("sip", text, 4)
    scheme, colon, rest = text.partition(":")
    lowered = scheme.lower()
    if lowered == "sips" or lowered == "sip":
        return _parse_sip(lowered, text, len(scheme) + 1)
    if not colon or not scheme or not _SCHEME.issuperset(lowered) or not lowered[0].isalpha():
        raise RemoteError(f'{_shown(text)} is not a URI: it has no scheme such as "sip:"')
    _check_characters(text)
    if lowered == "tel":
        return _parse_tel(rest)
    return OtherUri(lowered, rest)


def bracketed(host: str) -> str:
    """Write a host as it stands in a URI: an IPv6 address in brackets (RFC 3261 §25.1 `host`)."""
    return f"[{host}]" if ":" in host else host


def _parse_sip(scheme: str, text: str, start: int) -> SipUri:
    if not text.isascii() or not text.isprintable() or " " in text or "<" in text or ">" in text or '"' in text:
        _check_characters(text)
    if "%" in text:
        _check_escapes(text)
    user, password, headers, port = "", None, "", None
    # A user part may hold ";" and "?" (RFC 4475 §3.1.1.13), but nothing may hold an unescaped "@" except as its end.
    before, at, rest = text[start:].partition("@")
    if not at:
        rest = before
    else:
        user = before
        if ":" in user:
            user, _, password = user.partition(":")
        if not user:
            raise RemoteError(f'{_shown(text)} has an empty user part before "@"')
        if "@" in rest:
            raise RemoteError(f'{_shown(text)} has two "@": escape the first as %40')
    if "?" in rest:
        rest, _, headers = rest.partition("?")
    host, semicolon, params = rest.partition(";")
    if semicolon and (not params or params[0] in ";=" or params[-1] == ";" or ";;" in params or ";=" in params):
        raise RemoteError(f"{_shown(text)} has a parameter without name")
    name, colon, digits = host.rpartition(":")
    if colon and host[-1] != "]":
        host = name
        if not (digits.isdecimal() and digits.isascii() and len(digits) <= 5) or (port := int(digits)) > MAX_PORT:
            raise RemoteError(f"{_shown(text)} has port {_shown(digits)}, which is not a number from 0 to {MAX_PORT}")
    _check_host(host)
    return SipUri(scheme, user, password, host, port, params, headers)


def _parse_tel(rest: str) -> TelUri:
    number, semicolon, params = rest.partition(";")
    digits = number.translate(_TEL_SEPARATORS)
    if digits.startswith("+"):
        valid = digits[1:].isascii() and digits[1:].isdecimal()
    else:
        valid = bool(digits) and _LOCAL_DIGITS.issuperset(digits)
    if not valid:
        raise RemoteError(f"tel:{_shown(rest)} is not a telephone number (RFC 3966)")
    if semicolon and not all(parameter.partition("=")[0] for parameter in params.split(";")):
        raise RemoteError(f"tel:{_shown(rest)} has a parameter without name")
    return TelUri(number, params)


@lru_cache(KNOWN_HOSTS)
def _check_host(host: str) -> None:
    """Raise `RemoteError` unless `host` is a host name, an IPv4 address or an IPv6 reference (RFC 3261 §25.1)."""
    try:
        if host.startswith("["):
            if host[-1] != "]" or "%" in host:
                raise RemoteError(f"{_shown(host)} is not an IPv6 address in brackets")
            IPv6Address(host[1:-1])
            return
        if host.rpartition(".")[2].isdecimal():
            IPv4Address(host)  # the last label of a name never begins with a digit, so this can only be an address
            return
    except AddressValueError as error:
        raise RemoteError(f"{_shown(host)} is not an IP address: {error}") from None
    labels = host.removesuffix(".").split(".")
    if not host.isascii() or not all(label.replace("-", "").replace("_", "").isalnum() for label in labels):
        raise RemoteError(f"{_shown(host)} is not a host name")


def _check_characters(text: str) -> None:
    for character in text:
        if character <= " " or character in '<>"\x7f':
            raise RemoteError(f"{_shown(text)} is not a URI: it holds {character!r}")
    if "%" in text:
        _check_escapes(text)


def _check_escapes(text: str) -> None:
    for escape in text.split("%")[1:]:
        if len(escape) < 2 or not _HEXADECIMAL.issuperset(escape[:2]):
            raise RemoteError(f'{_shown(text)} has a "%" that two hexadecimal digits do not follow')


def _find(text: str, separator: str, name: str) -> str | None:
    if not text:
        return None
    for pair in text.split(separator):
        key, _, value = pair.partition("=")
        if key == name or key.lower() == name.lower():
            return unquote(value) if "%" in value else value
    return None


def _pairs(text: str, separator: str) -> dict[str, str]:
    """Parameters or headers as they are compared: names and values without case and without needless escapes."""
    if not text:
        return {}
    pairs = (pair.partition("=") for pair in text.split(separator))
    return {_normal(name).lower(): _normal(value).lower() for name, _, value in pairs}


def _normal(text: str) -> str:
    """Undo the escapes that make no difference; write those that do in upper case."""
    if "%" not in text:
        return text
    first, *rest = text.split("%")
    for part in rest:
        character = chr(int(part[:2], 16))
        needless = character.isascii() and character.isprintable() and character not in _RESERVED and character != "%"
        first += (character if needless else "%" + part[:2].upper()) + part[2:]
    return first


def _shown(text: str) -> str:
    """Text of a peer as it may stand in an error: on one line and not longer than a line."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
