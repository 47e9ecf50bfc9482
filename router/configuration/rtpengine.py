"""Compiles which rtpengines relay calls, and finds whoever needs one where there is none."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from router.configuration.findings import Finding, Severity
from router.configuration.media_ways import media_wishes
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.model.sound import MediaWay, RtpengineSettings

USUAL_PORT: Final = 2223  # of the ng protocol
_EXAMPLE: Final = "write rtpengine: 127.0.0.1:2223 under media:"


def compile_rtpengine(document: Document, sources: Sources) -> RtpengineSettings:
    """Return which rtpengines there are; what is wrong goes to the findings of `sources`."""
    _check_srtp(document, sources)
    section = document.media.rtpengine
    if section is None:
        if not sources.gaps.covers("media", "rtpengine"):
            _check_wishes(document, sources)
        return RtpengineSettings()
    addresses: dict[tuple[str, int], None] = {}
    for index, address in enumerate(section.address):
        known = (address.host, address.port or USUAL_PORT)
        if known in addresses and not sources.gaps.covers("media", "rtpengine", "address", index):
            mark = sources.mark("media", "rtpengine", "address", index)
            sources.error(mark, f"{known[0]}:{known[1]} is listed twice", "keep one")
        addresses[known] = None
    interfaces: list[tuple[IPv4Network | IPv6Network, str]] = []
    for network, name in section.interfaces.items():
        try:
            interfaces.append((ip_network(network), name))
        except ValueError:
            mark = sources.mark("media", "rtpengine", "interfaces", network)
            sources.error(mark, f"{network!r} is no network", "write a network and a name: 10.0.0.0/8: internal")
    interfaces.sort(key=lambda item: -item[0].prefixlen)
    return RtpengineSettings(tuple(addresses), tuple(interfaces))


def _check_srtp(document: Document, sources: Sources) -> None:
    """What protects or reveals the sound of a phone has to stand in its way."""
    for person, section in document.people.items():
        for name, device in section.devices.items():
            location = ("people", person, "devices", name)
            if device.srtp is None or sources.gaps.covers(*location, "srtp"):
                continue
            if device.media not in (None, "rtpengine"):
                message = f"srtp: {device.srtp} needs an rtpengine, and media: {device.media} goes round it"
                sources.error(sources.mark(*location, "media"), message, "take one of the two away")
            elif document.media.rtpengine is None and not sources.gaps.covers("media", "rtpengine"):
                message = f"srtp: {device.srtp} needs an rtpengine, and there is none"
                sources.error(sources.mark(*location, "srtp"), message, _EXAMPLE)


def _check_wishes(document: Document, sources: Sources) -> None:
    becomes = "goes by a weaker way" if document.media.fallback == "direct" else "fails"
    for location, way in media_wishes(document):
        if way is MediaWay.RTPENGINE:
            message = f"sound is to be relayed by rtpengine here, and there is none: the call {becomes}"
            sources.findings.append(Finding(sources.mark(*location), message, _EXAMPLE, Severity.WARNING))
