"""A broker that can write nothing any more."""

import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

import psutil

from tests.chaos.faults.revival import broker_of, revive

if TYPE_CHECKING:
    from tests.chaos.product import Product

_HALT_S: Final = 20.0
_LOOK_S: Final = 0.1


@dataclass(slots=True)
class BrokerDiskFull:
    """No write of a broker makes a file longer any more, as on a full disk.

    By a limit of file size on the live process (EFBIG where a full disk says ENOSPC: the broker does not tell them
    apart). Its only log directory fails with that and it halts; healed, there is room and it is started again.

    What must hold: as when it is killed, though the last it had written is torn.
    """

    target: str
    name: str = "broker-disk-full"
    struck: int = 0

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        self.struck = broker_of(self.target, product)
        process = psutil.Process(product.kafka.pid(self.struck))
        _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (1, hard))
        deadline = time.monotonic() + _HALT_S
        while (halts := product.kafka.pid(self.struck) is None) is False and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        return {"broker": self.struck, "halted": halts}

    def heal(self, product: "Product") -> None:
        revive(product, self.struck, psutil.RLIMIT_FSIZE)
