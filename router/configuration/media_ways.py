"""Compiles which way the sound of calls takes: from phone to phone, through the router, or through an rtpengine."""

from __future__ import annotations

from collections.abc import Iterator

from router.configuration.findings import Finding, Severity
from router.configuration.gaps import Location
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.model.sound import MediaWay, RelayRules


def media_way(written: str | None, document: Document) -> MediaWay:
    """Return the way that is written, or the usual one."""
    return MediaWay[(written or document.media.default).upper()]


def wants_engine(document: Document) -> bool:
    """Say whether any call is to be relayed by the router's own engine."""
    return any(way is MediaWay.RELAY for _, way in media_wishes(document))


def compile_relaying(document: Document, sources: Sources) -> RelayRules:
    """Return what holds for all calls; a relay that is wanted and switched off goes to the findings of `sources`."""
    falls_back = document.media.fallback == "direct"
    if document.media.enabled is False:
        becomes = "goes direct" if falls_back else "fails, unless it is an emergency call"
        for location, way in media_wishes(document):
            if way is MediaWay.RELAY:
                message = f"sound is to be relayed here, and there is no media engine: such a call {becomes}"
                suggestion = f"take media.enabled away ({sources.mark('media', 'enabled')}), or write media: direct"
                sources.findings.append(Finding(sources.mark(*location), message, suggestion, Severity.WARNING))
    return RelayRules(media_way(None, document), falls_back)


def media_wishes(document: Document) -> Iterator[tuple[Location, MediaWay]]:
    """Where a way is written, and which."""
    yield ("media", "default"), media_way(None, document)
    for name, trunk in document.trunks.items():
        if trunk.media is not None:
            yield ("trunks", name, "media"), media_way(trunk.media, document)
    for name, pbx in document.pbxs.items():
        if pbx.media is not None:
            yield ("pbxs", name, "media"), media_way(pbx.media, document)
    for person, section in document.people.items():
        for name, device in section.devices.items():
            if device.media is not None:
                yield ("people", person, "devices", name, "media"), media_way(device.media, document)
