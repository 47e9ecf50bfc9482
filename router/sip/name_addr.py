"""Values of the headers that name somebody: From, To, Contact, Route, Path, Diversion, P-Asserted-Identity, Refer-To …

`NameAddr` reads both forms of RFC 3261 §20.10, `"Claire" <sip:201@example.com>;tag=a` and `sip:201@example.com;tag=a`,
and always writes the first. Reading is lenient where peers are known to be sloppy (unquoted display names with any
characters), strict where two readers could disagree on who is meant (RFC 4475 §3.1.2). Writing never lets a line break
or a NUL through, whatever a peer or a configuration put in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from router.sip.errors import LocalError, RemoteError
from router.sip.uri import Uri, parse_uri

TOKEN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")  # RFC 3261 §25.1

_QUOTE_ESCAPES: Final = str.maketrans({'"': '\\"', "\\": "\\\\"})
_CONTROLS_TO_SPACE: Final = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " ")


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A name-addr with its header parameters.

    Args:
        uri: text between the angle brackets; parsed only by `parsed_uri`.
        display: display name as a person reads it, quotes and escapes undone; "" when there is none. It may hold any
            character a peer sent, controls included: `str` writes it safely.
        params: header parameters in order as (name, value), spelled and quoted as received; a value of None is a
            parameter without "=".
    """

    uri: str
    display: str = ""
    params: tuple[tuple[str, str | None], ...] = ()

    @classmethod
    def parse(cls, value: str) -> NameAddr:
        """Read one value of a header (see `split_list` for several), unfolded.

        Raises `RemoteError` (400) when it cannot be read in one way only.
        """
        value = value.strip()
        if "\r" in value or "\n" in value:
            raise RemoteError("an address holds a line break")
        if value.startswith('"'):
            end = end_of_quoted(value, 0)
            display = _unescape(value[1 : end - 1])
            start = end
            while value[start : start + 1] in (" ", "\t"):
                start += 1
            if value[start : start + 1] != "<":
                raise RemoteError("a quoted display name is not followed by an address in angle brackets")
        else:
            start = value.find("<")
            if start < 0 or _in_parameters(value, start):
                return _parse_addr_spec(value)
            display = value[:start].rstrip()
            if '"' in display or ">" in display:
                raise RemoteError("a display name holds a stray quote or angle bracket")
        close = value.find(">", start)
        if close < 0:
            raise RemoteError('an address has "<" without ">"')
        uri = value[start + 1 : close]
        if not uri or " " in uri or "\t" in uri or "\0" in uri or '"' in uri or "<" in uri:
            raise RemoteError("the address between angle brackets is empty or holds a space, quote or control")
        return cls(uri, display, _parse_params(value[close + 1 :]))

    def __str__(self) -> str:
        if any(character in self.uri for character in ' <>"\r\n\0'):
            raise LocalError(f"{self.uri!r} is not a URI that can be written into a header")
        text = f"{quote(self.display)} <{self.uri}>" if self.display else f"<{self.uri}>"
        for name, value in self.params:
            text += f";{name}" if value is None else f";{name}={value}"
        if "\r" in text or "\n" in text or "\0" in text:
            raise LocalError(f"{text!r} would break the header that it is written into")
        return text

    def parsed_uri(self) -> Uri:
        """The URI, parsed. Raises `RemoteError` (400) when it is none."""
        return parse_uri(self.uri)

    def param(self, name: str) -> str | None:
        """Value of a header parameter, unquoted; "" for one without value, None when it is absent. Case-insensitive."""
        lowered = name.lower()
        for key, value in self.params:
            if key == name or key.lower() == lowered:
                return "" if value is None else unquote(value)
        return None

    @property
    def tag(self) -> str | None:
        """The `tag` parameter (RFC 3261 §19.3), or None."""
        return self.param("tag")

    def with_param(self, name: str, value: str | None) -> NameAddr:
        """The same with one parameter set, in its old place or at the end.

        `value` must already be a token, or quoted by `quote`; None sets the parameter without value.
        """
        lowered = name.lower()
        params = list(self.params)
        for index, (key, _) in enumerate(params):
            if key.lower() == lowered:
                params[index] = (key, value)
                break
        else:
            params.append((name, value))
        return NameAddr(self.uri, self.display, tuple(params))

    def without_param(self, name: str) -> NameAddr:
        """The same without any parameter of that name."""
        lowered = name.lower()
        return NameAddr(self.uri, self.display, tuple(pair for pair in self.params if pair[0].lower() != lowered))


def split_list(value: str) -> list[str]:
    """Split the values of one header line at commas (RFC 3261 §7.3.1), not at those in quotes or angle brackets.

    Raises `RemoteError` (400) on an empty value, an unterminated quote or an angle bracket that is not closed.
    """
    if "," not in value:
        return [value.strip()]
    values: list[str] = []
    start = position = 0
    length = len(value)
    while position < length:
        character = value[position]
        if character == '"':
            position = end_of_quoted(value, position)
            continue
        if character == "<":
            position = value.find(">", position)
            if position < 0:
                raise RemoteError('an address has "<" without ">"')
        elif character == ",":
            values.append(value[start:position].strip())
            start = position + 1
        position += 1
    values.append(value[start:].strip())
    if not all(values):
        raise RemoteError("a header has an empty value between commas")
    return values


def quote(text: str) -> str:
    """Write a display name or parameter value as a quoted-string (RFC 3261 §25.1).

    Controls and line separators become spaces, so that no text can end the header it stands in.
    """
    if not text.isprintable():
        text = text.translate(_CONTROLS_TO_SPACE)
    if '"' in text or "\\" in text:
        text = text.translate(_QUOTE_ESCAPES)
    return f'"{text}"'


def unquote(text: str) -> str:
    """Undo `quote`; text that is not quoted is returned as it is."""
    return _unescape(text[1:-1]) if len(text) >= 2 and text[0] == '"' and text[-1] == '"' else text


def _parse_addr_spec(value: str) -> NameAddr:
    # RFC 3261 §20.10: without angle brackets every ";" begins a header parameter, and "?" and "," must not appear.
    uri, semicolon, params = value.partition(";")
    uri = uri.rstrip()
    if "?" in uri or "," in uri:
        raise RemoteError('an address with "?" or "," must stand in angle brackets (RFC 3261 §20.10)')
    if ":" not in uri or any(character in uri for character in ' \t<>"\0'):
        raise RemoteError("an address is not a URI, nor a name and a URI in angle brackets")
    return NameAddr(uri, "", _parse_params(semicolon + params))


def _in_parameters(value: str, position: int) -> bool:
    """Whether `position`, where a "<" stands, lies in a quoted parameter of an address without angle brackets."""
    quoted = value.find('"', 0, position)
    return quoted >= 0 and value.find(";", 0, quoted) >= 0


def _parse_params(text: str) -> tuple[tuple[str, str | None], ...]:
    text = text.strip()
    if not text:
        return ()
    if text[0] != ";":
        raise RemoteError('an address is followed by something that is not a ";"')
    if "\0" in text:
        raise RemoteError("an address has a parameter that holds a NUL")
    pieces = split_parameters(text[1:])
    params: list[tuple[str, str | None]] = []
    for piece in pieces:
        name, equals, value = piece.partition("=")
        name, value = name.strip(), value.strip()
        if not name or not TOKEN.issuperset(name):
            raise RemoteError("an address has a parameter without a valid name")
        if not equals:
            params.append((name, None))
            continue
        if value.startswith('"'):
            if end_of_quoted(value, 0) != len(value):
                raise RemoteError(f"parameter {name} goes on after its closing quote")
        elif not value or any(character in value for character in ' \t",<>\0'):
            raise RemoteError(f"parameter {name} has no value, or one that needs quotes")
        params.append((name, value))
    return tuple(params)


def split_parameters(text: str) -> list[str]:
    """Split at every ";" that stands outside quotes. Raises `RemoteError` (400) on an unterminated quote."""
    if '"' not in text:
        return text.split(";")
    pieces: list[str] = []
    start = position = 0
    while position < len(text):
        if text[position] == '"':
            position = end_of_quoted(text, position)
            continue
        if text[position] == ";":
            pieces.append(text[start:position])
            start = position + 1
        position += 1
    pieces.append(text[start:])
    return pieces


def end_of_quoted(text: str, start: int) -> int:
    """Position after the quoted-string that begins at `start`. Raises `RemoteError` (400) when it does not end."""
    position = start + 1
    while True:
        end = text.find('"', position)
        if end < 0:
            raise RemoteError("a quoted string has no closing quote")
        escape = text.find("\\", position, end)
        if escape < 0:
            return end + 1
        position = escape + 2


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    characters: list[str] = []
    position = 0
    while position < len(text):
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
        characters.append(text[position])
        position += 1
    return "".join(characters)
