"""What one metric is: its name, its labels, its unit, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
Part = Literal["process", "connector", "worker", "monitor"]
"""Who exports it: every process, a connector, a worker, or the monitor."""

LATENCY_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Bounds of latencies: from what a quiet machine needs to what a spool keeps through an outage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One family of Prometheus.

    Attributes:
        name: ``tricast_<part>_<what>_<unit>``, of a counter with ``_total`` at its end.
        part: Who exports it.
        kind: Prometheus' type.
        labels: Names of its labels, in order.
        unit: What its numbers count: base units (``seconds``, ``bytes``) or things.
        meaning: For people, a sentence or two.
        buckets: Of a histogram: upper bounds, in ``unit``.
        values: Of labels whose values are a closed set: all of them. Each is exported from the start, as 0.
    """

    name: str
    part: Part
    kind: Kind
    labels: tuple[str, ...] = ()
    unit: str
    meaning: str
    buckets: tuple[float, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
