"""Where each figure that is measured comes from: one line for each, here and in the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.observe.catalogue import Sources, declare
from router.observe.metrics import Metrics

if TYPE_CHECKING:
    from router.app.router import Router


def measured(router: Router) -> Metrics:
    """Return the metrics of a router; a scrape reads them where they are counted."""
    stack, exchange = router.stack, router.exchange
    metrics = Metrics()
    declare(
        metrics,
        Sources(
            requests=stack.requests,
            responses=stack.responses,
            retransmissions=stack.retransmissions,
            malformed=stack.malformed,
            transport=router.transports.messages,
            connections=router.transports.connections,
            authentication=router.gate.verdicts,
            dialogs=lambda: len(stack.dialogs),
            transactions=lambda: stack.transactions,
            calls=lambda: len(exchange.calls),
            registrations=lambda: router.registrar.size,
            private_phones=lambda: _private_phones(router),
            phones_unlisted=lambda: len(router.registrar.unlisted(router.configuration.phone_models)),
            setup_seconds=exchange.setup_seconds,
            decisions=exchange.decisions,
            decision_seconds=exchange.decision_seconds,
            trunks=lambda: {(name,): float(line.up) for name, line in router.trunks.lines.items()},
            records=router.records.counts,
            feed_ages=router.subscriptions.age_seconds,
            feeds_ok=router.subscriptions.ok,
            feed_failures=router.subscriptions.failures,
            messages=router.mailboxes.outcomes,
            recordings=exchange.recordings.results,
            kept_recordings=router.recordings.outcomes,
            emails=router.messages.delivery.outcomes,
            callbacks=exchange.callbacks.outcomes,
            callbacks_waiting=lambda: len(exchange.callbacks.everybody()),
            without_greeting=lambda: len(router.mailboxes.without_greeting()),
            media=router.sound.figures,
            relayed=exchange.relays.outcomes,
            queue_waiting=exchange.queues.waiting,
            queue_waits=lambda: {(name,): waits for name, waits in exchange.queues.waits.items()},
            queue_answered=exchange.queues.answered,
            queue_abandoned=exchange.queues.abandoned,
            queue_overflows=exchange.queues.overflows,
            queue_ended=exchange.queues.ended,
            queue_agents=exchange.queues.agents_by_state,
            rtpengines_up=lambda: router.sound.rtpengines.up,
            rtpengine_calls=lambda: router.sound.rtpengines.calls,
            rtpengine_commands=router.sound.rtpengines.commands,
            rtpengine_lost=router.sound.rtpengines.lost,
            configuration=lambda: {"hash": router.configuration.hash[:12]},
        ),
    )
    return metrics


def _private_phones(router: Router) -> tuple[float, int]:
    """The days of the private phone that is connected longest, and how many are connected for too long (D2)."""
    days = router.private_phones.days(router.clock())
    return max(days, default=0.0), sum(one > router.configuration.private_phone_days for one in days)
