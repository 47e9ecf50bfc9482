"""Loads a configuration directory: read, validate, compile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from router.configuration.compile import compile_policy
from router.configuration.configuration import Configuration, RegistrarBounds
from router.configuration.findings import ConfigurationError, Finding, closest, has_errors
from router.configuration.peers import (
    check_peer_sources,
    compile_accounts,
    compile_listeners,
    compile_pbxs,
    compile_trunks,
)
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.configuration.validation import validate
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
    document = validate(sources) if sources.tree or not sources.findings else None
    zone = _zone(document, sources) if document is not None else None
    if document is None or zone is None or has_errors(sources.findings):
        raise ConfigurationError(sources.findings)
    listeners = compile_listeners(document, sources)
    trunks = compile_trunks(document, sources)
    pbxs = compile_pbxs(document)
    check_peer_sources(trunks, pbxs, sources)
    accounts = compile_accounts(document, sources, zone)
    policy = compile_policy(document, sources, zone)
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
    )
    return Loaded(configuration, document, sources)


def _zone(document: Document, sources: Sources) -> ZoneInfo | None:
    company = document.company
    if company.country not in PLANS or company.country not in PACKS:
        known = set(PLANS) & set(PACKS)
        mark = sources.mark("company", "country")
        sources.findings.append(
            Finding(mark, f"the country {company.country!r} is not known", "write one of: " + ", ".join(sorted(known)))
        )
    try:
        return ZoneInfo(company.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        mark = sources.mark("company", "time_zone")
        suggestion = closest(company.time_zone, available_timezones())
        sources.findings.append(Finding(mark, f"there is no time zone {company.time_zone!r}", suggestion))
        return None
