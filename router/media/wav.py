"""WAV files of 16 bits: read whole, written piece by piece (RIFF, Microsoft's "Multimedia Programming Interface")."""

from __future__ import annotations

import os
import struct
from typing import Final

import numpy as np

from router.media.codecs import Samples
from router.ports import SoundError

MAX_SOUND_BYTES: Final = 64 * 1024 * 1024  # 35 minutes at 16 kHz; bounds what one file can make the engine hold
MAX_FILE_BYTES: Final = 0xFFFF_FFFF - 36  # the format counts with 32 bits
RATES: Final = (8000, 16000)
_PCM: Final = 1
_EXTENSIBLE: Final = 0xFFFE  # the real format is the beginning of a GUID at offset 24
_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
_FORMAT: Final = struct.Struct("<HHIIHH")


def read(path: str) -> tuple[Samples, int]:
    """Return the samples of a file, mixed down to one channel, and its rate. Raises `SoundError`."""
    try:
        size = os.path.getsize(path)
        if size > MAX_SOUND_BYTES:
            raise SoundError(f"{path}: has {size} bytes; a sound may have {MAX_SOUND_BYTES}")
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise SoundError(f"{path}: cannot be read: {error.strerror}") from error
    return parse(data, path)


def parse(data: bytes, name: str) -> tuple[Samples, int]:
    """See `read`; `name` stands in errors. A file that was cut short is read as far as it goes."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise SoundError(f"{name}: is no WAV file; make one: sox INPUT -r 16000 -c 1 -b 16 OUTPUT.wav")
    channels = rate = 0
    position = 12
    while position + 8 <= len(data):
        kind = data[position : position + 4]
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        content = memoryview(data)[position + 8 : position + 8 + size]
        if kind == b"fmt " and len(content) >= _FORMAT.size:
            form, channels, rate, _, _, bits = _FORMAT.unpack_from(content)
            if form == _EXTENSIBLE and len(content) >= 26:
                form = int.from_bytes(content[24:26], "little")
            if form != _PCM or bits != 16 or channels not in (1, 2) or rate not in RATES:
                raise SoundError(
                    f"{name}: has format {form}, {bits} bits, {channels} channels at {rate} Hz; needed is PCM (1) of "
                    "16 bits, 1 or 2 channels at 8000 or 16000 Hz: sox INPUT -r 16000 -c 1 -b 16 OUTPUT.wav"
                )
        elif kind == b"data":
            if not channels:
                break
            whole = len(content) - len(content) % (2 * channels)
            samples = np.frombuffer(content[:whole], "<i2").astype(np.int16)
            if channels == 2:
                samples = (samples.reshape(-1, 2).astype(np.int32).sum(axis=1) // 2).astype(np.int16)
            return samples, rate
        position += 8 + size + size % 2
    raise SoundError(f"{name}: is a WAV file without sound (no format or no data)")


def header(data_bytes: int, channels: int, rate: int) -> bytes:
    """The 44 bytes before the samples."""
    frame = 2 * channels
    return _HEADER.pack(
        b"RIFF",
        36 + data_bytes,
        b"WAVE",
        b"fmt ",
        16,
        _PCM,
        channels,
        rate,
        rate * frame,
        frame,
        16,
        b"data",
        data_bytes,
    )


def write(path: str, samples: Samples, rate: int) -> None:
    """Write a whole file of one channel."""
    with open(path, "wb") as file:
        file.write(header(2 * len(samples), 1, rate) + samples.astype("<i2").tobytes())
