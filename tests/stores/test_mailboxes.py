"""Mailboxes: what was confirmed is kept, whatever happens; what was not leaves nothing behind (V1, V2)."""

from __future__ import annotations

import asyncio
import io
import math
import os
import signal
import stat
import struct
import subprocess
import sys
import time
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from router.model.mailbox import Mailbox, VoicemailRules
from router.model.message import Message, MessageCounts, MessageKind, MessageState
from router.ports import MailboxFullError, SoundRefusedError, StoreError, StoreFullError
from router.stores import sound_files
from router.stores.database import Database
from router.stores.mailboxes import SqliteMailboxes
from router.stores.sound_files import directory_name

CALLER = "+32475111222"
NOW = 1_795_510_800.0  # 2026-11-24T10:00+01:00
DAY = 86400.0
BOXES = {
    "claire": Mailbox("claire", "Claire Dubois", person="claire", email=("claire@example.com", "desk@example.com")),
    "marc": Mailbox("marc", "Marc Lejeune", person="marc"),
    "queue:sales/../x": Mailbox("queue:sales/../x", "Service Commercial"),
}


def wav(seconds: float = 1.0, rate: int = 8000, channels: int = 1, width: int = 2) -> bytes:
    """A tone of 440 Hz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(channels)
        made.setsampwidth(width)
        made.setframerate(rate)
        count = round(seconds * rate)
        if width == 2 and channels == 1:
            samples = (round(8000 * math.sin(2 * math.pi * 440 * index / rate)) for index in range(count))
            made.writeframes(struct.pack(f"<{count}h", *samples))
        else:
            made.writeframes(bytes(count * channels * width))
    return file.getvalue()


SOUND = wav()
Open = Callable[..., Awaitable[SqliteMailboxes]]


@pytest.fixture
async def reopen(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens the store with what it kept, as after a restart."""
    opened: list[SqliteMailboxes | Database] = []

    async def close() -> None:
        while opened:
            await opened.pop().close()

    async def close_and_open(rules: VoicemailRules | None = None) -> SqliteMailboxes:
        await close()
        database = await Database.open(tmp_path / "renvoi.sqlite")
        opened.append(database)
        store = await SqliteMailboxes.open(database, tmp_path, BOXES, rules or VoicemailRules())
        opened.append(store)
        return store

    yield close_and_open
    await close()


def speak(path: str) -> None:
    """What the media engine does."""
    Path(path).write_bytes(SOUND)


def heard(path: str) -> bytes:
    return Path(path).read_bytes()


async def leave(
    store: SqliteMailboxes,
    mailbox: str = "claire",
    at: float = NOW,
    *,
    urgent: bool = False,
    caller: str | None = CALLER,
) -> Message:
    """Leave a message as a call does."""
    draft = await store.begin(mailbox, caller, "Client", at, "En réunion")
    speak(draft.path)
    return await store.confirm(draft, 1.0, urgent=urgent)


def files(directory: Path) -> list[str]:
    found = (directory / "voicemail").rglob("*")
    return sorted(str(path.relative_to(directory / "voicemail")) for path in found if path.is_file())


async def test_a_confirmed_message_is_there_after_a_restart(reopen: Open) -> None:
    store = await reopen()
    message = await leave(store, urgent=True)
    assert message == Message(
        message.id,
        "claire",
        CALLER,
        "Client",
        NOW,
        1.0,
        True,
        MessageKind.MESSAGE,
        MessageState.NEW,
        "En réunion",
        True,
    )
    store = await reopen()
    assert await store.messages("claire") == [message]
    assert await store.message(message.id) == message
    assert store.counts("claire") == MessageCounts(1, 0, 1, 0)
    assert heard(store.sound(message)) == SOUND


async def test_what_was_not_confirmed_leaves_nothing_after_a_restart(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    message = await leave(store)
    draft = await store.begin("claire", CALLER, None, NOW)
    speak(draft.path)
    speak(draft.path.replace(f"{draft.id}.wav", f".{draft.id}.wav.00ff.part"))
    assert await store.messages("claire") == [message]
    store = await reopen()
    assert await store.messages("claire") == [message]
    assert files(tmp_path) == [f"claire/{message.id}.wav"]


async def test_a_discarded_draft_is_gone_at_once_and_frees_its_place(reopen: Open, tmp_path: Path) -> None:
    store = await reopen(VoicemailRules(max_messages=1))
    draft = await store.begin("claire", CALLER, None, NOW)
    speak(draft.path)
    with pytest.raises(MailboxFullError):
        await store.begin("claire", CALLER, None, NOW)
    await store.discard(draft)
    await store.discard(draft)
    assert files(tmp_path) == []
    await leave(store)


async def test_discarding_what_was_confirmed_has_no_effect(reopen: Open) -> None:
    store = await reopen()
    draft = await store.begin("claire", CALLER, None, NOW)
    speak(draft.path)
    message = await store.confirm(draft, 1.0)
    await store.discard(draft)
    assert await store.messages("claire") == [message]
    assert heard(draft.path) == SOUND


async def test_who_hangs_up_while_the_message_is_saved_has_left_it_whole(reopen: Open) -> None:
    """A script that is cancelled discards its draft; by then the message is on its way to the disk."""
    store = await reopen()
    for turns in range(12):
        draft = await store.begin("claire", CALLER, None, NOW)
        speak(draft.path)
        saving = asyncio.create_task(store.confirm(draft, 1.0))
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        saving.cancel()
        await store.discard(draft)
    store = await reopen()
    messages = await store.messages("claire")
    assert store.counts("claire").new == len(messages)
    assert len(messages) >= 11  # all but the one that was cancelled before it began
    for message in messages:
        assert heard(store.sound(message)) == SOUND


async def test_a_message_without_a_sound_is_none_but_a_wish_to_be_called_back_is(reopen: Open) -> None:
    store = await reopen()
    draft = await store.begin("claire", CALLER, None, NOW)
    with pytest.raises(StoreError, match="nothing was recorded"):
        await store.confirm(draft, 2.0)
    message = await store.confirm(draft, 0.0, kind=MessageKind.CALLBACK)
    assert (message.kind, message.has_sound) == (MessageKind.CALLBACK, False)


async def test_a_draft_is_confirmed_once(reopen: Open) -> None:
    store = await reopen()
    draft = await store.begin("claire", CALLER, None, NOW)
    speak(draft.path)
    await store.confirm(draft, 1.0)
    with pytest.raises(StoreError, match="before"):
        await store.confirm(draft, 1.0)
    assert store.counts("claire") == MessageCounts(new=1)


async def test_new_and_urgent_messages_come_first(reopen: Open) -> None:
    store = await reopen()
    first, second = await leave(store, at=NOW), await leave(store, at=NOW + 1)
    urgent, heard = await leave(store, at=NOW + 2, urgent=True), await leave(store, at=NOW - 5)
    await store.mark(heard.id, MessageState.HEARD)
    assert [message.id for message in await store.messages("claire")] == [urgent.id, first.id, second.id, heard.id]


async def test_marking_and_deleting_change_the_counts_and_tell_it(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    told: list[tuple[str, MessageCounts]] = []
    store.watch(lambda mailbox: told.append((mailbox, store.counts(mailbox))))
    message, urgent = await leave(store), await leave(store, urgent=True)
    marked = await store.mark(urgent.id, MessageState.HEARD)
    assert marked == urgent._replace(state=MessageState.HEARD)
    await store.mark(urgent.id, MessageState.SAVED)  # old before and after: no lamp changes
    assert await store.delete(message.id)
    assert told == [
        ("claire", MessageCounts(1, 0, 0, 0)),
        ("claire", MessageCounts(2, 0, 1, 0)),
        ("claire", MessageCounts(1, 1, 0, 1)),
        ("claire", MessageCounts(0, 1, 0, 1)),
    ]
    assert files(tmp_path) == [f"claire/{urgent.id}.wav"]
    assert not await store.delete(message.id)
    assert await store.mark(message.id, MessageState.HEARD) is None


async def test_a_full_mailbox_takes_no_message(reopen: Open) -> None:
    store = await reopen(VoicemailRules(max_messages=2))
    message = await leave(store)
    await leave(store)
    with pytest.raises(MailboxFullError, match="claire is full: 2 messages"):
        await store.begin("claire", CALLER, None, NOW)
    await leave(store, "marc")
    await store.delete(message.id)
    await leave(store)


async def test_the_last_message_may_be_as_long_as_what_is_left(reopen: Open) -> None:
    store = await reopen(VoicemailRules(max_total_seconds=100.0, max_seconds=60.0))
    draft = await store.begin("claire", CALLER, None, NOW)
    assert draft.max_seconds == 60.0
    speak(draft.path)
    await store.confirm(draft, 55.0)
    second = await store.begin("claire", CALLER, None, NOW)
    assert second.max_seconds == 45.0
    speak(second.path)
    await store.confirm(second, 44.0)
    with pytest.raises(MailboxFullError, match="99 s"):
        await store.begin("claire", CALLER, None, NOW)


async def test_a_mailbox_that_is_not_configured_takes_nothing(reopen: Open) -> None:
    store = await reopen()
    with pytest.raises(LookupError):
        await store.begin("nobody", CALLER, None, NOW)
    with pytest.raises(LookupError):
        await store.set_greeting("nobody", "absent", SOUND)
    with pytest.raises(LookupError):
        await store.set_greeting("claire", "../../x", SOUND)


async def test_a_forwarded_message_is_new_for_the_other(reopen: Open) -> None:
    store = await reopen()
    message = await leave(store, urgent=True)
    await store.mark(message.id, MessageState.SAVED)
    copy = await store.forward(message.id, "marc")
    assert copy is not None
    assert copy == message._replace(id=copy.id, mailbox="marc")
    await store.delete(message.id)
    assert heard(store.sound(copy)) == SOUND
    assert await store.forward(message.id, "marc") is None


async def test_old_messages_are_deleted(reopen: Open, tmp_path: Path) -> None:
    store = await reopen(VoicemailRules(keep_days=30))
    await leave(store, at=NOW - 30 * DAY)
    saved = await leave(store, at=NOW - 31 * DAY)
    await store.mark(saved.id, MessageState.SAVED)
    recent = await leave(store, at=NOW - 30 * DAY + 1)
    assert await store.prune(NOW) == 2
    assert await store.messages("claire") == [recent]
    assert files(tmp_path) == [f"claire/{recent.id}.wav"]


async def test_a_caller_is_erased_from_every_mailbox(reopen: Open, tmp_path: Path) -> None:
    store = await reopen(VoicemailRules(max_messages=2000))
    for _ in range(3):
        await leave(store)
    await leave(store, "marc")
    other = await leave(store, "marc", caller="+32475111223")
    hidden = await leave(store, "marc", NOW + 1, caller=None)
    assert await store.erase(CALLER) == 4
    assert store.counts("claire") == MessageCounts()
    assert [message.id for message in await store.messages("marc")] == [other.id, hidden.id]
    assert files(tmp_path) == sorted([f"marc/{other.id}.wav", f"marc/{hidden.id}.wav"])
    assert CALLER.encode() not in b"".join(path.read_bytes() for path in (tmp_path / "voicemail").rglob("*.wav"))


async def test_names_and_files_are_for_the_router_alone(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    os.umask(0o022)
    draft = await store.begin("claire", CALLER, None, NOW)
    speak(draft.path)
    await store.confirm(draft, 1.0)
    await store.set_greeting("claire", "absent", SOUND)
    for path in (tmp_path / "voicemail").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert len(draft.id) >= 32


@pytest.mark.parametrize("name", ["..", ".", ".hidden", "a/../../b", "/etc", "queue:sales", "é" * 20, "a\\b"])
def test_no_name_leads_out_of_the_directory(name: str, tmp_path: Path) -> None:
    directory = tmp_path / directory_name(name)
    directory.mkdir()
    assert directory.resolve().parent == tmp_path.resolve()


async def test_a_name_like_a_path_is_served_like_any_other(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    message = await leave(store, "queue:sales/../x")
    assert files(tmp_path) == [f"queue%3Asales%2F..%2Fx/{message.id}.wav"]
    store = await reopen()
    assert await store.messages("queue:sales/../x") == [message]


async def test_two_hundred_callers_hang_up_together(reopen: Open) -> None:
    store = await reopen(VoicemailRules(max_messages=200))
    messages = await asyncio.gather(*(leave(store, at=NOW + number) for number in range(200)))
    store = await reopen()
    assert await store.messages("claire") == sorted(messages, key=lambda message: message.received_at)


def move_database_away(directory: Path) -> None:
    for path in list(directory.glob("renvoi.sqlite*")):
        path.rename(path.with_name(f"old-{path.name}"))


async def test_recordings_that_the_database_does_not_know_are_never_removed(
    reopen: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    message = await leave(await reopen())
    move_database_away(tmp_path)
    await reopen()
    assert files(tmp_path) == [f"claire/{message.id}.wav"]
    assert "1 recordings belong to no message" in caplog.text


async def test_a_full_disk_is_said_before_the_caller_speaks(reopen: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await reopen()
    monkeypatch.setattr(sound_files, "MIN_FREE_BYTES", 1 << 62)  # no disk has that much left
    with pytest.raises(StoreFullError, match="make room"):
        await store.begin("claire", CALLER, None, NOW)
    assert store.outcomes["disk full",] == 1
    monkeypatch.undo()
    await leave(store)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root mounts a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(directory: Path) -> Path:
    """Use up what is left of a disk; return the file that does."""
    path = directory / "filler"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return path


async def test_a_disk_that_fills_up_while_the_caller_speaks_loses_nothing(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await Database.open(small_disk / "renvoi.sqlite")
    store = await SqliteMailboxes.open(database, small_disk, BOXES, VoicemailRules())
    with pytest.raises(StoreFullError, match="make room"):
        await store.begin("claire", CALLER, None, NOW)
    monkeypatch.setattr(sound_files, "MIN_FREE_BYTES", 0)
    drafts = [await store.begin("claire", CALLER, None, NOW + number) for number in range(20)]
    for draft in drafts:
        speak(draft.path)
    filler = await asyncio.to_thread(fill, small_disk)
    confirmed = []
    for draft in drafts:
        try:
            confirmed.append(await store.confirm(draft, 1.0))
        except StoreFullError as error:
            assert "disk is full" in str(error)
    with pytest.raises(StoreFullError):
        await store.set_greeting("claire", "absent", SOUND)
    assert len(confirmed) < len(drafts)
    assert await store.messages("claire") == confirmed
    filler.unlink()
    late = await store.confirm(drafts[-1], 1.0)
    assert await store.messages("claire") == [*confirmed, late]
    await store.close()
    await database.close()


# ---------------------------------------------------------------------------------------------------- greetings


async def test_a_greeting_is_kept_by_kind(reopen: Open) -> None:
    store = await reopen()
    assert store.greeting("claire", "absent") is None
    await store.set_greeting("claire", "absent", wav(2.0, 16000))
    await store.set_greeting("claire", "absent", SOUND)
    store = await reopen()
    path = store.greeting("claire", "absent")
    assert path is not None
    assert heard(path) == SOUND
    assert store.greeting("claire", "busy_other") is None
    assert store.without_greeting() == ("marc",)
    assert await store.remove_greeting("claire", "absent")
    assert not await store.remove_greeting("claire", "absent")
    assert store.greeting("claire", "absent") is None


async def test_a_greeting_recorded_by_phone_is_taken_from_its_file(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    path = await store.new_greeting("claire")
    speak(path)
    await store.set_greeting("claire", "available", path)
    assert files(tmp_path) == ["claire/greetings/available.wav"]
    speak(await store.new_greeting("claire"))
    await reopen()  # the person hung up before it was confirmed
    assert files(tmp_path) == ["claire/greetings/available.wav"]


@pytest.mark.parametrize(
    ("sound", "what"),
    [
        (b"", "no WAV file"),
        (b"\xff\xfb\x90\x64" * 500, "no WAV file"),
        (b"RIFF\xff\xff\xff\x7fWAVE", "no WAV file"),
        (SOUND[:40], "no WAV file"),
        (wav(rate=44100), "44100 Hz, 1 channel, 16 bits"),
        (wav(channels=2), "8000 Hz, 2 channels, 16 bits"),
        (wav(width=1), "8000 Hz, 1 channel, 8 bits"),
        (wav(181.0), "lasts 0.5 to 180 s; this one 181.0 s"),
        (wav(0.2), "this one 0.2 s"),
        (bytes(7 * 1024 * 1024), "at most 6 MB"),
    ],
    ids=["nothing", "mp3", "head", "cut", "44 kHz", "stereo", "8 bits", "long", "short", "huge"],
)
async def test_what_is_no_greeting_is_refused_and_the_one_before_stays(reopen: Open, sound: bytes, what: str) -> None:
    store = await reopen()
    await store.set_greeting("claire", "absent", SOUND)
    with pytest.raises(SoundRefusedError, match=what):
        await store.set_greeting("claire", "absent", sound)
    path = store.greeting("claire", "absent")
    assert path is not None
    assert heard(path) == SOUND


# ------------------------------------------------------------------------------------------ killed at any moment

# Leaves, marks and deletes messages without end, and says what it was promised; then it is killed.
CHILD = """
import asyncio, sys
from pathlib import Path
from router.model.mailbox import Mailbox, VoicemailRules
from router.model.message import MessageState
from router.stores.database import Database
from router.stores.mailboxes import SqliteMailboxes

async def main(directory):
    box = Mailbox("claire", "Claire", email=("a@example.com",))
    database = await Database.open(directory / "renvoi.sqlite")
    store = await SqliteMailboxes.open(database, directory, {"claire": box}, VoicemailRules(max_messages=100000))
    sound = (directory / "sound.wav").read_bytes()
    async def caller(number):
        while True:
            draft = await store.begin("claire", "+32475111222", None, 1795510800.0)
            temporary = Path(draft.path).with_name(f".{draft.id}.wav.0.part")
            temporary.write_bytes(sound[:1000])
            with temporary.open("ab") as file:
                file.write(sound[1000:])
            temporary.rename(draft.path)
            if number == 2:
                await store.discard(draft)
                continue
            await store.confirm(draft, 1.0)
            sys.stdout.write(f"kept {draft.id}\\n"); sys.stdout.flush()
            if number == 1:
                sys.stdout.write(f"deleting {draft.id}\\n"); sys.stdout.flush()
                await store.delete(draft.id)
                sys.stdout.write(f"deleted {draft.id}\\n"); sys.stdout.flush()
    await asyncio.gather(*map(caller, range(4)))

asyncio.run(main(Path(sys.argv[1])))
"""


def promises_of_a_killed_router(directory: Path, count: int, delay: float) -> list[str]:
    """Kill the child some time after so many promises; return all that it made."""
    command = [sys.executable, "-c", CHILD, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as process:
        assert process.stdout is not None
        first = [process.stdout.readline().strip() for _ in range(count)]
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        return [*first, *process.stdout.read().splitlines()]


async def test_a_kill_at_any_moment_loses_no_confirmed_message_and_leaves_no_half_one(
    reopen: Open, tmp_path: Path
) -> None:
    (tmp_path / "sound.wav").write_bytes(SOUND)
    kept: set[str] = set()
    deleting: set[str] = set()
    deleted: set[str] = set()
    for attempt in range(12):
        # Another moment each time; what is asserted holds at all of them.
        for line in await asyncio.to_thread(promises_of_a_killed_router, tmp_path, 1 + 3 * attempt, 0.002 * attempt):
            what, _, identity = line.partition(" ")
            if len(identity) == 32:  # the last line may be cut
                {"kept": kept, "deleting": deleting, "deleted": deleted}[what].add(identity)
        store = await reopen(VoicemailRules(max_messages=100000))
        messages = {message.id: message for message in await store.messages("claire")}
        assert kept - deleting <= set(messages)
        assert not deleted & set(messages)
        for message in messages.values():
            assert heard(store.sound(message)) == SOUND
        assert files(tmp_path) == sorted(f"claire/{identity}.wav" for identity in messages)
    assert len(kept) > 12
    assert deleted
