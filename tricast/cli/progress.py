"""A bar on stderr for work that reads topics: what it does, how far it is, how fast, how long it takes yet."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console
from rich.text import Text

from tricast.progress import Progress

_INTERVAL_S = 0.1
"""Work tells of every record; drawing each would cost more than the work."""


class _Rate(bars.ProgressColumn):
    def render(self, task: bars.Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


class _Done(bars.ProgressColumn):
    def render(self, task: bars.Task) -> Text:
        return Text("" if not task.total else f"{int(task.completed):,} of {int(task.total):,}")


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Progress]:
    """Yield what draws the bar; it draws nothing when told to be quiet or when nobody looks."""
    console = Console(stderr=True)
    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        _Done(),
        _Rate(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        drawn = bar.add_task("", total=None)
        shown, last_s = "", 0.0

        def tell(phase: str, done: int, total: int) -> None:
            nonlocal shown, last_s
            now_s = time.monotonic()
            if phase != shown:
                bar.reset(drawn, description=phase, total=total or None, completed=done)
                shown, last_s = phase, now_s
            elif now_s - last_s >= _INTERVAL_S:
                bar.update(drawn, total=total or None, completed=done)
                last_s = now_s

        yield tell
