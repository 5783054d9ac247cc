"""What all workloads of one benchmark share: a broker, the cores, how much to do, and somebody to tell."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.cores import Cores


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much a benchmark does.

    Attributes:
        rounds: Interleaved ones.
        frames: Measured frames of one run; a workload may take a share of them, or several times as many.
        latency_s: How long latency is measured at one rate, seconds.
    """

    rounds: int
    frames: int
    latency_s: float


QUICK = Scale(rounds=1, frames=10_000, latency_s=5.0)
USUAL = Scale(rounds=2, frames=25_000, latency_s=10.0)
FULL = Scale(rounds=5, frames=25_000, latency_s=15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Of one benchmark.

    Attributes:
        bootstrap: Address of the one broker.
        cores: Which processor runs what.
        scale: How much to do.
        tell: Takes a line on what is done now.
    """

    bootstrap: str
    cores: Cores
    scale: Scale
    tell: Callable[[str], None]
