"""Sounds as they are sent: read, brought to the codec's rate and coded once, then kept for all who hear them."""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Final

import numpy as np

from router.media import wav
from router.media.codecs import LEAD_IN, RATES, Samples, encoder
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


def doubled(samples: Samples) -> Samples:
    """Bring samples from 8 to 16 kHz."""
    spread = np.zeros(2 * len(samples), np.float32)
    spread[::2] = samples
    if not len(samples):
        return samples
    filtered = 2 * np.convolve(spread, _LOW_PASS)[_HALF_BAND_TAPS // 2 :][: len(spread)]
    return np.clip(np.rint(filtered), -32768, 32767).astype(np.int16)


def coded(samples: Samples, rate: int, codec: str) -> bytes:
    """Code samples of 8 or 16 kHz, as they are to be sent after anything else."""
    if rate > RATES[codec]:
        samples = halved(samples)
    elif rate < RATES[codec]:
        samples = doubled(samples)
    if codec == G722:
        samples = np.concatenate((LEAD_IN, samples))
    return encoder(codec).encode(samples)


def _load(paths: Sequence[str], codec: str) -> bytes:
    sounds = [wav.read(path) for path in paths]
    if len(sounds) == 1:
        return coded(*sounds[0], codec)
    rate = max(rate for _, rate in sounds)
    return coded(np.concatenate([doubled(sound) if own < rate else sound for sound, own in sounds]), rate, codec)


_Key = tuple[str, tuple[tuple[str, int, int], ...]]  # codec, and of each file its path, time of change and size


class Clips:
    """Coded sounds; those heard longest ago go first.

    With G.711 each file is kept by itself, and files can follow each other in any order. G.722 goes on from what came
    before, so files that follow each other are coded, and kept, as one.

    Args:
        capacity: bytes to keep.
    """

    def __init__(self, capacity: int = CACHE_BYTES) -> None:
        self.capacity = capacity
        self.size = 0
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()

    def known(self, paths: Sequence[str], codec: str) -> list[bytes] | None:
        """Return what is to be sent for some files, if all of it is kept and no file changed since.

        Raises `SoundError` when one is gone.
        """
        clips = []
        for key in _keys(paths, codec):
            clip = self._kept.get(key)
            if clip is None:
                return None
            self._kept.move_to_end(key)
            clips.append(clip)
        return clips

    async def load(self, paths: Sequence[str], codec: str, threads: Executor) -> list[bytes]:
        """Return the same, and read and code what is not kept. Raises `SoundError`."""
        loop = asyncio.get_running_loop()
        clips = []
        for key in _keys(paths, codec):
            clip = self._kept.get(key)
            if clip is None:
                clip = await loop.run_in_executor(threads, _load, [path for path, _, _ in key[1]], codec)
                self._keep(key, clip)
            clips.append(clip)
        return clips

    def _keep(self, key: _Key, clip: bytes) -> None:
        if key not in self._kept:
            self._kept[key] = clip
            self.size += len(clip)
        while self.size > self.capacity and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self.size -= len(dropped)


def _keys(paths: Sequence[str], codec: str) -> list[_Key]:
    files = tuple(_file(path) for path in paths)
    if codec == G722:
        return [(codec, files)] if files else []
    return [(codec, (file,)) for file in files]


def _file(path: str) -> tuple[str, int, int]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise SoundError(f"{path}: cannot be read: {error.strerror}") from error
    return path, status.st_mtime_ns, status.st_size
