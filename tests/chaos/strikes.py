"""The faults of processes and brokers: killed, ended, stopped, restarted in turn, made more and fewer."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.chaos.fault import Kind
from tests.chaos.product import VENDORS, WORKERS, Product
from tricast.kafka import Cluster

IN_SYNC_S: Final = 180.0
_GRACE_S: Final = 40.0
_STEP_S: Final = 6.0
"""Between two changes of the number of workers: a rebalance, and some records."""
_STEPS: Final = (1, 4, 2, 3)


@dataclass(slots=True)
class Kill:
    """SIGKILL of a process."""

    target: str
    name: str = "kill"

    def inject(self, product: Product, random: Random) -> dict[str, Any]:
        product.processes.await_life(self.target, _GRACE_S)
        pid, _ = product.processes.end(self.target, signal.SIGKILL, _GRACE_S)
        return {"pid": pid}

    def heal(self, product: Product) -> None:
        """The supervisor's work."""


@dataclass(slots=True)
class Term:
    """SIGTERM of a process, which is to end by itself; one that does not within its grace is killed."""

    target: str
    name: str = "term"

    def inject(self, product: Product, random: Random) -> dict[str, Any]:
        product.processes.await_life(self.target, _GRACE_S)
        pid, code = product.processes.end(self.target, signal.SIGTERM, _GRACE_S)
        if pid is not None and code is None:
            product.processes.end(self.target, signal.SIGKILL, _GRACE_S)
        return {"pid": pid, "exit_code": code}

    def heal(self, product: Product) -> None:
        """The supervisor's work."""


@dataclass(slots=True)
class Stop:
    """SIGSTOP of a process: its connections stay open, its threads stand still."""

    target: str
    name: str = "stop"

    def inject(self, product: Product, random: Random) -> dict[str, Any]:
        product.processes.await_life(self.target, _GRACE_S)
        return {"pid": product.processes.signal(self.target, signal.SIGSTOP)}

    def heal(self, product: Product) -> None:
        product.processes.signal(self.target, signal.SIGCONT)


@dataclass(slots=True)
class BrokerAway:
    """One broker is taken away; healed when it serves again and every replica is in sync."""

    target: str
    name: str
    take: Callable[[Cluster, int], None]
    give_back: Callable[[Cluster, int], None]
    struck: int = 0

    def inject(self, product: Product, random: Random) -> dict[str, Any]:
        is_controller = self.target == "controller"
        self.struck = product.controller() if is_controller else int(self.target.removeprefix("broker:"))
        self.take(product.kafka, self.struck)
        return {"broker": self.struck}

    def heal(self, product: Product) -> None:
        self.give_back(product.kafka, self.struck)
        product.kafka.await_in_sync(IN_SYNC_S)


def kill_broker(target: str) -> BrokerAway:
    """SIGKILL of one broker."""
    return BrokerAway(target, "kill", Cluster.kill_broker, Cluster.start_broker)


def stop_broker(target: str) -> BrokerAway:
    """SIGSTOP of one broker."""
    return BrokerAway(target, "stop", Cluster.pause_broker, Cluster.resume_broker)


@dataclass(slots=True)
class KillBrokers:
    """SIGKILL of all brokers at once."""

    target: str
    name: str = "kill-all"

    def inject(self, product: Product, random: Random) -> dict[str, Any]:
        for broker in product.kafka.brokers:
            product.kafka.kill_broker(broker)
        return {}

    def heal(self, product: Product) -> None:
        product.kafka.start()
        product.kafka.await_in_sync(IN_SYNC_S)


@dataclass(slots=True)
class RollBrokers:
    """Every broker ended in order and started again, one after the other, as for an upgrade."""

    target: str
    name: str = "roll"
    order: list[int] = field(default_factory=list)

    def inject(self, product: Product, random: Random) -> dict[str, Any]:
        self.order = random.sample(product.kafka.brokers, len(product.kafka.brokers))
        for broker in self.order:
            product.kafka.stop_broker(broker)
            product.kafka.start_broker(broker)
            product.kafka.await_in_sync(IN_SYNC_S)
        return {"order": self.order}

    def heal(self, product: Product) -> None:
        """All of them serve again."""


@dataclass(slots=True)
class Scale:
    """The workers of one processor become 1, 4, 2, 3; then as many as before."""

    target: str
    name: str = "scale"
    processor: str = ""
    before: int = 0

    def inject(self, product: Product, random: Random) -> dict[str, Any]:
        self.processor = self.target.removeprefix("workers:")
        self.before = len(product.workers(self.processor))
        for count in _STEPS:
            product.scale(self.processor, count)
            time.sleep(_STEP_S)
        return {"workers": list(_STEPS)}

    def heal(self, product: Product) -> None:
        product.scale(self.processor, self.before)


_WORKERS: Final = tuple(f"worker:{name}:{number + 1}" for name, count in WORKERS.items() for number in range(count))
_CONNECTORS: Final = tuple(f"connector:{feed}" for feed in VENDORS)
_BROKERS: Final = tuple(f"broker:{number}" for number in (1, 2, 3))
_STOPS_S: Final = (3.0, 8.0, 14.0)
"""Below the session time-out, between it and the transaction time-out, above both."""

KINDS: Final = (
    Kind(name="kill", make=Kill, targets=_WORKERS, lane="workers", per_seed=22),
    Kind(name="term", make=Term, targets=_WORKERS, lane="workers", per_seed=3),
    Kind(name="stop", make=Stop, targets=_WORKERS, lane="workers", lasts_s=_STOPS_S, per_seed=3),
    Kind(name="scale", make=Scale, targets=("workers:kambi", "workers:fastpath.audit"), lane="workers", per_seed=2),
    Kind(name="kill", make=Kill, targets=_CONNECTORS, lane="connectors", per_seed=22),
    Kind(name="term", make=Term, targets=_CONNECTORS, lane="connectors", per_seed=3),
    Kind(name="stop", make=Stop, targets=_CONNECTORS, lane="connectors", lasts_s=_STOPS_S, per_seed=3),
    Kind(name="kill", make=kill_broker, targets=_BROKERS, lane="brokers", lasts_s=(4.0, 8.0), per_seed=7),
    Kind(name="kill", make=kill_broker, targets=("controller",), lane="brokers", lasts_s=(4.0,), per_seed=2),
    Kind(name="stop", make=stop_broker, targets=_BROKERS, lane="brokers", lasts_s=_STOPS_S, per_seed=1),
    Kind(name="stop", make=stop_broker, targets=("controller",), lane="brokers", lasts_s=(8.0, 14.0), per_seed=1),
    Kind(name="kill-all", make=KillBrokers, targets=("brokers",), lane="brokers", lasts_s=(5.0,)),
    Kind(name="roll", make=RollBrokers, targets=("brokers",), lane="brokers"),
)
