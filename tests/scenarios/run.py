"""One scenario from start to end: wait until all is well, strike, heal, wait until all is well again."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.scenarios.product import Product
from tests.scenarios.prometheus import interval_s, prometheus
from tests.scenarios.recording import query, recorded, recording_step_s, waits
from tests.scenarios.scenario import Scenario
from tests.scenarios.times import Row, is_well, rows, shown_besides, surprises
from tests.scenarios.witnesses import Moment, Witnesses, kept
from tricast.kafka import Cluster

_WARM_S: Final = 240.0
_STEADY_S: Final = 15.0
"""All is well for so long before anything begins."""
_CALM_S: Final = 30.0
"""What is recorded before the strike."""
_AFTER_S: Final = 30.0
"""How much longer than stated is waited for all to be well again."""
_LOOK_S: Final = 1.0


@dataclass(slots=True)
class Outcome:
    """How a scenario went.

    Attributes:
        rows: Who said what how soon.
        surprises: What nobody should have said.
        besides: Other codes that the page had, and for how many seconds: too few for their alerts.
        recording: Of what Prometheus scraped.
    """

    rows: list[Row] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    besides: dict[str, int] = field(default_factory=dict)
    recording: str = ""

    @property
    def holds(self) -> bool:
        """Whether all was said in time, and nothing else."""
        return not self.surprises and not any(row.is_late for row in self.rows)


class _Looking:
    """Looks once a second in a thread of its own: strikes may take long."""

    def __init__(self, scenario: Scenario, witnesses: Witnesses, keep: Callable[[Moment], None]) -> None:
        self._scenario = scenario
        self._witnesses = witnesses
        self._keep = keep
        self._over = threading.Event()
        self._threads = ThreadPoolExecutor(1)
        self._running: Future[None] | None = None
        self.moments: list[Moment] = []

    def __enter__(self) -> "_Looking":
        self._running = self._threads.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._threads.shutdown()
        if self._running is not None:
            self._running.result()

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._over.wait(max(0.0, due_s - time.monotonic())):
            due_s = max(due_s + _LOOK_S, time.monotonic())
            moment = self._witnesses.look()
            self._keep(moment)
            self.moments.append(moment)

    def await_well(self, steady_s: float, timeout_s: float) -> bool:
        """Wait until all has been well for so long; return whether it came to that."""
        deadline = time.time() + timeout_s
        while time.time() < deadline and self._running is not None and not self._running.done():
            time.sleep(_LOOK_S)
            unwell_s = [moment.at_s for moment in self.moments if not is_well(self._scenario, moment)]
            since_s = max(unwell_s, default=self.moments[0].at_s if self.moments else time.time())
            if time.time() - since_s > steady_s:
                return True
        return False


def run(scenario: Scenario, kafka: Cluster, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run a scenario on brokers that run.

    Args:
        folder: For all that is written.
        say: Told how far it is.

    Raises:
        TimeoutError: All is never well at the start.
    """
    with (
        Product(folder, kafka, scenario) as product,
        prometheus(folder / "prometheus", product.observed) as scraping,
        Witnesses(product, scraping, scenario.part).listening() as witnesses,
        _Looking(scenario, witnesses, kept(folder / "moments.jsonl")) as looking,
    ):
        say("waiting until all is well")
        if not looking.await_well(_STEADY_S, _WARM_S):
            raise TimeoutError(f"not well after {_WARM_S:.0f} s; the last moment was {looking.moments[-1]}")
        begin_s = time.time()
        time.sleep(_CALM_S)
        struck_s = time.time()
        say(f"striking for {scenario.struck_s:.0f} s")
        scenario.strike(product)
        time.sleep(max(0.0, struck_s + scenario.struck_s - time.time()))
        healed_s = time.time()
        say("healing")
        scenario.heal(product)
        looking.await_well(_STEADY_S, scenario.well_s + _AFTER_S)
        step_s, end_s = interval_s(), time.time()
        recorded_s = recording_step_s(end_s - begin_s, step_s)
        series = scraping.series(query(), begin_s, end_s, recorded_s)
        moments = [moment for moment in looking.moments if moment.at_s >= begin_s]
    found = rows(scenario, moments, struck_s=struck_s, healed_s=healed_s, held=waits(), step_s=step_s)
    return Outcome(
        rows=list(found),
        surprises=surprises(scenario, moments, struck_s),
        besides=shown_besides(scenario, moments),
        recording=recorded(scenario, series, begin_s=begin_s, struck_s=struck_s, step_s=recorded_s),
    )
