"""Compiles listeners, trunks, PBXs and accounts."""

from __future__ import annotations

import math
import os
import re
from datetime import date, datetime, tzinfo
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo

from router.configuration.addresses import sip_address_problem
from router.configuration.credentials import HA1_PREFIX, ha1, stored_ha1
from router.configuration.findings import Mark
from router.configuration.gaps import Location
from router.configuration.media_ways import media_way
from router.configuration.operation import Registration, TrunkSection
from router.configuration.schema import Document, PersonSection
from router.configuration.sources import Sources
from router.configuration.values import PeerSource
from router.model.decision import Connection
from router.model.peers import Account, Listener, Pbx, Source, Trunk, TrunkRegistration
from router.model.sound import MediaWay

_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def compile_listeners(document: Document, sources: Sources) -> tuple[Listener, ...]:
    """Return the SIP sockets to open; one that is listed twice goes to the findings of `sources`."""
    sip = document.sip
    known = [item for index, item in enumerate(sip.listen) if not sources.gaps.covers("sip", "listen", index)]
    for index, item in enumerate(sip.listen):
        if item in sip.listen[:index] and known.count(item) > 1:
            mark = sources.mark("sip", "listen", index)
            sources.error(mark, f"{item.transport}:{item.host}:{item.port} is listed twice", "keep one")
    return tuple(Listener(item.transport, item.host, item.port, sip.advertised) for item in sip.listen)


def compile_trunks(document: Document, sources: Sources) -> tuple[Trunk, ...]:
    """Return the trunks, lowest priority first; what is wrong with them goes to the findings of `sources`."""
    country = document.company.country
    trunks = [
        _trunk(name, section, country, media_way(section.media, document), sources)
        for name, section in document.trunks.items()
    ]
    return tuple(sorted(trunks, key=lambda trunk: trunk.priority))


def compile_pbxs(document: Document, sources: Sources) -> tuple[Pbx, ...]:
    """Return the trusted PBXs."""
    return tuple(
        Pbx(
            name,
            tuple(_sources(section.sources, sources, "pbxs", name)),
            host=section.address.host if section.address else "",
            port=(section.address.port if section.address else None) or 5060,
            transport=section.transport,
            media=media_way(section.media, document),
        )
        for name, section in document.pbxs.items()
    )


def check_peer_sources(trunks: tuple[Trunk, ...], pbxs: tuple[Pbx, ...], sources: Sources) -> None:
    """Find two peers that would be recognised by the same address."""
    seen: dict[Source, tuple[str, str]] = {}
    for section, peers in (("trunks", trunks), ("pbxs", pbxs)):
        for peer in peers:
            for source in peer.sources:
                other = seen.setdefault(source, (section, peer.name))
                if other == (section, peer.name):
                    continue
                where = f"{source.network}" + (f" port {source.port}" if source.port else "")
                sources.error(
                    sources.mark(section, peer.name),
                    f"{peer.name} and {other[1]} ({sources.mark(*other)}) are both recognised by {where}",
                    "give each its own address, or address:port",
                )


def accounts_of(person: str, section: PersonSection) -> dict[str, str]:
    """Return the account (user name) of each device of a person, by device name.

    A single device is called by the extension, several by extension-device; the person's id stands in for a missing
    extension.
    """
    base = section.extension or person
    single = len(section.devices) == 1
    return {name: device.user or (base if single else f"{base}-{name}") for name, device in section.devices.items()}


def compile_accounts(document: Document, sources: Sources, zone: ZoneInfo) -> dict[str, Account]:
    """Return the accounts by user name; what is wrong with devices goes to the findings of `sources`."""
    accounts: dict[str, Account] = {}
    for person, section in document.people.items():
        for name, user in accounts_of(person, section).items():
            mark = sources.mark("people", person, "devices", name)
            if user in accounts:
                other = accounts[user].person
                if section.devices[name].user or section.extension != document.people[other].extension:
                    sources.error(mark, f"{user!r} is already the account of {other}", "write a user:")
                continue  # two people with the same extension are reported as that
            account = _account(user, person, name, section, document, sources, zone)
            if account is not None:
                accounts[user] = account
    return accounts


def end_of_exception(until: date, zone: tzinfo) -> float:
    """Return when an exception "until" a day ends: at the end of that day, as POSIX seconds."""
    if until == date.max:
        return math.inf
    return datetime.fromordinal(until.toordinal() + 1).replace(tzinfo=zone).timestamp()


def _account(
    user: str, person: str, name: str, section: PersonSection, document: Document, sources: Sources, zone: ZoneInfo
) -> Account | None:
    device, sip = section.devices[name], document.sip
    location = ("people", person, "devices", name)
    mark, gaps = sources.mark(*location), sources.gaps
    if device.kind == "private" and not gaps.covers(*location, "kind"):
        for key in ("until", "approved_by"):
            if getattr(device, key) is None and not gaps.covers(*location, key):
                suggestion = "add until: DATE and approved_by: NAME"
                sources.error(mark, "a private phone is a temporary exception", suggestion, "D1")
                break
    if device.secret is None:
        if not gaps.covers(*location, "secret"):
            sources.error(mark, "a device needs a secret", "add secret: with a password or an HA1")
        return None
    secret = _from_environment(device.secret, mark, sources)
    if secret is None:
        return None
    sha256: str | None
    if secret.startswith(HA1_PREFIX):
        try:
            md5, sha256 = stored_ha1(secret)
        except ValueError as error:
            sources.error(mark, "the secret cannot be used", str(error))
            return None
        if sha256 is None and "sha-256" in sip.digest:
            sources.error(mark, "the HA1 lacks its SHA-256 value, which sip.digest offers", "add it")
            return None
    else:
        md5, sha256 = ha1(user, sip.realm, secret)
    until = min((day for day in (device.until, section.left) if day is not None), default=None)
    end = end_of_exception(until, zone) if until else None
    way = MediaWay.RTPENGINE if device.srtp else media_way(device.media, document)
    return Account(user, person, Connection(device.kind), md5, sha256, end, way, device.srtp or "")


def _trunk(name: str, section: TrunkSection, country: str, media: MediaWay, sources: Sources) -> Trunk:
    host, port = section.address.host, section.address.port or 5060
    recognised = _sources(section.sources, sources, "trunks", name)
    own = _own_source(host, port, section.transport)
    if own is not None and own not in recognised:
        recognised.append(own)
    registration = None
    if section.register_ is not None:
        registration = _registration(section.register_, ("trunks", name, "register"), sources)
    return Trunk(
        name,
        host,
        port,
        section.transport,
        tuple(recognised),
        section.priority,
        section.number_format,
        section.identity,
        section.domain,
        section.options_interval,
        registration,
        country,
        media,
    )


def _sources(written: list[PeerSource], sources: Sources, *location: str) -> list[Source]:
    """Return by what a peer is recognised; a stand-in recognises nobody."""
    return [
        Source(source.network, source.port)
        for index, source in enumerate(written)
        if not sources.gaps.covers(*location, "from", index)
    ]


def _own_source(host: str, port: int, transport: str) -> Source | None:
    # A TCP peer calls from a port of its choice, so its address alone would have to do; on a machine shared with others
    # that trusts too much. It is written in `from` where it is wanted.
    if transport != "udp":
        return None
    try:
        return Source(ip_network(ip_address(host)), port)
    except ValueError:
        return None  # a name: the transport recognises it by what it resolves to


def _registration(section: Registration, location: Location, sources: Sources) -> TrunkRegistration | None:
    mark, gaps = sources.mark(*location), sources.gaps
    problem = sip_address_problem(section.registrar)
    if problem and not gaps.covers(*location, "registrar"):
        sources.error(mark, f"{section.registrar!r}: {problem}", 'write "sip:provider.example"')
    given = [value for value in (section.password, section.password_file) if value is not None]
    if len(given) != 1:
        if not any(gaps.covers(*location, key) for key in ("password", "password_file")):
            sources.error(mark, "a registration needs one password", "write password: ${NAME} or password_file: PATH")
        return None
    password = section.password
    if section.password_file is not None:
        text = sources.text(section.password_file, mark)
        password = text.strip() if text is not None else None
    if password is not None:
        password = _from_environment(password, mark, sources)
    if password is None or problem:
        return None
    return TrunkRegistration(
        section.registrar,
        section.user,
        section.auth_user or section.user,
        password,
        section.realm,
        int(section.expires),
    )


def _from_environment(value: str, mark: Mark, sources: Sources) -> str | None:
    found = _ENVIRONMENT.fullmatch(value)
    if found is None:
        return value
    password = os.environ.get(found[1])
    if not password:
        sources.error(mark, f"the environment variable {found[1]} is not set", f"export {found[1]} before starting")
        return None
    return password
