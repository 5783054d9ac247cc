"""The closed registry of all metrics: what is not here cannot be exported; ``docs/metrics.md`` is made of it."""

from types import MappingProxyType

from schemas.metrics import connector, monitor, process, worker
from schemas.metrics.metric import Kind, Metric, Part

__all__ = ["METRICS", "Kind", "Metric", "Part"]

METRICS: MappingProxyType[str, Metric] = MappingProxyType(
    {metric.name: metric for metric in (*process.METRICS, *connector.METRICS, *worker.METRICS, *monitor.METRICS)}
)
"""Every metric by its name."""
