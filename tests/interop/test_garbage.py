"""Garbage, truncated and hostile SIP while a neighbour talks (Stage 1, bad input)."""

from __future__ import annotations

import random
import socket

import pytest

from .conftest import needs_sipp
from .peers import Peers
from .processes import eventually
from .router_process import Router
from .wire import Wire

pytestmark = [needs_sipp, pytest.mark.timeout(120)]

SEED = 20261124
DATAGRAMS = 4000
CONNECTIONS = 150
PROBE_EVERY = 200
# What a few thousand refused requests may leave behind for the 32 s of their transactions, and no more.
GROWTH_KILOBYTES = 48 * 1024

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
TEMPLATES = [
    ("INVITE", "sip:202@{router}", (("Content-Type", "application/sdp"), ("Supported", "replaces, timer")), SDP),
    ("INVITE", "tel:+3242200126", (("Require", "100rel"), ("Privacy", "id")), ""),
    ("REGISTER", "sip:{router}", (("Expires", "600"), ("Authorization", 'Digest username="202", nonce="x", nc=1')), ""),
    ("OPTIONS", "sip:{router}", (("Accept", "application/sdp"),), ""),
    ("SUBSCRIBE", "sip:202@{router}", (("Event", "message-summary"),), ""),
    ("REFER", "sip:202@{router}", (("Refer-To", "<sip:201@{router}?Replaces=a%3Bto-tag%3Db>"),), ""),
    ("BYE", "sip:{router}", (("Reason", 'SIP;cause=200;text="x"'),), ""),
    ("CANCEL", "sip:202@{router}", (), ""),
    ("ACK", "sip:202@{router}", (), ""),
]
DICTIONARY = [
    b"\r\n", b"\r\n\r\n", b"\0", b"%FF", b"%00", b"\xff\xfe", b";", b",", b"<", b">", b'"', b"[::1]", b"sip:", b"tel:",
    b":99999", b"SIP/2.0 200 OK\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999\r\n",
    b"CSeq: 4294967296 INVITE\r\n", b"Via: SIP/2.0/UDP [::1\r\n", b";branch=", b";tag=", b"z9hG4bK",
    b"A" * 3000, b"\r\n " * 200, b"X: y\r\n" * 300,
]  # fmt: skip


def mutated(chance: random.Random, raw: bytes) -> bytes:
    """Change a message in one to six places: bytes flipped, pieces cut out, doubled, moved or put in."""
    data = bytearray(raw)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        length = chance.choice((1, 2, 8, 40))
        match chance.randrange(6):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case 3:
                data[at:at] = chance.choice(DICTIONARY)
            case 4:
                del data[at:]
            case _:
                start = chance.randrange(len(data) + 1)
                data[at:at] = data[start : start + length]
    return bytes(data[:60_000])


def garbage(chance: random.Random, wire: Wire, router: Router) -> bytes:
    """One hostile message; now and then plain noise."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randint(0, 1500))
    method, uri, headers, body = chance.choice(TEMPLATES)
    address = router.address
    filled = tuple((name, value.format(router=address)) for name, value in headers)
    return mutated(chance, wire.request(method, uri.format(router=address), headers=filled, body=body).encode())


def is_alive(probe: Wire, router: Router) -> bool:
    return probe.asks(probe.request("OPTIONS", f"sip:{router.address}"), seconds=3).status == 200


def test_datagrams_of_strangers_and_of_a_trunk_gone_mad(router: Router, peers: Peers) -> None:
    """Half of them come from an address that the router trusts, so that they go as deep as a call."""
    chance = random.Random(SEED)
    phone = peers.phone("202", "callee_is_held_and_resumed", seconds=60)
    neighbour = peers.call("caller_holds_and_resumes", "+3242200122", hold=4.0, seconds=60)
    phone.request("ACK")
    before = router.resident_kilobytes
    with (
        Wire(router.address) as stranger,
        Wire(router.address, port=router.company.second_trunk_port) as trunk,
        Wire(router.address) as probe,
    ):
        for number in range(DATAGRAMS):
            sender = chance.choice((stranger, trunk))
            try:
                sender.send(garbage(chance, sender, router))
            except ConnectionRefusedError:  # an ICMP error that an answer to a port of nobody's caused
                continue
            if number % PROBE_EVERY == 0:
                assert is_alive(probe, router), f"dead after {number} datagrams"
        assert is_alive(probe, router)
        assert router.resident_kilobytes - before < GROWTH_KILOBYTES
    neighbour.succeeds()
    phone.succeeds()


def test_streams_of_strangers(router: Router, peers: Peers) -> None:
    chance = random.Random(SEED + 1)
    phone = peers.phone("202", "callee_is_held_and_resumed", seconds=60)
    neighbour = peers.call("caller_holds_and_resumes", "+3242200122", hold=3.0, seconds=60)
    phone.request("ACK")
    before = router.resident_kilobytes
    open_connections: list[socket.socket] = []
    with Wire(router.address) as probe:
        for number in range(CONNECTIONS):
            connection = socket.create_connection((router.host, router.port))
            open_connections.append(connection)
            try:
                for _ in range(chance.randint(1, 4)):
                    connection.sendall(garbage(chance, probe, router))
                if chance.random() < 0.5:
                    open_connections.remove(connection)
                    connection.close()
            except ConnectionError:  # the router has closed it: its right
                pass
            if number % 25 == 0:
                assert is_alive(probe, router), f"dead after {number} connections"
        assert is_alive(probe, router)
        assert router.resident_kilobytes - before < GROWTH_KILOBYTES
    for connection in open_connections:
        connection.close()
    neighbour.succeeds()
    phone.succeeds()


def test_line_that_never_ends_is_cut_off(router: Router) -> None:
    """What one TCP peer can make the router hold is bounded."""
    before = router.resident_kilobytes
    with socket.create_connection((router.host, router.port)) as connection:
        connection.settimeout(5)
        try:
            connection.sendall(b"OPTIONS sip:x SIP/2.0\r\nX-Long: ")
            for _ in range(64):
                connection.sendall(b"a" * 1_000_000)
            ended = connection.recv(65536)
        except ConnectionError:
            ended = b""
        assert ended == b""
    assert router.resident_kilobytes - before < GROWTH_KILOBYTES
    eventually("the router still serves", lambda: router.get("/readyz")[0] == 200)
