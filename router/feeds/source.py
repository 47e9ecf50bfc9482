"""Fetches a file, or what an HTTP server gives, within bounds of time and size.

No text of an error holds a URL: its user-info, its query and often its path are secrets. Who reads the text knows the
feed by its name.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
import stat
from pathlib import Path
from typing import Final, NamedTuple
from urllib.request import url2pathname

import aiohttp
from yarl import URL

CONNECT_SECONDS: Final = 10.0
SILENCE_SECONDS: Final = 20.0  # longest wait for the next bytes
TOTAL_SECONDS: Final = 120.0
MAX_BYTES: Final = 32 * 1024 * 1024  # a million prefixes are 12 MB
MAX_REDIRECTS: Final = 5
CHUNK_BYTES: Final = 64 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class FeedError(Exception):
    """A source did not give what it should; the text says what happened instead, and holds no secret."""


class Version(NamedTuple):
    """How a source recognises what it gave before (RFC 9110 §8.8): ETag and Last-Modified, "" where it has none."""

    etag: str = ""
    last_modified: str = ""


class Fetched(NamedTuple):
    """What a source gave: the bytes, in the chunks in which they came, and their version."""

    chunks: tuple[bytes, ...]
    version: Version


_UNKNOWN: Final = Version()


def digest_of(fetched: Fetched) -> bytes:
    """Return a digest of what was fetched. Takes its time, and lets other threads work meanwhile."""
    digest = hashlib.sha256()
    for chunk in fetched.chunks:
        digest.update(chunk)
    return digest.digest()


def open_session(trust: ssl.SSLContext | bool = True, total_seconds: float = TOTAL_SECONDS) -> aiohttp.ClientSession:
    """Make the session that all fetching shares. To be made in the running loop, and closed.

    Args:
        trust: whose certificates are trusted; True: those that the system trusts.
        total_seconds: longest time that one answer may take in all.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=8, ssl=trust),
        timeout=aiohttp.ClientTimeout(total=total_seconds, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        # What is compressed can be a thousand times as long as it looks.
        headers={"Accept-Encoding": "identity", "User-Agent": "Renvoi"},
        auto_decompress=False,
    )


async def fetch(
    session: aiohttp.ClientSession, url: str, known: Version = _UNKNOWN, limit: int = MAX_BYTES
) -> Fetched | None:
    """Fetch what is at a URL.

    Args:
        url: "https:", "http:" or "file:".
        known: version of the copy that is there already.
        limit: bytes; a source that gives more is at fault.

    Returns:
        None: it is the version that is known.

    Raises:
        FeedError: it cannot be fetched.
    """
    try:
        if url.startswith("file:"):
            async with asyncio.timeout(TOTAL_SECONDS):
                return await asyncio.to_thread(_read, Path(url2pathname(url.removeprefix("file://"))), known, limit)
        return await _get(session, URL(url), known, limit)
    except TimeoutError as error:
        raise FeedError("no answer came in time") from error
    except aiohttp.ClientSSLError as error:
        raise FeedError("its certificate is not trusted, or it speaks no TLS") from error
    except OSError as error:  # aiohttp's connection errors are among them
        raise FeedError(f"it cannot be reached: {os.strerror(error.errno) if error.errno else 'no address'}") from error
    except aiohttp.ClientPayloadError as error:
        raise FeedError("the answer broke off") from error
    except (aiohttp.ClientError, ValueError) as error:
        raise FeedError(f"it cannot be fetched ({type(error).__name__})") from error


async def _get(session: aiohttp.ClientSession, url: URL, known: Version, limit: int) -> Fetched | None:
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    headers = {name: value for name, value in headers.items() if value}
    for _ in range(MAX_REDIRECTS + 1):
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            if response.status in _REDIRECTS:
                target = response.url.join(URL(response.headers.get("Location", "")))
                if (response.url.scheme, target.scheme) != ("https", "https"):
                    raise FeedError("it sends us elsewhere, which only https: may do, and only to https:")
                url = target
                continue
            if response.status == 304 and headers:
                return None
            if response.status != 200:
                raise FeedError(f"it answers {response.status}")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise FeedError("it sends compressed data, which it was not asked for")
            chunks = []
            length = 0
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                length += len(chunk)
                if length > limit:
                    raise FeedError(f"it gives more than {limit} bytes")
                chunks.append(chunk)
            version = Version(response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))
            return Fetched(tuple(chunks), version)
    raise FeedError(f"it sends us elsewhere more than {MAX_REDIRECTS} times")


def _read(path: Path, known: Version, limit: int) -> Fetched | None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe without a writer would wait for one
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise FeedError("it is no file")
        version = Version(f"{status.st_mtime_ns}-{status.st_size}-{status.st_ino}")
        if version == known:
            return None
        if status.st_size > limit:
            raise FeedError(f"it gives more than {limit} bytes")
        data = file.read(limit)
    return Fetched(tuple(data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)), version)
