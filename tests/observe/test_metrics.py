"""What Prometheus reads, parsed by Prometheus' own parser."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from router.model.tally import Counts, Histogram
from router.observe.metrics import Metrics


def scrape(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return the samples by name and sorted labels, as a scraper sees them."""
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_counter_follows_what_the_core_counts() -> None:
    metrics, requests = Metrics(), Counts()
    metrics.counter("sip_requests_total", "Requests.", ["method", "direction"], requests)
    requests["INVITE", "in"] += 1
    requests["INVITE", "in"] += 1
    requests["BYE", "out"] += 1
    samples = scrape(metrics)
    assert samples["sip_requests_total", (("direction", "in"), ("method", "INVITE"))] == 2
    assert samples["sip_requests_total", (("direction", "out"), ("method", "BYE"))] == 1


def test_a_counter_is_named_as_prometheus_wants_it() -> None:
    with pytest.raises(ValueError, match="sip_requests_total"):
        Metrics().counter("sip_requests", "Requests.", [], Counts())


def test_gauges_are_read_at_the_scrape() -> None:
    metrics = Metrics()
    dialogs: list[str] = []
    up = {("provider",): 1.0}
    metrics.gauge("sip_dialogs_active", "Dialogs.", lambda: len(dialogs))
    metrics.gauge_by("trunk_up", "Trunks.", ["trunk"], lambda: up)
    assert scrape(metrics)["sip_dialogs_active", ()] == 0

    dialogs.append("a dialog")
    up[("provider",)] = 0
    samples = scrape(metrics)
    assert samples["sip_dialogs_active", ()] == 1
    assert samples["trunk_up", (("trunk", "provider"),)] == 0


def test_a_histogram_is_cumulative_with_inclusive_bounds() -> None:
    metrics, setup = Metrics(), Histogram((0.5, 1.0, 180.0))
    metrics.histogram("sip_setup_seconds", "Set-up.", setup)
    for seconds in (0.1, 0.5, 0.7, 180.0, 400.0):
        setup.observe(seconds)
    samples = scrape(metrics)
    buckets = [samples["sip_setup_seconds_bucket", (("le", bound),)] for bound in ("0.5", "1.0", "180.0", "+Inf")]
    assert buckets == [2, 3, 4, 5]
    assert samples["sip_setup_seconds_count", ()] == 5
    assert samples["sip_setup_seconds_sum", ()] == pytest.approx(581.3)


def test_information_in_words_is_read_at_the_scrape() -> None:
    metrics, facts = Metrics(), {"hash": "aa"}
    metrics.information("renvoi_configuration", "The configuration in force.", lambda: facts)
    facts["hash"] = "bb"
    assert scrape(metrics)["renvoi_configuration_info", (("hash", "bb"),)] == 1


def test_the_process_is_measured_too() -> None:
    samples = scrape(Metrics())
    assert samples["process_resident_memory_bytes", ()] > 1_000_000
    assert ("python_gc_collections_total", (("generation", "2"),)) in samples


def test_a_name_is_declared_once() -> None:
    metrics = Metrics()
    metrics.gauge("sip_dialogs_active", "Dialogs.", lambda: 0)
    with pytest.raises(ValueError, match="sip_dialogs_active is declared twice"):
        metrics.gauge("sip_dialogs_active", "Dialogs.", lambda: 0)
