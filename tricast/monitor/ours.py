"""The monitor of this installation: its topics, its processors, its Kafka."""

from collections.abc import Iterable

from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from tricast.monitor.chart import Processor
from tricast.monitor.verdict import Limits
from tricast.monitor.watch import Monitor
from tricast.processors import PROCESSORS, STATES
from tricast.settings import Settings


def monitor_of(
    kafka: KafkaSettings, prefix: str, *, processors: Iterable[str] = tuple(PROCESSORS), limits: Limits | None = None
) -> Monitor:
    """Return a monitor, not entered yet.

    Args:
        kafka: How to reach it.
        prefix: Topic prefix.
        processors: Names of those that should run.
        limits: What is still healthy.
    """
    return Monitor(
        kafka,
        prefix=prefix,
        registry=tuple(TOPICS),
        processors=[_processor(name, prefix) for name in processors],
        limits=limits,
    )


def _processor(name: str, prefix: str) -> Processor:
    processor = PROCESSORS[name](Settings())
    return Processor(
        group=prefix + name,
        sources=[prefix + topic for topic in processor.sources],
        outputs=[prefix + topic for topic in processor.outputs],
        optional=name in STATES,
    )
