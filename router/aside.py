"""Work done aside: in a child process, so that calls never wait for it (docs/adr/0010).

    configuration = await run(load, directory)

The function runs in a fresh interpreter that has lower priority than the router, a limit of time and one of memory.
Arguments and result cross a pipe in pieces so small that taking one up holds the event loop for a fraction of a
millisecond; in the pause between two pieces calls are served. Objects that are shared within a value stay shared:
whatever is referred to twice is a part with a number. (One pickle memo for all pieces would do the same, but is freed
in one go.)

What crosses is made of frozen dataclasses, named tuples, containers, numbers and texts, without cycles. The child is
this very program and as trusted as the rest of it, so what it sends is unpickled without suspicion.
"""

from __future__ import annotations

import asyncio
import io
import os
import pickle
import resource
import signal
import struct
import subprocess
import sys
import threading
import traceback
from array import array
from collections.abc import Callable, Container, Generator, Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from itertools import chain
from types import MappingProxyType
from typing import IO, Any, BinaryIO, Final, ParamSpec, TypeVar

PIECE_OBJECTS: Final = 200  # about a quarter of a millisecond to take up
OBJECT_BYTES: Final = 1024  # of raw data, which cross as quickly as one object
WORTH_REMEMBERING: Final = 8  # objects; what holds fewer is looked at again rather than remembered
NICENESS: Final = 10  # a tenth of the router's share of a busy processor, so that work aside gets done there, too
READ_BYTES: Final = 256 * 1024  # that wait in the pipe
MAX_RESULT_BYTES: Final = 512 * 1024 * 1024  # what a child can make the router hold
MEMORY_BYTES: Final = 4 * 1024 * 1024 * 1024  # of address space, per child
PAUSE: Final = 0.002  # seconds between two pieces; in a single turn the loop reads few datagrams when it slept before
TIME_LIMIT: Final = 60.0  # seconds, unless the caller names another one

_HEADER = struct.Struct("!cI")  # kind of the frame, bytes that follow
_PARTS, _LAST, _FAULT = b"p", b"l", b"f"
_LEAVES: Final = (str, int, float, type(None))  # hold nothing

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class AsideError(Exception):
    """Work done aside came to nothing: it took too long or too much memory, was killed, or there is a mistake of ours
    in it."""


async def run(
    work: Callable[_Parameters, _Result], *arguments: _Parameters.args, **named: _Parameters.kwargs
) -> _Result:
    """Do `work(*arguments, **named)` aside within `TIME_LIMIT` seconds; see `run_within`."""
    return await run_within(TIME_LIMIT, work, *arguments, **named)


async def run_within(
    seconds: float, work: Callable[_Parameters, _Result], *arguments: _Parameters.args, **named: _Parameters.kwargs
) -> _Result:
    """Do `work(*arguments, **named)` in a child process and return what it returns.

    Args:
        seconds: how long it may take in all.
        work: a function at the top level of a module.

    Raises:
        AsideError: see there.
        Exception: what `work` raised.
    """
    birth = _Birth()
    answer = asyncio.StreamReader(limit=READ_BYTES)
    try:
        child = await asyncio.to_thread(birth.give)
        assert child.stdin is not None
        assert child.stdout is not None
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(answer), child.stdout
        )
    except BaseException:
        birth.abandon()
        raise
    try:
        async with asyncio.timeout(seconds):
            for frame in _frames((work.__module__, work.__qualname__, arguments, named)):
                await asyncio.to_thread(_write, child.stdin, frame)
            succeeded, result = await _receive(answer)
    except TimeoutError as error:
        raise AsideError(f"{work.__name__} took longer than {seconds:g} seconds") from error
    except (asyncio.IncompleteReadError, BrokenPipeError) as error:
        status = await asyncio.to_thread(child.wait)
        raise AsideError(f"{work.__name__} ended without a result ({_ending(status)})") from error
    finally:
        child.kill()
        child.stdin.close()
        pipe.close()
        # Shielded: who gives up twice would else take back what no thread has begun, and nobody ask for its end.
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, child.wait))
    if not succeeded:
        raise result
    return result  # type: ignore[no-any-return]  # it is what `work` returned


async def dismantle(value: list[object]) -> None:
    """Let go of the one object in `value`, piece by piece, as freeing a whole configuration at once holds the loop.

    Args:
        value: a list that holds the last reference to it; empty afterwards. What others still refer to lives on.
    """
    pieces: list[list[object]] = []
    for piece in _cut(value[0]):
        pieces.append(piece)
        await asyncio.sleep(PAUSE)
    value.clear()
    del piece
    while pieces:
        pieces.pop()  # before those inside it, so that no more than this one is freed
        await asyncio.sleep(PAUSE)


# ---------------------------------------------------------------------------------------------------- in pieces


def _cut(value: object, shared: Container[int] = ()) -> Iterator[list[object]]:
    """Cut a value into pieces of about `PIECE_OBJECTS` objects.

    Args:
        shared: ids of objects that have to be parts, besides those that the size of the pieces makes parts.

    Yields:
        The parts of each piece. A part comes after those inside it; `value` itself is the last.
    """
    seen: set[int] = set()

    def walk(item: object) -> Generator[tuple[object, int], None, int]:
        """Yield the parts inside `item`, with their weights; return the weight of what is left of it."""
        weight = 1 + (memoryview(item).nbytes // OBJECT_BYTES if isinstance(item, bytes | array) else 0)
        for inner in _inside(item):
            inner_weight = 1 if isinstance(inner, _LEAVES) or id(inner) in seen else (yield from walk(inner))
            if inner_weight > 1 and (weight + inner_weight > PIECE_OBJECTS or id(inner) in shared):
                yield inner, inner_weight
                inner_weight = 1
            weight += inner_weight
        if weight > WORTH_REMEMBERING or id(item) in shared:
            seen.add(id(item))
        return weight

    parts: list[object] = []
    total = 0
    for part, weight in walk(value):
        parts.append(part)
        total += weight
        if total >= PIECE_OBJECTS:
            yield parts
            parts, total = [], 0
    yield [*parts, value]


def _shared(value: object) -> set[int]:
    """Return the ids of the objects that are referred to more than once in `value`."""
    seen: set[int] = set()
    shared: set[int] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            shared.add(id(item))
        else:
            seen.add(id(item))
            waiting.extend(inner for inner in _inside(item) if not isinstance(inner, _LEAVES))
    return shared


def _inside(item: object) -> Iterable[object]:
    """The objects that one holds: of a class with its own way of being pickled, those that its `pieces()` names."""
    if isinstance(item, tuple | list | set | frozenset):
        return item
    if isinstance(item, dict | MappingProxyType):
        return chain(item.keys(), item.values())
    kind: Any = type(item)
    if is_dataclass(item):
        return [getattr(item, name) for name in _field_names(kind)]
    return item.pieces() if hasattr(item, "pieces") else ()


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@cache
def _made_by_its_fields(kind: Any) -> bool:
    return is_dataclass(kind) and all(field.init and not field.kw_only for field in fields(kind))


def _frames(value: object) -> Iterator[bytes]:
    """Write a value as frames for `_Arrival`; `value` is the last part of the last of them."""
    numbers: dict[int, int] = {}  # id of a part -> its number

    for parts in _cut(value, _shared(value)):
        written = io.BytesIO()
        _Departure(written, numbers).dump(parts)
        yield _frame(_LAST if parts[-1] is value else _PARTS, written.getbuffer())
        for part in parts:
            numbers[id(part)] = len(numbers)


def _frame(kind: bytes, content: bytes | memoryview) -> bytes:
    return b"".join((_HEADER.pack(kind, memoryview(content).nbytes), content))


class _Departure(pickle.Pickler):
    """Pickles the parts of one frame; of those that have left before only their `numbers`, by id."""

    def __init__(self, file: io.BytesIO, numbers: dict[int, int]) -> None:
        super().__init__(file, protocol=5)
        self._numbers = numbers

    def persistent_id(self, item: object) -> int | None:
        return self._numbers.get(id(item))

    def reducer_override(self, item: object) -> Any:
        kind: Any = type(item)
        if kind is MappingProxyType:
            return _read_only, (dict(item),)  # type: ignore[call-overload]  # it is a mapping
        if _made_by_its_fields(kind):
            # By its constructor: quicker than the state of a dataclass with slots, and all that a compiled one offers.
            return kind, tuple(getattr(item, name) for name in _field_names(kind))
        return NotImplemented


def _read_only(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)  # whose class cannot be pickled by its name


class _Parts(pickle.Unpickler):
    """Reads the parts of one frame; `arrived` are those of before."""

    def __init__(self, frame: bytes, arrived: list[Any]) -> None:
        super().__init__(io.BytesIO(frame))
        self._arrived = arrived

    def persistent_load(self, number: int) -> Any:
        return self._arrived[number]


class _Arrival:
    """Puts the frames of one value together."""

    def __init__(self) -> None:
        self._arrived: list[Any] = []

    def take(self, kind: bytes, content: bytes) -> Any:
        """Take the next frame; what this returns is the value, when `kind` is `_LAST`. Raises `AsideError`."""
        arrived = self._arrived
        if kind == _FAULT:
            raise AsideError(content.decode())
        arrived.extend(_Parts(content, arrived).load())
        return arrived[-1]


# --------------------------------------------------------------------------------------------------- the router's side


class _Birth:
    """A child that is being started in a thread, and ended there if nobody waits for it any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._abandoned = False

    def give(self) -> subprocess.Popen[bytes]:
        """Start the child; in a thread."""
        child = _spawn()
        with self._lock:
            self._child = child
            abandoned = self._abandoned
        if abandoned:
            _put_away(child)
        return child

    def abandon(self) -> None:
        """End the child, now or as soon as it is there."""
        with self._lock:
            self._abandoned = True
            child = self._child
        if child is not None:
            _put_away(child)


def _put_away(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    child.wait()


def _spawn() -> subprocess.Popen[bytes]:
    # Not by the event loop: uvloop forks, which copies the tables of all our memory. This way the child borrows it.
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {__name__} import _child; _child()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what it has to say crosses the pipe; a traceback may quote hostile text
        bufsize=0,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _write(pipe: IO[bytes], frame: bytes) -> None:
    left = memoryview(frame)
    while left:
        left = left[pipe.write(left) :]


async def _receive(pipe: asyncio.StreamReader) -> Any:
    arrival = _Arrival()
    total = 0
    while True:
        kind, length = _HEADER.unpack(await pipe.readexactly(_HEADER.size))
        total += length
        if total > MAX_RESULT_BYTES:
            raise AsideError(f"the result is larger than {MAX_RESULT_BYTES} bytes")
        value = arrival.take(kind, await pipe.readexactly(length))
        if kind == _LAST:
            return value
        await asyncio.sleep(PAUSE)


def _ending(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"


# ---------------------------------------------------------------------------------------------------- the child's side


def _child() -> None:
    """Do the one piece of work that comes by standard input, and write its result to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the router's children as well
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    if hasattr(os, "SCHED_BATCH"):  # Linux: nobody who wakes up for a call has to wait for our turn to end
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as pipe:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whoever prints must not disturb the frames
        request = _read(sys.stdin.buffer)
        threading.Thread(target=_end_with_the_router, daemon=True).start()
        try:
            for frame in _frames(_outcome(*request)):
                pipe.write(frame)
        except Exception as error:  # a result that cannot be pickled: a mistake of ours, which somebody has to hear of
            pipe.write(_frame(_FAULT, f"{request[1]}: {type(error).__name__}: {error}".encode()))
    os._exit(0)  # nothing is left to be put away, and taking the result down again takes its time


def _read(pipe: BinaryIO) -> Any:
    arrival = _Arrival()
    while True:
        kind, length = _HEADER.unpack(pipe.read(_HEADER.size))
        value = arrival.take(kind, pipe.read(length))
        if kind == _LAST:
            return value


def _end_with_the_router() -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing more comes, until the other end is closed
    os._exit(1)


def _outcome(module: str, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[bool, Any]:
    """Return whether the work succeeded, and its result or the exception to raise."""
    try:
        return True, getattr(import_module(module), name)(*arguments, **named)
    except MemoryError:
        return False, AsideError(f"{name} needs more than {MEMORY_BYTES >> 20} MiB of memory")
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            unknown = AsideError(f"{name} failed: {type(error).__name__}: {error}")
            unknown.add_note(traceback.format_exc())
            return False, unknown
        return False, error
