"""A process that may open no further file or socket."""

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import psutil

from tests.chaos.faults.cut import cut
from tests.chaos.faults.revival import broker_of, lift, revive

if TYPE_CHECKING:
    from tests.chaos.product import Product

_SPARE: Final = 0.3
_STANDARD: Final = 3


@dataclass(slots=True)
class Descriptors:
    """A connector or worker may open no further file or socket, or no more than it closes; all connections of that
    connector's vendor are cut.

    What must hold: it goes on with what it has open, or ends and is started again; healed, lines are back. Nothing is
    lost outside recorded gaps.
    """

    target: str
    name: str = "descriptors"
    pid: int | None = None

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        self.pid = product.pid(self.target)
        told: dict[str, Any] = {"pid": self.pid}
        if self.pid is not None:
            told["limit"] = limit(self.pid, spare=random.random() < _SPARE)
        if self.target.startswith("connector:"):
            told |= cut(product, self.target.removeprefix("connector:"), "cut")
        return told

    def heal(self, product: "Product") -> None:
        if self.pid is not None:
            lift(self.pid, psutil.RLIMIT_NOFILE)


@dataclass(slots=True)
class BrokerDescriptors:
    """A broker may open no further file or socket: no client gets in, and a segment that is to be begun fails.

    What must hold: as when it is killed, should its log directory fail with that; else as when it is slow.
    """

    target: str
    name: str = "descriptors"
    struck: int = 0

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        self.struck = broker_of(self.target, product)
        pid = product.kafka.pid(self.struck)
        assert pid is not None
        return {"broker": self.struck, "limit": limit(pid, spare=random.random() < _SPARE)}

    def heal(self, product: "Product") -> None:
        revive(product, self.struck, psutil.RLIMIT_NOFILE)


def limit(pid: int, *, spare: bool) -> int:
    """Let a process open nothing more, or with ``spare`` as many as it closes; return the limit.

    A new file or socket gets the lowest number that is free, which has to be below the limit. 0, 1 and 2 never are.
    """
    process = psutil.Process(pid)
    most = 1 + max(int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()) if spare else _STANDARD
    _, hard = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (most, hard))
    return most
