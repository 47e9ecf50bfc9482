"""The three codecs: sound to bytes and back, and from one to another.

All of them have 8 bytes in a millisecond and an RTP clock of 8,000 Hz (for G.722 by an old mistake: RFC 3551 §4.5.2).
The tables of G.711 are made from the definition, so that coding is one look-up for a whole array.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import G722  # type: ignore[import-not-found]  # an extension without stubs
import numpy as np
from numpy.typing import NDArray

from router.media.rtp import CLOCK, TICK_UNITS
from router.media.sdp import G722 as G722_NAME
from router.media.sdp import PCMA, PCMU

Samples = NDArray[np.int16]

RATES: Final = {PCMA: 8000, PCMU: 8000, G722_NAME: 16000}  # samples per second that a codec carries
_G722_BITS: Final = 64_000
_PIECE: Final = 16_000  # samples that G.722 codes in one go: half a millisecond that nobody else runs


def _decode_a_law() -> Samples:
    """ITU-T G.711 table 1: 13 segments; the sign bit is set for positive values, even bits are inverted."""
    code = np.arange(256) ^ 0x55
    segment = (code >> 4) & 7
    step = (code & 15) << 4
    magnitude = np.where(segment == 0, step + 8, (step + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _decode_mu_law() -> Samples:
    """ITU-T G.711 table 2: 15 segments with a bias of 33 (132 at 16 bits); all bits are inverted."""
    code = np.arange(256) ^ 0xFF
    magnitude = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encoder(decoded: Samples) -> NDArray[np.uint8]:
    """Return the code nearest to each of the 65,536 samples, indexed by the sample as an unsigned number.

    Both laws have the sign in the first bit, set for positive values; zero is positive.
    """
    samples = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    encoded = np.empty(65_536, np.uint8)
    for codes, mine in ((np.arange(128, 256), samples >= 0), (np.arange(128), samples < 0)):
        codes = codes[np.argsort(decoded[codes])]
        levels = decoded[codes].astype(np.int32)
        wanted = samples[mine]
        above = np.clip(np.searchsorted(levels, wanted), 1, 127)
        nearer_below = wanted - levels[above - 1] <= levels[above] - wanted
        encoded[mine] = codes[np.where(nearer_below, above - 1, above)]
    return encoded


_DECODED: Final = {PCMA: _decode_a_law(), PCMU: _decode_mu_law()}
_ENCODED: Final = {codec: _encoder(table) for codec, table in _DECODED.items()}
_TRANSLATED: Final = {
    (PCMA, PCMU): _ENCODED[PCMU][_DECODED[PCMA].view(np.uint16)].tobytes(),
    (PCMU, PCMA): _ENCODED[PCMA][_DECODED[PCMU].view(np.uint16)].tobytes(),
}


class Decoder(Protocol):
    def decode(self, payload: bytes) -> Samples: ...


class Encoder(Protocol):
    def encode(self, samples: Samples) -> bytes: ...


class _G711:
    __slots__ = ("_decoded", "_encoded")

    def __init__(self, codec: str) -> None:
        self._decoded = _DECODED[codec]
        self._encoded = _ENCODED[codec]

    def decode(self, payload: bytes) -> Samples:
        return self._decoded[np.frombuffer(payload, np.uint8)]

    def encode(self, samples: Samples) -> bytes:
        return self._encoded[samples.view(np.uint16)].tobytes()


class _G722:
    """G.722 remembers what came before: one object per stream and direction."""

    __slots__ = ("_codec", "_per_byte")

    def __init__(self, rate: int) -> None:
        self._codec: Any = G722.G722(rate, _G722_BITS)
        self._per_byte = rate // CLOCK

    def decode(self, payload: bytes) -> Samples:
        return np.asarray(self._codec.decode(payload), np.int16)

    def encode(self, samples: Samples) -> bytes:
        # The extension wants an array that owns its memory and an even number of samples.
        padded = samples if len(samples) % 2 == 0 else np.append(samples, np.int16(0))
        pieces = (padded[start : start + _PIECE].copy() for start in range(0, len(padded), _PIECE))
        return b"".join(self._codec.encode(piece) for piece in pieces)


def _quiet(seconds: float) -> Samples:
    """Return noise of -72 dBFS for 16 kHz, that nobody hears."""
    rng = np.random.default_rng(722)
    return np.rint(rng.normal(0.0, 8.0, round(seconds * RATES[G722_NAME]))).astype(np.int16)


# G.722 predicts from what came before. Pure silence, a constant code, would drive the predictor of the other side to an
# extreme, and what follows would begin distorted; faint noise brings it back to where a new encoder begins.
LEAD_IN: Final = _quiet(0.1)

SILENCE: Final = {  # 20 ms in which nothing is heard
    PCMA: b"\xd5" * TICK_UNITS,
    PCMU: b"\xff" * TICK_UNITS,
    G722_NAME: _G722(RATES[G722_NAME]).encode(_quiet(0.2))[-TICK_UNITS:],
}


def silence(codec: str, units: int) -> bytes:
    """Return so many bytes in which nothing is heard."""
    return (SILENCE[codec] * (units // TICK_UNITS + 1))[:units]


def decoder(codec: str, rate: int = 0) -> Decoder:
    """Return a decoder to samples at `rate`: 8000 or, for G.722, also 16000; 0 stands for what the codec carries."""
    return _G722(rate or 16000) if codec == G722_NAME else _G711(codec)


def encoder(codec: str, rate: int = 0) -> Encoder:
    """Return an encoder of samples at `rate`, likewise."""
    return _G722(rate or 16000) if codec == G722_NAME else _G711(codec)


class Converter:
    """Turns the payloads of one stream into those of another codec, in the order in which they come."""

    __slots__ = ("_decoder", "_encoder", "_table")

    def __init__(self, source: str, target: str) -> None:
        self._table = _TRANSLATED.get((source, target))
        needed = self._table is None and source != target
        self._decoder = decoder(source, CLOCK) if needed else None
        self._encoder = encoder(target, CLOCK) if needed else None

    def convert(self, payload: bytes) -> bytes:
        if self._table is not None:
            return payload.translate(self._table)
        if self._decoder is None or self._encoder is None:
            return payload
        return self._encoder.encode(self._decoder.decode(payload))
