"""Sounds as they are sent: read, brought to the codec's rate and coded once, then kept for all who hear them."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import Final

import numpy as np

from router.media import wav
from router.media.codecs import RATES, Samples, encoder
from router.media.sdp import G722
from router.ports import SoundError

CACHE_BYTES: Final = 64 * 1024 * 1024  # two hours of sound
_HALF_BAND_TAPS: Final = 63


def _half_band() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """A low-pass filter at 3.6 kHz for 16 kHz: windowed sinc, unity gain."""
    place = np.arange(_HALF_BAND_TAPS) - _HALF_BAND_TAPS // 2
    taps = np.sinc(2 * 3600 / 16000 * place) * np.hamming(_HALF_BAND_TAPS)
    return np.asarray(taps / taps.sum(), np.float32)


_LOW_PASS: Final = _half_band()


def halved(samples: Samples) -> Samples:
    """Bring samples from 16 to 8 kHz."""
    if not len(samples):
        return samples
    filtered = np.convolve(samples.astype(np.float32), _LOW_PASS)[_HALF_BAND_TAPS // 2 :][: len(samples) : 2]
    return np.clip(np.rint(filtered), -32768, 32767).astype(np.int16)


def coded(samples: Samples, rate: int, codec: str) -> bytes:
    """Code samples of 8 or 16 kHz."""
    if rate > RATES[codec]:
        samples, rate = halved(samples), rate // 2
    # G.722 takes 8 kHz as it is and leaves its upper band empty.
    return encoder(codec, rate if codec == G722 else 0).encode(samples)


class Clips:
    """Coded sounds by file and codec; those heard longest ago go first. `load` may run in another thread,
    all else belongs to the loop.

    Args:
        capacity: bytes to keep.
    """

    def __init__(self, capacity: int = CACHE_BYTES) -> None:
        self.capacity = capacity
        self.size = 0
        self._kept: OrderedDict[tuple[str, str, int, int], bytes] = OrderedDict()

    def known(self, path: str, codec: str) -> bytes | None:
        """Return a sound that is kept and whose file did not change since. Raises `SoundError` when it is gone."""
        key = _key(path, codec)
        clip = self._kept.get(key)
        if clip is not None:
            self._kept.move_to_end(key)
        return clip

    def load(self, path: str, codec: str) -> tuple[tuple[str, str, int, int], bytes]:
        """Read and code a sound, which takes milliseconds. Raises `SoundError`."""
        key = _key(path, codec)
        samples, rate = wav.read(path)
        return key, coded(samples, rate, codec)

    def keep(self, key: tuple[str, str, int, int], clip: bytes) -> None:
        """Keep what `load` returned."""
        if key not in self._kept:
            self._kept[key] = clip
            self.size += len(clip)
        while self.size > self.capacity and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self.size -= len(dropped)


def _key(path: str, codec: str) -> tuple[str, str, int, int]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise SoundError(f"{path}: cannot be read: {error.strerror}") from error
    return path, codec, status.st_mtime_ns, status.st_size
