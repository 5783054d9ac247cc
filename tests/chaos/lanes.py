"""Strikes the product as planned, each lane in a thread of its own."""

import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Final

from tests.chaos.history import History
from tests.chaos.plan import Strike
from tests.chaos.product import Product

_APART_S: Final = 2.0
"""Between two strikes of a lane that is behind its plan."""
LATE_S: Final = 60.0
"""A lane that is behind its plan goes on for so long after the end; then what is left of it is dropped and counted."""


class Lanes:
    """All lanes of a plan.

    Args:
        strikes: The plan.
        product: What is struck.
        history: Told of every fault and its end.
        seed: Of what faults draw.
        seconds: Length of the run.
    """

    def __init__(
        self, strikes: Sequence[Strike], product: Product, history: History, *, seed: int, seconds: float
    ) -> None:
        self._product, self._history, self._seed = product, history, seed
        self.seconds = seconds
        self._began_s = 0.0
        self._lock = threading.Lock()
        lanes: dict[str, list[Strike]] = {}
        for strike in strikes:
            lanes.setdefault(strike.kind.lane, []).append(strike)
        self._threads = [
            threading.Thread(target=self._run, args=(of_lane,), name=lane, daemon=True)
            for lane, of_lane in lanes.items()
        ]
        self.under_way: dict[int, str] = {}
        self.struck: Counter[str] = Counter()
        self.dropped = 0
        self.failures: list[str] = []
        """What went wrong with faults themselves; a run with any proves nothing."""

    def start(self) -> None:
        """Begin now."""
        self._began_s = time.monotonic()
        for thread in self._threads:
            thread.start()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began_s

    @property
    def over(self) -> bool:
        """Whether the time is over and every fault healed."""
        return self.elapsed_s >= self.seconds and not any(thread.is_alive() for thread in self._threads)

    def _run(self, strikes: Sequence[Strike]) -> None:
        for place, strike in enumerate(strikes):
            self._wait(strike.at_s - self.elapsed_s)
            if self.elapsed_s > self.seconds + LATE_S:
                self._drop(len(strikes) - place)
                return
            try:
                self._strike(strike)
                self._wait(_APART_S)
            except Exception:  # the run goes on and says so; but what was struck may lie down still: no more here
                text = f"{strike.number} {strike.kind.name} {strike.target}: {traceback.format_exc()}"
                self.failures.append(text)
                self._history.add("failure", number=strike.number, text=text)
                self._drop(len(strikes) - place - 1)
                return
            finally:
                self.under_way.pop(strike.number, None)

    def _drop(self, count: int) -> None:
        with self._lock:
            self.dropped += count

    def _strike(self, strike: Strike) -> None:
        fault = strike.kind.make(strike.target)
        random = Random(f"{self._seed}/{strike.number}/{strike.kind.name}/{strike.target}")
        self.under_way[strike.number] = f"{fault.name} {strike.target}"
        about = {"number": strike.number, "kind": fault.name, "target": strike.target}
        began_ns = time.time_ns()
        try:
            parameters = fault.inject(self._product, random)
            self._history.add(
                "fault",
                **about,
                lane=strike.kind.lane,
                lasts_s=strike.lasts_s,
                began_ns=began_ns,
                parameters=parameters,
            )
            with self._lock:
                self.struck[f"{fault.name} {_role(strike.target)}"] += 1
            self._wait(strike.lasts_s)
        finally:
            fault.heal(self._product)
            self._history.add("healed", **about)

    @staticmethod
    def _wait(seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)


def _role(target: str) -> str:
    return target.partition(":")[0]
