"""What one session receives: whom it believes, what it counts, who listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from router.media.codecs import Converter, Decoder, decoder
from router.media.line import Address, Line
from router.media.rtp import (
    CLOCK,
    HEADER_BYTES,
    MARKER,
    MAX_PACKET_BYTES,
    MAX_PAYLOAD_BYTES,
    TICK_UNITS,
    VERSION,
    newer,
    parse,
    unpack,
)
from router.media.sender import Sender
from router.media.telephone_event import MAX_KEYS_PER_SECOND, KeyReader
from router.media.tones import ToneReader

FORGET_TICKS: Final = 250  # 5 s without RTP: its source may be another one from now on
MAX_DROPOUT: Final = 3000  # sequence numbers; a greater leap is another stream (RFC 3550 appendix A.1)
_COMFORT_NOISE: Final = 13  # RFC 3389; a sign of life, and nothing to hear


class Listener(Protocol):
    """Hears the sound of one session."""

    def put(self, codec: str, payload: bytes, timestamp: int, ssrc: int, came: int) -> None: ...


class Receiver:
    """The incoming half of an RTP stream.

    The source is the address in the SDP, or the first other one of a trusted host that sends valid RTP (symmetric RTP:
    what we send then goes there). From then on it is that one only, until it was silent for five seconds or a new
    offer came: nobody can inject sound from a third address, nor turn ours away.

    Args:
        line: the sockets; where we send to follows the source.
        key_pressed: called with each key.
    """

    __slots__ = (
        "_aim",
        "_codecs",
        "_converters",
        "_event_type",
        "_first_sequence",
        "_hosts",
        "_key_pressed",
        "_keys",
        "_keys_at",
        "_keys_left",
        "_lost_before",
        "_received_of_source",
        "_recv",
        "_recvfrom",
        "_target",
        "_tone_decoder",
        "_tones",
        "_transit",
        "foreign",
        "forward",
        "heard",
        "highest",
        "invalid",
        "jitter",
        "known",
        "listener",
        "packets",
        "ssrc",
    )

    def __init__(self, line: Line, key_pressed: Callable[[str], None]) -> None:
        self._recv = line.direct.recv
        self._recvfrom = line.wide.recvfrom
        self._aim: Callable[[Address], bool] = line.aim
        self._key_pressed = key_pressed
        self._codecs: Mapping[int, str] = {}
        self._event_type: int | None = None
        self._hosts: frozenset[str] = frozenset()
        self.known = False  # where it comes from: nobody else may send
        self.ssrc = 0
        self.heard = -1  # tick of the last valid packet; -1 before the first
        self.packets = self.foreign = self.invalid = 0
        self.jitter = 0.0  # RTP clock units
        self.highest = 0  # extended highest sequence number
        self._first_sequence = 0
        self._received_of_source = 0
        self._lost_before = 0  # of earlier sources
        self._transit: int | None = None
        self.listener: Listener | None = None
        self.forward: Sender | None = None
        self._target = ""  # codec of what is sent on
        self._converters: dict[str, Converter] = {}
        self._keys = KeyReader()
        self._keys_at = 0
        self._keys_left = MAX_KEYS_PER_SECOND
        self._tones: ToneReader | None = None
        self._tone_decoder: Decoder | None = None

    def use(self, codecs: Mapping[int, str], event_type: int | None, hosts: frozenset[str]) -> None:
        """Believe another source from now on.

        Args:
            codecs: by payload type, what may come.
            event_type: payload type of keys, or None: then they are looked for in the sound.
            hosts: that it may come from.
        """
        self._codecs = codecs
        self._event_type = event_type
        self._hosts = hosts
        self.known = False
        self._tones = ToneReader() if event_type is None else None
        self._tone_decoder = None

    def connect(self, forward: Sender | None, codec: str) -> None:
        """Send on what comes, as a part of the other session's stream and in its codec; None: no more."""
        self.forward = forward
        self._target = codec
        self._converters.clear()

    @property
    def lost(self) -> int:
        """Packets that should have come and did not."""
        if not self._received_of_source:
            return self._lost_before
        return self._lost_before + max(0, self.highest - self._first_sequence + 1 - self._received_of_source)

    def read(self, now: int) -> None:
        """Read one datagram that comes from where we send to.

        Args:
            now: in units of the RTP clock since the engine started.
        """
        data = self._recv(MAX_PACKET_BYTES)
        size = len(data)
        if HEADER_BYTES < size <= HEADER_BYTES + MAX_PAYLOAD_BYTES and data[0] == VERSION:
            _, second, sequence, timestamp, ssrc = unpack(data)
            self._take(second >= MARKER, second & 0x7F, sequence, timestamp, ssrc, data[HEADER_BYTES:], now)
            return
        packet = parse(data)
        if packet is None:
            self.invalid += 1
        else:
            self._take(*packet, now)

    def read_strange(self, now: int) -> None:
        """Read one datagram that comes from elsewhere; its source may take the place of the present one."""
        data, address = self._recvfrom(MAX_PACKET_BYTES)
        if (self.known and now // TICK_UNITS - self.heard < FORGET_TICKS) or address[0] not in self._hosts:
            self.foreign += 1
            return
        packet = parse(data)
        if packet is None or not self._agreed(packet.payload_type):
            self.invalid += 1
        elif self._aim(address):
            self.known = False
            self._take(*packet, now)

    def _agreed(self, payload_type: int) -> bool:
        return payload_type in self._codecs or payload_type in (self._event_type, _COMFORT_NOISE)

    def _take(
        self, marker: bool, payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, now: int
    ) -> None:
        codec = self._codecs.get(payload_type)
        event = payload_type == self._event_type
        if codec is None and not event and payload_type != _COMFORT_NOISE:
            self.invalid += 1
            return
        ahead = newer(sequence, self.highest & 0xFFFF, 16)
        if not self.known or ssrc != self.ssrc or ahead > MAX_DROPOUT or ahead < -MAX_DROPOUT:
            self._begin(ssrc, sequence)
        elif ahead > 0:
            self.highest += ahead
        tick = now // TICK_UNITS
        self.heard = tick
        self.packets += 1
        self._received_of_source += 1
        if event:
            self._take_key(timestamp, payload, tick)
        elif codec is not None:
            transit = now - timestamp
            if self._transit is not None:
                change = abs(newer(transit, self._transit, 32))
                if change < CLOCK:
                    self.jitter += (change - self.jitter) / 16
            self._transit = transit
            if self.listener is not None:
                self.listener.put(codec, payload, timestamp, ssrc, now)
            if self._tones is not None:
                self._listen_for_tones(codec, payload, tick)
        if self.forward is not None and (codec is not None or event):
            if codec is not None and codec != self._target:
                payload = self._converted(codec, payload)
            self.forward.relay(marker, event, ssrc, sequence, timestamp, payload)

    def _begin(self, ssrc: int, sequence: int) -> None:
        """Another stream begins: count anew."""
        self._lost_before = self.lost
        self.known = True
        self.ssrc = ssrc
        self._first_sequence = self.highest = sequence
        self._received_of_source = 0
        self._transit = None
        self._keys.forget()

    def _converted(self, codec: str, payload: bytes) -> bytes:
        converter = self._converters.get(codec)
        if converter is None:
            converter = self._converters[codec] = Converter(codec, self._target)
        return converter.convert(payload)

    def _take_key(self, timestamp: int, payload: bytes, tick: int) -> None:
        key = self._keys.read(timestamp, payload)
        if key:
            self._tell(key, tick)

    def _listen_for_tones(self, codec: str, payload: bytes, tick: int) -> None:
        assert self._tones is not None
        if self._tone_decoder is None:
            self._tone_decoder = decoder(codec, CLOCK)
        for key in self._tones.read(self._tone_decoder.decode(payload)):
            self._tell(key, tick)

    def _tell(self, key: str, tick: int) -> None:
        if tick - self._keys_at >= 50:
            self._keys_at, self._keys_left = tick, MAX_KEYS_PER_SECOND
        if self._keys_left > 0:
            self._keys_left -= 1
            self._key_pressed(key)
