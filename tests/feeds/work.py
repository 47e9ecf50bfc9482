"""Work for another process: functions that a fresh interpreter can import."""

from __future__ import annotations

import os
import signal
from array import array
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, slots=True)
class Team:
    name: str
    sizes: array[int]


class Member(NamedTuple):
    name: str
    team: Team


def company(people: int) -> MappingProxyType[str, Member]:
    team = Team("sales", array("Q", range(100_000)))
    return MappingProxyType({str(index): Member(f"person {index}", team) for index in range(people)})


def give_back(value: object) -> object:
    return value


def spin() -> None:
    while True:
        pass


def grow() -> None:
    held = []
    while True:
        held.append(np.empty(1 << 28, np.uint8))  # asked for, and not touched: nobody else goes short


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def unpicklable() -> object:
    return lambda: None


class UnusualError(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail() -> None:
    raise UnusualError(1, 2)


def wait_for_ever(path: Path) -> None:
    path.write_text(str(os.getpid()))
    signal.pause()
