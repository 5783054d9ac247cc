"""A broker that gets a quarter of its processor, in slices."""

import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.chaos.product import Product


_CYCLE_S: Final = 0.2
_STOPPED_S: Final = (0.1, 0.15, 0.18)
_STOP_S: Final = 30.0


@dataclass(slots=True)
class SlowBroker:
    """A broker stands still for most of every 200 ms, as one does whose machine is overloaded.

    What must hold: nothing; that is, all is as with a broker that is well, only later. Its session with the controller
    lasts, so leaders stay where they are and every request that needs it takes its time.
    """

    target: str
    name: str = "slow-broker"
    quit: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        pid, stopped_s = product.pid(self.target), random.choice(_STOPPED_S)
        if pid is not None:
            self.thread = threading.Thread(target=self._slow, args=(pid, stopped_s), name=self.name, daemon=True)
            self.thread.start()
        return {"pid": pid, "stopped_ms_of_200": round(stopped_s * 1000)}

    def heal(self, product: "Product") -> None:
        self.quit.set()
        if self.thread is not None:
            self.thread.join(_STOP_S)

    def _slow(self, pid: int, stopped_s: float) -> None:
        with suppress(ProcessLookupError):
            try:
                while not self.quit.wait(_CYCLE_S - stopped_s):
                    os.kill(pid, signal.SIGSTOP)
                    self.quit.wait(stopped_s)
                    os.kill(pid, signal.SIGCONT)
            finally:
                os.kill(pid, signal.SIGCONT)
