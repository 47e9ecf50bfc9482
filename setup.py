"""Compiles the hot path to native code, where RENVOI_COMPILE=1 asks for it (docs/adr/0009).

    RENVOI_COMPILE=1 python setup.py build_ext --inplace        # or: make native

What is compiled is ordinary Python and runs as such where nothing was compiled. Everything else about the distribution
stands in pyproject.toml.
"""

from __future__ import annotations

import os
from glob import glob
from typing import Any

from setuptools import setup

# The rooms that every message passes through; but for what awaits in them, which is for callers who are spoken to.
ROOMS = ("router/sip", "router/policy", "router/calls")
MODULES = (
    "router/media/arrivals.py",
    "router/media/endpoint.py",
    "router/media/line.py",
    "router/media/pacer.py",
    "router/media/receiver.py",
    "router/media/rtp.py",
    "router/media/sender.py",
    "router/media/telephone_event.py",
    "router/media/track.py",
    "router/model/tally.py",
    "router/observe/records.py",
    "router/transport/drive.py",
    "router/transport/udp.py",
)


def is_compiled(path: str) -> bool:
    """Whether a module of the rooms is compiled: not where it awaits, which is never on a message's way.

    Coroutines gain nothing by it, the compiler gets some of them wrong, and they would double its time.
    """
    if path.endswith("__init__.py"):
        return False
    with open(path, encoding="utf-8") as file:
        return "async def " not in file.read()


def extensions() -> list[Any]:
    """The extension modules to build; none unless asked for."""
    if os.environ.get("RENVOI_COMPILE") != "1":
        return []
    from mypyc.build import mypycify

    from router.native import write_fingerprint

    rooms = [path for room in ROOMS for path in sorted(glob(f"{room}/*.py")) if is_compiled(path)]
    sources = [*rooms, *MODULES]
    made = mypycify(
        ["--config-file", os.devnull, *sources],
        opt_level="3",
        debug_level="0",
        group_name="router.compiled",
    )
    write_fingerprint(sources)
    return list(made)


setup(ext_modules=extensions())
