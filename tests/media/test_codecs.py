"""Sound survives coding, within what a codec can do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from router.media.clips import coded, doubled, halved
from router.media.codecs import LEAD_IN, RATES, Converter, Samples, decoder, encoder, silence
from router.media.levels import level
from tests.media.tone_code import heard, spoken

CODECS = ("PCMA", "PCMU", "G722")


def noise_ratio(original: Samples, after: Samples) -> float:
    """Return the ratio of signal to noise in dB, at the delay at which it is best."""
    one, other = original.astype(np.float64), after.astype(np.float64)
    delay = int(np.argmax(np.correlate(other, one, "full"))) - len(one) + 1
    one, other = one[max(0, -delay) :], other[max(0, delay) :]
    size = min(len(one), len(other))
    difference = one[:size] - other[:size]
    return float(10 * np.log10(np.sum(one[:size] ** 2) / max(np.sum(difference**2), 1e-9)))


def sine(rate: int, frequency: float, amplitude: float, seconds: float = 0.5) -> Samples:
    place = np.arange(round(rate * seconds)) / rate
    return (np.sin(2 * np.pi * frequency * place) * amplitude).astype(np.int16)


@pytest.mark.parametrize(("codec", "least"), [("PCMA", 36), ("PCMU", 36), ("G722", 30)])
@pytest.mark.parametrize("amplitude", [30_000, 8_000, 1_000])
def test_round_trip(codec: str, least: float, amplitude: float) -> None:
    original = sine(RATES[codec], 997, amplitude)
    assert noise_ratio(original, decoder(codec).decode(encoder(codec).encode(original))) > least


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_every_code_of_g711_stands_for_itself(codec: str) -> None:
    codes = bytes(range(256))
    again = encoder(codec).encode(decoder(codec).decode(codes))
    # mu-law has two codes for zero, and uses the positive one.
    assert again == (codes.replace(b"\x7f", b"\xff") if codec == "PCMU" else codes)


def test_g711_by_the_book() -> None:
    """Values of ITU-T G.711: the greatest of each law, the smallest, and silence as it is on every trunk."""
    assert decoder("PCMA").decode(b"\xaa\x2a\xd5\x55").tolist() == [32256, -32256, 8, -8]
    assert decoder("PCMU").decode(b"\x80\x00\xff\x7f").tolist() == [32124, -32124, 0, 0]
    assert encoder("PCMA").encode(np.array([32767, -32768, 0], np.int16)) == b"\xaa\x2a\xd5"
    assert encoder("PCMU").encode(np.array([32767, -32768, 0], np.int16)) == b"\x80\x00\xff"


@pytest.mark.parametrize(("source", "target"), [*itertools.product(CODECS, CODECS)])
def test_converting_packet_by_packet(source: str, target: str) -> None:
    original = np.concatenate([spoken(number, RATES[source]) for number in (12, 345, 678)])
    payload = encoder(source).encode(original)
    converter = Converter(source, target)
    converted = b"".join(converter.convert(payload[start : start + 160]) for start in range(0, len(payload), 160))
    assert len(converted) == len(payload)
    assert heard(decoder(target, 8000).decode(converted)) == [12, 345, 678]


@pytest.mark.parametrize("codec", CODECS)
def test_silence_is_silent(codec: str) -> None:
    assert level(decoder(codec).decode(silence(codec, 8000))) < -66
    assert len(silence(codec, 163)) == 163


@pytest.mark.parametrize("codec", CODECS)
def test_a_clip_begins_clean_after_anything(codec: str) -> None:
    """G.722 goes on from what came before, so a clip brings the decoder back first."""
    rate = RATES[codec]
    interrupted = encoder(codec).encode(spoken(789, rate))[:500]
    clip = coded(spoken(456, rate), rate, codec)
    after = decoder(codec).decode(interrupted + clip)[500 * rate // 8000 :]
    assert noise_ratio(spoken(456, rate), after[max(0, len(after) - len(spoken(456, rate)) - 30) :]) > 20
    lead_in = len(LEAD_IN) if codec == "G722" else 0
    assert len(after) == lead_in + len(spoken(456, rate))


def test_sampling_rates() -> None:
    assert noise_ratio(sine(8000, 997, 8000), halved(sine(16000, 997, 8000))[100:-100]) > 40
    assert noise_ratio(sine(16000, 997, 8000), doubled(sine(8000, 997, 8000))[100:-100]) > 40
    assert level(halved(sine(16000, 5200, 8000))[100:-100]) < -50, "what 8 kHz cannot carry is gone, not folded over"
    assert len(halved(np.zeros(0, np.int16))) == len(doubled(np.zeros(0, np.int16))) == 0
