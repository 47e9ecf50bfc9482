"""The metrics that dashboards and alerts are built on."""

from __future__ import annotations

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from router import __version__
from router.media.figures import Figures
from router.model.sound import NOTHING_PASSED, StreamStatistics
from router.model.tally import Counts, Histogram
from router.observe.catalogue import DECISION_BOUNDS, SETUP_BOUNDS, Sources, declare
from router.observe.metrics import Metrics


def test_every_promised_metric_is_there_with_its_labels() -> None:
    setup, decision = Histogram(SETUP_BOUNDS), Histogram(DECISION_BOUNDS)
    setup.observe(0.0015)
    decision.observe(0.000012)
    media = Figures()
    media.streams = 3
    media.passed(NOTHING_PASSED, StreamStatistics(100, 90, 2, 0, 0, 0.004))
    media.keys[("event",)] += 1
    media.jitter.observe(0.004)
    media.ports = {("used",): 3.0}
    metrics = Metrics()
    declare(
        metrics,
        Sources(
            requests=Counts({("INVITE", "in"): 1}),
            responses=Counts({("INVITE", "200", "out"): 2}),
            retransmissions=Counts({("INVITE", "in"): 3}),
            malformed=Counts({("dropped",): 4}),
            transport=Counts({("udp", "received"): 5}),
            connections=Counts({("tcp", "closed", "idle"): 2}),
            authentication=Counts({("refused",): 1}),
            dialogs=lambda: 6,
            transactions=lambda: 7,
            calls=lambda: 8,
            registrations=lambda: 9,
            private_phones=lambda: (120.5, 2),
            phones_unlisted=lambda: 3,
            setup_seconds=setup,
            decisions=Counts({("ring", "F1"): 10}),
            decision_seconds=decision,
            trunks=lambda: {("provider",): 1},
            records=Counts({("written",): 11}),
            configuration=lambda: {"hash": "c0ffee"},
            media=media,
        ),
    )
    lines = generate_latest(metrics.registry).decode().splitlines()
    for expected in (
        'sip_requests_total{direction="in",method="INVITE"} 1.0',
        'sip_responses_total{code="200",direction="out",method="INVITE"} 2.0',
        'sip_retransmissions_total{direction="in",method="INVITE"} 3.0',
        'sip_malformed_total{reason="dropped"} 4.0',
        'sip_transport_events_total{event="received",transport="udp"} 5.0',
        'sip_connections_total{event="closed",reason="idle",transport="tcp"} 2.0',
        'sip_authentication_total{verdict="refused"} 1.0',
        "sip_dialogs_active 6.0",
        "sip_transactions_active 7.0",
        "sip_calls_active 8.0",
        "sip_registrations_active 9.0",
        "private_phone_oldest_days 120.5",
        "private_phones_overdue 2.0",
        "phones_unlisted 3.0",
        'policy_decisions_total{action="ring",rule="F1"} 10.0',
        'trunk_up{trunk="provider"} 1.0',
        'call_records_total{outcome="written"} 11.0',
        "media_streams 3.0",
        'media_packets_total{what="sent"} 100.0',
        'media_packets_total{what="lost"} 2.0',
        'media_keys_total{way="event"} 1.0',
        'media_jitter_seconds_bucket{le="0.005"} 1.0',
        'media_port_pairs{state="used"} 3.0',
        "media_skipped_ticks_total 0.0",
        "media_engine_deaths_total 0.0",
        'sip_setup_seconds_bucket{le="0.001"} 0.0',
        'sip_setup_seconds_bucket{le="0.002"} 1.0',
        'policy_decision_seconds_bucket{le="1e-05"} 0.0',
        'policy_decision_seconds_bucket{le="2e-05"} 1.0',
        f'renvoi_build_info{{version="{__version__}"}} 1.0',
        'renvoi_configuration_info{hash="c0ffee"} 1.0',
    ):
        assert expected in lines
    families = list(text_string_to_metric_families("\n".join(lines) + "\n"))
    assert all(family.documentation for family in families)
