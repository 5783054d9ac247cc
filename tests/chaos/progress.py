"""What a run shows while it runs: a line that is written over on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tests.chaos.lanes import Lanes

_LINE_EVERY_S: Final = 10.0
_RATE_OVER_S: Final = 5.0


class Screen:
    """Where progress is told; ``with`` opens it.

    Args:
        console: Terminal or file.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=None)
        self._line_s = 0.0
        self._before: tuple[float, Mapping[str, int]] = (0.0, {})
        self._rates = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """Tell what begins."""
        self._bar.update(self._task, description=text, total=None)
        self.console.print(text, highlight=False, soft_wrap=True)

    def show(self, lanes: Lanes, sample: Mapping[str, Any]) -> None:
        """Tell what is under way: faults, how many there were, raw records a second by feed."""
        now_s = time.monotonic()
        if sample and now_s - self._before[0] >= _RATE_OVER_S:
            self._rates, self._before = self._rate(now_s, sample["high"]), (now_s, sample["high"])
        faults = ", ".join(lanes.under_way.values()) or "no fault"
        text = f"{lanes.struck.total()} strikes | {faults} | {self._rates}"
        self._bar.update(
            self._task, description=text, total=lanes.seconds, completed=min(lanes.elapsed_s, lanes.seconds)
        )
        if not self.console.is_terminal and now_s - self._line_s >= _LINE_EVERY_S:
            self._line_s = now_s
            self.console.print(
                f"{lanes.elapsed_s:4.0f}/{lanes.seconds:.0f} s | {text}", highlight=False, soft_wrap=True
            )

    def _rate(self, now_s: float, high: Mapping[str, int]) -> str:
        since_s, before = self._before
        rates: dict[str, float] = {}
        for place, offset in high.items():
            topic = place.rpartition("/")[0]
            if topic.endswith(".raw") and place in before and "changelog" not in topic:
                feed = topic.split(".")[-2]
                rates[feed] = rates.get(feed, 0.0) + (offset - before[place]) / (now_s - since_s)
        return " ".join(f"{feed} {rate:.0f}/s" for feed, rate in rates.items())
