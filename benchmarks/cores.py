"""Which processor runs what: the worker has one core alone, the broker another; load and reader share what is left."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """Processor numbers; ``None`` where this machine cannot bind processes or has one core only."""

    broker: int | None
    worker: int | None
    load: int | None

    @property
    def broker_cpus(self) -> tuple[int, ...] | None:
        """As ``Cluster`` takes it."""
        return None if self.broker is None else (self.broker,)

    def __str__(self) -> str:
        if self.worker is None:
            return "not bound to cores (one core, or no support by the system)"
        return f"worker on core {self.worker}, broker on {self.broker}, load and reader on {self.load}"


def choose() -> Cores:
    """Return the cores to use; on two cores load and reader share the broker's, never the worker's."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(broker=None, worker=None, load=None)
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return Cores(broker=None, worker=None, load=None)
    broker, worker, *others = allowed
    return Cores(broker=broker, worker=worker, load=others[0] if others else broker)
