"""Loads a configuration directory: read, validate, compile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from router.configuration.compile import compile_policy
from router.configuration.configuration import Configuration, RegistrarBounds
from router.configuration.feeds import compile_feeds
from router.configuration.findings import ConfigurationError, closest, has_errors
from router.configuration.mailboxes import compile_mailboxes
from router.configuration.media import compile_media, own_recordings
from router.configuration.media_ways import compile_relaying
from router.configuration.peers import (
    check_peer_sources,
    compile_accounts,
    compile_listeners,
    compile_pbxs,
    compile_trunks,
)
from router.configuration.queues import compile_queues
from router.configuration.rtpengine import compile_rtpengine
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.configuration.texts import pack
from router.configuration.tokens import compile_tokens
from router.configuration.validation import validate
from router.model.callback import CallbackRules
from router.policy.dialling import PLANS
from router.policy.emergency import PACKS
from router.policy.snapshot import frozen_mapping


def load(directory: Path) -> Configuration:
    """Load the configuration in `directory` (all its .yaml files).

    Returns:
        The compiled configuration. Nothing in it changes any more.

    Raises:
        ConfigurationError: it cannot be used; `findings` lists everything that is wrong, with file and line.
    """
    return load_with_sources(directory).configuration


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration together with what it was made from, for whoever wants to say where something is written."""

    configuration: Configuration
    document: Document
    sources: Sources


def load_with_sources(directory: Path) -> Loaded:
    """Load as `load` does, and keep the sources. Raises `ConfigurationError`."""
    sources = Sources(directory)
    document = _in_known_country(validate(sources), sources)
    zone = _zone(document, sources)
    listeners = compile_listeners(document, sources)
    trunks = compile_trunks(document, sources)
    pbxs = compile_pbxs(document, sources)
    check_peer_sources(trunks, pbxs, sources)
    accounts = compile_accounts(document, sources, zone)
    api_tokens = compile_tokens(document, sources, zone)
    policy = compile_policy(document, sources, zone)
    feeds = compile_feeds(document, sources)
    media = compile_media(document, sources)
    relaying = compile_relaying(document, sources)
    rtpengine = compile_rtpengine(document, sources)
    recordings = own_recordings(document, sources)
    mailboxes = compile_mailboxes(document, sources)
    queues = compile_queues(document, sources)
    if policy is None or has_errors(sources.findings):
        raise ConfigurationError(sources.findings)
    storage = document.storage
    data_directory = Path(storage.directory)
    bounds = document.sip.registrar
    configuration = Configuration(
        directory=directory,
        company_name=document.company.name,
        policy=policy,
        listeners=listeners,
        realm=document.sip.realm,
        digest_algorithms=tuple(algorithm.upper() for algorithm in document.sip.digest),
        user_agent=document.sip.user_agent,
        http_host=document.http.listen.host,
        http_port=document.http.listen.port or 8080,
        trunks=trunks,
        pbxs=pbxs,
        accounts=frozen_mapping(accounts),
        data_directory=data_directory,
        record_path=Path(storage.records) if storage.records else data_directory / "calls.jsonl",
        registrar=RegistrarBounds(int(bounds.min_expires), int(bounds.max_expires), int(bounds.default_expires)),
        hash=sources.hash,
        warnings=tuple(sources.findings),
        api_tokens=api_tokens,
        feeds=feeds,
        media=media,
        relaying=relaying,
        rtpengine=rtpengine,
        languages=tuple(document.company.languages),
        country=document.company.country,
        recordings=recordings,
        texts=pack(sources.texts),
        phone_models=tuple(document.inventory.phones),
        private_phone_days=document.inventory.private_phone_days,
        mailboxes=frozen_mapping(mailboxes.boxes),
        voicemail=mailboxes.rules,
        mail=mailboxes.server,
        queues=frozen_mapping(queues.services),
        agents=queues.agents,
        callbacks=CallbackRules(
            document.callbacks.tries, document.callbacks.every, document.callbacks.keep_days * 86400.0
        ),
    )
    return Loaded(configuration, document, sources)


def _in_known_country(document: Document, sources: Sources) -> Document:
    """Return the document; where nothing is known of its country, a finding tells so and any other stands in."""
    country = document.company.country
    known = sorted(set(PLANS) & set(PACKS))
    if country in known:
        return document
    if not sources.gaps.covers("company", "country"):
        suggestion = "write one of: " + ", ".join(known)
        sources.error(sources.mark("company", "country"), f"the country {country!r} is not known", suggestion)
        sources.gaps.add("company", "country")
    return document.model_copy(update={"company": document.company.model_copy(update={"country": known[0]})})


def _zone(document: Document, sources: Sources) -> ZoneInfo:
    name = document.company.time_zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a directory of the database, such as "Europe", is an OSError
        if not sources.gaps.covers("company", "time_zone"):
            mark = sources.mark("company", "time_zone")
            sources.error(mark, f"there is no time zone {name!r}", closest(name, available_timezones()))
        return ZoneInfo("UTC")
