"""The view of ``tricast up`` in a small terminal: sums instead of tables, as what does not fit would be cut off."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from tricast.stack import live
from tricast.stack.live import View
from tricast.stack.supervisor import describe_exit

TALL: Final = 56
"""Lines that all tables need in a wide terminal."""
MOST_LINES: Final = 3
_HEADED: Final = 4
"""Lines of a table beside its rows."""


class Fitting:
    """All tables where the terminal has room for them, else the same in few lines."""

    def __init__(self, view: View) -> None:
        self._view = view

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield one of the two."""
        height = console.size.height
        has_room = options.max_width >= live.WIDE and height >= TALL
        yield live.render(self._view) if has_room else few(self._view, height)


def few(view: View, height: int) -> RenderableType:
    """Return the view in at most ``height`` lines, for terminals of 24 lines and more."""
    common: list[RenderableType] = [
        Text(view.title, style="bold", no_wrap=True, overflow="ellipsis"),
        live.verdict(view),
        _processes(view),
    ]
    sums = _sums(view)
    used = len(common) + _HEADED + sums.row_count
    common.append(sums)
    shaken = sum(line.state != "live" for line in view.picture.lines)
    if shaken:
        shown = min(shaken, MOST_LINES)
        common.append(live.lines(view, shown))
        used += _HEADED + shown + (len(view.picture.lines) > shown)
    newest = _newest(view)
    room = height - 1 - used - len(newest)
    tables = next((count for count in range(len(newest), 0, -1) if room // count > _HEADED), 0)
    for number, (said, table) in enumerate(newest):
        common.append(Text(said, no_wrap=True, overflow="ellipsis"))
        if number < tables:
            common.append(table(room // tables - _HEADED))
    return Group(*common)


def _processes(view: View) -> Text:
    """Return how many run, and by name those that do not or have been started again."""
    others = [
        f"{child.spec.name} {child.state if child.state != 'ended' else describe_exit(child.exit_code)}"
        for child in view.children
        if child.state != "running"
    ]
    again = [f"{child.spec.name} started {child.starts} times" for child in view.children if child.starts > 1]
    running = len(view.children) - len(others)
    text = Text(f"{running} of {len(view.children)} processes run", no_wrap=True, overflow="ellipsis")
    for said, style in ((others, "red"), (again, "yellow")):
        if said:
            text.append("; ").append(", ".join(said), style=style)
    return text


def _sums(view: View) -> Table:
    table = live.headed("Feed", "In/s", "Out/s", "Lag", "Dead", "Lines")
    for feed, group in groupby(view.topics, key=lambda name: name.rpartition(".")[0]):
        names = list(group)
        topics = [topic for name in names if (topic := view.topic(name)) is not None]
        rates = {kind: sum(topic.rate for topic in topics if topic.kind == kind) for kind in ("raw", "normalized")}
        dead = sum(topic.end for topic in topics if topic.kind == "dead-letters")
        lags = [lag for name in names if (lag := view.lag_of(name)) is not None]
        states = [line.state for line in view.picture.lines if line.feed == feed.rpartition(".")[2]]
        lines = f"{states.count('live')} of {len(states)}" if states else ""
        table.add_row(
            feed,
            f"{rates['raw']:,.1f}",
            f"{rates['normalized']:,.1f}",
            f"{max(lags):,}" if lags else "",
            f"{dead:,}",
            lines,
        )
    return table


def _newest(view: View) -> Sequence[tuple[str, Callable[[int], Table]]]:
    """Return for each feed what is said of it, and how its newest are shown."""
    found: list[tuple[str, Callable[[int], Table]]] = []
    kambi, fastpath, rms = view.kambi, view.fastpath, view.rms
    if kambi is not None:
        found.append((live.event_states(view), lambda most: live.changes(kambi, most)))
    if fastpath is not None:
        found.append((live.feed_states(view, fastpath), lambda most: live.actions(fastpath, most)))
    if rms is not None:
        found.append((live.decided(rms), lambda most: live.decisions(rms, most)))
    return found
