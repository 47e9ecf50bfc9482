"""Fetching: what a source can do to us, and what we say of it."""

from __future__ import annotations

import gzip
import os
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from router.feeds.source import FeedError, Version, fetch, open_session
from tests.feeds.keeper import Keeper


async def test_list_comes_with_its_version(keeper: Keeper, session: aiohttp.ClientSession) -> None:
    keeper.gives("/list", "+881\n", headers={"ETag": '"1"', "Last-Modified": "Tue, 24 Nov 2026 10:00:00 GMT"})
    fetched = await fetch(session, f"{keeper.url}/list")
    assert fetched is not None
    assert b"".join(fetched.chunks) == b"+881\n"
    assert fetched.version == Version('"1"', "Tue, 24 Nov 2026 10:00:00 GMT")


async def test_known_version_is_not_fetched_again(keeper: Keeper, session: aiohttp.ClientSession) -> None:
    keeper.gives("/list", "+881\n", headers={"ETag": '"1"'})
    assert await fetch(session, f"{keeper.url}/list", Version('"1"', "yesterday")) is None
    assert keeper.asked[0].headers["If-Modified-Since"] == "yesterday"


@pytest.mark.parametrize("status", [204, 206, 401, 404, 500, 503])
async def test_other_answer_is_an_error(keeper: Keeper, session: aiohttp.ClientSession, status: int) -> None:
    keeper.gives("/list", "", status=status)
    with pytest.raises(FeedError, match=f"it answers {status}"):
        await fetch(session, f"{keeper.url}/list")


async def test_304_without_a_question_is_an_error(keeper: Keeper, session: aiohttp.ClientSession) -> None:
    keeper.gives("/list", "", status=304)
    with pytest.raises(FeedError, match="it answers 304"):
        await fetch(session, f"{keeper.url}/list")


async def test_hanging_source_is_given_up(keeper: Keeper) -> None:
    keeper.hangs("/list")
    async with open_session(total_seconds=0.3) as session:
        with pytest.raises(FeedError, match="no answer came in time"):
            await fetch(session, f"{keeper.url}/list")


async def test_truncated_answer_is_an_error(keeper: Keeper, session: aiohttp.ClientSession) -> None:
    keeper.breaks_off("/list", b"+881\n" * 100)
    with pytest.raises(FeedError, match="the answer broke off"):
        await fetch(session, f"{keeper.url}/list")


async def test_endless_answer_is_cut_off(keeper: Keeper, session: aiohttp.ClientSession) -> None:
    keeper.pours("/list", megabytes=50)
    with pytest.raises(FeedError, match="it gives more than 1000000 bytes"):
        await fetch(session, f"{keeper.url}/list", limit=1_000_000)


async def test_compressed_answer_is_refused(keeper: Keeper, session: aiohttp.ClientSession) -> None:
    keeper.gives("/list", gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(FeedError, match="compressed data, which it was not asked for"):
        await fetch(session, f"{keeper.url}/list")
    assert keeper.asked[0].headers["Accept-Encoding"] == "identity"


async def test_nobody_there_is_an_error(session: aiohttp.ClientSession, keeper: Keeper) -> None:
    await keeper.close()
    with pytest.raises(FeedError, match="it cannot be reached: Connection refused"):
        await fetch(session, f"{keeper.url}/list")


async def test_errors_hold_no_secret(session: aiohttp.ClientSession, keeper: Keeper) -> None:
    address = keeper.url.replace("http://", "http://claire:secret1@")
    url = f"{address}/secret2/list?token=secret3"
    with pytest.raises(FeedError) as refused:
        await fetch(session, url)
    assert keeper.asked[0].headers["Authorization"].startswith("Basic ")
    await keeper.close()
    with pytest.raises(FeedError) as unreachable:
        await fetch(session, url)
    with pytest.raises(FeedError) as impossible:
        await fetch(session, url.replace(str(keeper.port), "99999"))
    for raised in (refused, unreachable, impossible):
        assert "secret" not in str(raised.value)


async def test_http_may_not_send_us_elsewhere(keeper: Keeper, session: aiohttp.ClientSession) -> None:
    keeper.gives("/old", "", status=302, headers={"Location": "/list"})
    keeper.gives("/list", "+881\n")
    with pytest.raises(FeedError, match="only https: may do"):
        await fetch(session, f"{keeper.url}/old")


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[Keeper, ssl.SSLContext]]:
    own, trust = certificate(tmp_path)
    keeper = await Keeper().start(own)
    yield keeper, trust
    await keeper.close()


async def test_https_may_send_us_to_https_only(secure: tuple[Keeper, ssl.SSLContext], keeper: Keeper) -> None:
    source, trust = secure
    source.gives("/old", "", status=308, headers={"Location": "/list"})
    source.gives("/list", "+881\n")
    source.gives("/downgrade", "", status=302, headers={"Location": f"{keeper.url}/list"})
    source.gives("/round", "", status=302, headers={"Location": "/round"})
    async with open_session(trust) as session:
        fetched = await fetch(session, f"{source.url}/old")
        assert fetched is not None
        assert fetched.chunks == (b"+881\n",)
        with pytest.raises(FeedError, match="only to https:"):
            await fetch(session, f"{source.url}/downgrade")
        with pytest.raises(FeedError, match="more than 5 times"):
            await fetch(session, f"{source.url}/round")
    assert keeper.asked == []


async def test_certificate_of_nobody_we_know_is_refused(
    secure: tuple[Keeper, ssl.SSLContext], session: aiohttp.ClientSession
) -> None:
    with pytest.raises(FeedError, match="its certificate is not trusted"):
        await fetch(session, f"{secure[0].url}/list")
    assert secure[0].asked == []


async def test_file_is_read_when_it_changed(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    path = tmp_path / "a list.txt"
    path.write_text("+881\n")
    first = await fetch(session, path.as_uri())
    assert first is not None
    assert first.chunks == (b"+881\n",)
    assert await fetch(session, path.as_uri(), first.version) is None
    path.write_text("+882\n+883\n")
    second = await fetch(session, path.as_uri(), first.version)
    assert second is not None
    assert second.chunks == (b"+882\n+883\n",)


async def test_file_that_is_none_is_an_error(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    with pytest.raises(FeedError, match="it cannot be reached: No such file"):
        await fetch(session, (tmp_path / "list").as_uri())
    os.mkfifo(tmp_path / "list")
    with pytest.raises(FeedError, match="it is no file"):
        await fetch(session, (tmp_path / "list").as_uri())
    (tmp_path / "large").write_bytes(bytes(1001))
    with pytest.raises(FeedError, match="it gives more than 1000 bytes"):
        await fetch(session, (tmp_path / "large").as_uri(), limit=1000)


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate of 127.0.0.1; return the contexts of the server that has it and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(plain + made.public_bytes(pem))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))
