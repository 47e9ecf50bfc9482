"""Compiles where the router's own sound comes from and goes to."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from router.configuration.findings import Finding, Severity
from router.configuration.media_ways import wants_engine
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.model.sound import MediaSettings

_PORTS: Final = re.compile(r"(\d{1,5})\s*-\s*(\d{1,5})")
_FEWEST_PORTS: Final = 20  # five calls at once, with RTP and RTCP each, and as many whose ports rest


def compile_media(document: Document, sources: Sources) -> MediaSettings | None:
    """Return how the media engine is to run; None where no target needs it, or the configuration says so.

    What is wrong goes to the findings of `sources`.
    """
    section = document.media
    needed = any(target.mailbox or target.announcement for target in document.targets.values())
    needed = needed or bool(document.queues or document.menus or document.recording)
    if not (needed or wants_engine(document) if section.enabled is None else section.enabled):
        if needed:
            mark = sources.mark("media", "enabled")
            message = "without media nobody can leave a message here, nor hear an announcement"
            sources.findings.append(Finding(mark, message, "", Severity.WARNING, "V1"))
        return None
    hosts = []
    for index, written in enumerate(section.address):
        try:
            host = ip_address(written)
        except ValueError:
            _complain(sources, f"{written!r} is no IP address", "address", index)
            continue
        if host.is_unspecified:
            _complain(sources, f"{written} is no address that a caller's sound can be sent to", "address", index)
        else:
            hosts.append(str(host))
    if not section.address:
        hosts = list(
            dict.fromkeys(item.host for item in document.sip.listen if not ip_address(item.host).is_unspecified)
        )
        if not hosts and not sources.gaps.covers("sip", "listen"):
            _complain(sources, "the router listens on every address: nobody knows which one is for sound", "address")
    found = _PORTS.fullmatch(section.ports)
    first, last = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (first >= 1024 and last <= 65535 and last - first + 1 >= _FEWEST_PORTS):
        suggestion = f'write a range of {_FEWEST_PORTS} ports or more between 1024 and 65535: "16384-32767"'
        sources.error(sources.mark("media", "ports"), f"{section.ports!r} is no range of ports for sound", suggestion)
    return MediaSettings(tuple(hosts), first, last)


def own_recordings(document: Document, sources: Sources) -> Path | None:
    """Return the folder of the company's own recordings; None without.

    What is wrong goes to the findings of `sources`.
    """
    written = document.media.recordings
    if written is None:
        return None
    folder = sources.directory / written
    if not folder.is_dir():
        sources.error(sources.mark("media", "recordings"), f"there is no folder {folder}", "make it, or take this away")
    return folder


def _complain(sources: Sources, message: str, *location: str | int) -> None:
    sources.error(sources.mark("media", *location), message, "write the router's own IP address: address: 192.0.2.1")
