"""Prometheus metrics, read from plain numbers when somebody asks.

The rooms below count in `Counts` and `Histogram` objects (router/model/tally.py) and know nothing of Prometheus. Here
each of them gets a name and a help text; a scrape reads them as they stand. So a metric costs the hot path one
addition, and a scrape runs in the router's own loop, between two calls, where no number can change under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from router.model.tally import Counts, Histogram

Labels = TypeVar("Labels", bound=tuple[str, ...])


class Metrics(Collector):
    """Every metric of the router, by declaration.

    `registry` is what a web server exposes; it also holds the metrics of the process, the interpreter and the garbage
    collector, all of which cost nothing between scrapes.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._families: dict[str, Callable[[], Metric]] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.registry.register(self)

    def counter(self, name: str, description: str, labels: Sequence[str], counts: Counts) -> None:
        """Declare a counter.

        Args:
            name: ends in "_total".
            labels: names of the labels, in the order of the keys of `counts`.
            counts: what is read; its label values must come from a closed set, and never be a phone number.

        Raises:
            ValueError: the name does not end in "_total", or is taken.
        """
        if not name.endswith("_total"):
            raise ValueError(f"the counter {name} must be called {name}_total")

        def read() -> Metric:
            family = CounterMetricFamily(name, description, labels=labels)
            for values, count in counts.items():
                family.add_metric(values, count)
            return family

        self._declare(name, read)

    def gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Declare a gauge without labels; `read` gives its value. Raises `ValueError` when the name is taken."""
        self._declare(name, lambda: GaugeMetricFamily(name, description, value=read()))

    def gauge_by(
        self, name: str, description: str, labels: Sequence[str], read: Callable[[], Mapping[Labels, float]]
    ) -> None:
        """Declare a gauge with labels; `read` gives the values by label values.

        Raises `ValueError` when the name is taken.
        """

        def read_family() -> Metric:
            family = GaugeMetricFamily(name, description, labels=labels)
            for values, value in read().items():
                family.add_metric(values, value)
            return family

        self._declare(name, read_family)

    def histogram(self, name: str, description: str, histogram: Histogram) -> None:
        """Declare a histogram, in seconds. Raises `ValueError` when the name is taken."""
        bounds = [*map(floatToGoString, histogram.bounds), "+Inf"]

        def read() -> Metric:
            buckets = list(zip(bounds, accumulate(histogram.cells), strict=True))
            return HistogramMetricFamily(name, description, buckets=buckets, sum_value=histogram.total)

        self._declare(name, read)

    def histogram_by(
        self, name: str, description: str, labels: Sequence[str], read: Callable[[], Mapping[Labels, Histogram]]
    ) -> None:
        """Declare histograms with labels, in seconds; `read` gives them by label values. Raises `ValueError` when the
        name is taken."""

        def read_family() -> Metric:
            family = HistogramMetricFamily(name, description, labels=labels)
            for values, histogram in read().items():
                bounds = [*map(floatToGoString, histogram.bounds), "+Inf"]
                buckets = list(zip(bounds, accumulate(histogram.cells), strict=True))
                family.add_metric(values, buckets, histogram.total)
            return family

        self._declare(name, read_family)

    def information(self, name: str, description: str, read: Callable[[], Mapping[str, str]]) -> None:
        """Declare facts in words (a version, the hash of the configuration): labels of `name`_info, whose value is 1.

        Raises `ValueError` when the name is taken.
        """
        self._declare(name, lambda: InfoMetricFamily(name, description, value=dict(read())))

    def collect(self) -> Iterator[Metric]:
        """Read everything, in the order of declaration (called by the registry at each scrape)."""
        for read in self._families.values():
            yield read()

    def _declare(self, name: str, read: Callable[[], Metric]) -> None:
        if name in self._families:
            raise ValueError(f"the metric {name} is declared twice")
        self._families[name] = read
