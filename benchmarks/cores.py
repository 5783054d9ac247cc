"""Which processor runs what: the worker has one core alone, the broker another; load and reader share what is left."""

import os
import time
from dataclasses import dataclass

import psutil


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


class CoreUse:
    """How much of a processor is in use from now on, whoever uses it."""

    def __init__(self, core: int | None) -> None:
        self._core = core
        self._began_s = time.monotonic()
        self._idle_s = self._idle_so_far_s()

    def share(self) -> float | None:
        """Return the share of the time since then in which it was neither idle nor waiting for a disk."""
        if self._core is None:
            return None
        return 1 - (self._idle_so_far_s() - self._idle_s) / (time.monotonic() - self._began_s)

    def _idle_so_far_s(self) -> float:
        if self._core is None:
            return 0.0
        times = psutil.cpu_times(percpu=True)[self._core]
        return float(times.idle + getattr(times, "iowait", 0.0))  # iowait: Linux only
