"""Samples as Prometheus reads them. What is not in the registry cannot be exported."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from schemas.errors import ContractError
from schemas.histogram import Histogram
from schemas.metrics import METRICS, Metric, Part


class Sample(NamedTuple):
    """One number, or one distribution, of a metric.

    Attributes:
        name: As in the registry.
        labels: Values of its labels, in the registry's order.
        value: A number; of a histogram the histogram.
    """

    name: str
    labels: tuple[str, ...]
    value: float | Histogram


Source = Callable[[], Iterable[Sample]]
"""Tells all samples of a part of the process as of now."""


class Exporter(Collector):
    """All families of some parts, with the samples of some sources.

    A family without a sample is exported, too: whoever writes a rule sees that it exists.

    Args:
        parts: Whose families these are.
        sources: Asked at each scrape.
    """

    def __init__(self, parts: Iterable[Part], sources: Sequence[Source]) -> None:
        wanted = set(parts)
        self._metrics = {name: metric for name, metric in METRICS.items() if metric.part in wanted}
        self._sources = sources
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Return the page in Prometheus' text format.

        Raises:
            ContractError: A source told a sample that the registry does not know.
        """
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Family]:
        """Tell the registry of prometheus_client nothing: asking sources before the process runs says nothing."""
        yield from ()

    def collect(self) -> Iterator[Family]:
        """Return the families; called by prometheus_client at each scrape."""
        families = {name: _family(metric) for name, metric in self._metrics.items()}
        for source in self._sources:
            for sample in source():
                metric = self._checked(sample)
                _add(families[metric.name], metric, sample)
        yield from families.values()

    def _checked(self, sample: Sample) -> Metric:
        metric = self._metrics.get(sample.name)
        if metric is None:
            raise ContractError(f"{sample.name} is no metric of these parts: schemas/metrics is the closed list")
        if len(sample.labels) != len(metric.labels):
            raise ContractError(f"{sample.name} has the labels {metric.labels}, not {len(sample.labels)} of them")
        for label, value in zip(metric.labels, sample.labels, strict=True):
            if label in metric.values and value not in metric.values[label]:
                raise ContractError(f"{sample.name}: {label}={value!r} is none of {metric.values[label]}")
        return metric


def _family(metric: Metric) -> Family:
    makers = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
    family: Family = makers[metric.kind](metric.name.removesuffix("_total"), metric.meaning, labels=metric.labels)
    return family


def _add(family: Family, metric: Metric, sample: Sample) -> None:
    match family, sample.value:
        case HistogramMetricFamily(), Histogram() as histogram if histogram.bounds == metric.buckets:
            below, buckets = 0, []
            for bound, count in zip((*histogram.bounds, "+Inf"), histogram.counts, strict=True):
                below += count
                buckets.append((str(bound), below))
            family.add_metric(sample.labels, buckets, histogram.sum)
        case CounterMetricFamily() | GaugeMetricFamily(), float() | int() as value:
            family.add_metric(sample.labels, value)
        case _:
            raise ContractError(f"{sample.name} is a {metric.kind} with buckets {metric.buckets}, not {sample.value!r}")
