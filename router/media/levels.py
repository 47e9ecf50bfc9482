"""How loud sound is."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from router.media.codecs import Samples

NOTHING: Final = -96.0  # dBFS; less than one step of 16 bits


def power(samples: Samples) -> float:
    """Mean square of samples, with full scale as 1; 0 for none."""
    if not len(samples):
        return 0.0
    scaled = samples.astype(np.float32) / 32768.0
    return float(np.dot(scaled, scaled)) / len(samples)


def dbfs(power: float) -> float:
    """A mean square as a level: 0 dBFS is a full-scale square wave, so that a full-scale sine has -3."""
    return max(10.0 * math.log10(power), NOTHING) if power > 0.0 else NOTHING


def level(samples: Samples) -> float:
    """Root mean square level of samples in dBFS."""
    return dbfs(power(samples))
