"""What ``tricast up`` shows: one renderable, made anew from values each time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tricast.stack.broker_view import Sample, rate
from tricast.stack.follower import OddsChange, is_to_come
from tricast.stack.supervisor import Supervised, describe_exit

_STATE_STYLE = {
    "live": "green",
    "suspect": "yellow",
    "gapped": "yellow",
    "stale": "yellow",
    "down": "red",
    "running": "green",
    "waiting": "red",
}
SHOWN_LINES = 10
"""Lines in the table, those that are not live first; a large offering has many and all live ones look the same."""

_WIDE = frozenset({"Topic", "Event", "Line", "Odds changed (UTC)", "Process"})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that is shown.

    Attributes:
        title: One line about the stack.
        children: Processes.
        topics: Physical names, in showing order.
        before: Sample to measure rates from; ``None`` at first.
        now: Newest sample.
        lines: Newest health value of each connector line.
        events: Newest health value of each event.
        changes: Last odds changes, newest first.
    """

    title: str
    children: Sequence[Supervised]
    topics: Sequence[str]
    before: Sample | None
    now: Sample | None
    lines: Mapping[str, Mapping[str, Any]]
    events: Mapping[int, Mapping[str, Any]]
    changes: Sequence[OddsChange]

    def lag_of(self, topic: str) -> int | None:
        """Return how far the groups that read ``topic`` are behind, the worst of them."""
        if self.now is None:
            return None
        lags = [lag for sources in self.now.lag.values() if (lag := sources.get(topic)) is not None]
        return max(lags, default=None)

    def rate_of(self, topic: str) -> float:
        """Return records per second."""
        return rate(self.before, self.now, topic) if self.before is not None and self.now is not None else 0.0


def render(view: View) -> RenderableType:
    """Return the live view."""
    return Group(
        Text(view.title, style="bold"), _children(view), _topics(view), _lines(view), _events(view), _changes(view)
    )


def plain(view: View) -> str:
    """Return one line for logs."""
    topics = (
        (f"{_short(topic)} {view.now.total(topic)} ({view.rate_of(topic):.0f}/s)" for topic in view.topics)
        if (view.now is not None)
        else ()
    )
    states = (str(value.get("state")) for value in view.lines.values())
    live = sum(state == "live" for state in states)
    return f"{', '.join(topics)}; {live} of {len(view.lines)} lines live; {_event_states(view)}"


def _children(view: View) -> Table:
    table = _table("Process", "State", "Pid", "Starts")
    for child in view.children:
        state = child.state if child.state != "ended" else describe_exit(child.exit_code)
        table.add_row(child.spec.name, _styled(state), str(child.pid or ""), str(child.starts))
    return table


def _topics(view: View) -> Table:
    table = _table("Topic", "End offset", "Rate/s", "Lag")
    for topic in view.topics:
        lag = view.lag_of(topic)
        total = f"{view.now.total(topic):,}" if view.now is not None else ""
        table.add_row(topic, total, f"{view.rate_of(topic):,.1f}", "" if lag is None else f"{lag:,}")
    return table


def _lines(view: View) -> Table:
    table = _table("Line", "State", "Reason", "Since (UTC)")
    worst_first = sorted(view.lines.items(), key=lambda item: (item[1].get("state") == "live", item[0]))
    for line, value in worst_first[:SHOWN_LINES]:
        since = datetime.fromtimestamp(value.get("since_ns", 0) / 1e9, UTC).strftime("%H:%M:%S")
        table.add_row(line, _styled(str(value.get("state"))), str(value.get("reason")), since)
    if len(worst_first) > SHOWN_LINES:
        table.add_row(f"and {len(worst_first) - SHOWN_LINES} more", "", "", "")
    return table


def _events(view: View) -> Text:
    return Text(f"{_event_states(view)}\n")


def _event_states(view: View) -> str:
    """Return in words how many events are in which state, and how they are covered."""
    states = Counter("to come" if is_to_come(value) else str(value.get("state")) for value in view.events.values())
    covered = Counter(str(value.get("coverage")) for value in view.events.values())
    shown = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none yet"
    return f"events: {shown}" + (f"; coverage: {covered['full']} full, {covered['main']} main" if states else "")


def _changes(view: View) -> Table:
    table = _table("Odds changed (UTC)", "Event", "Outcome", "Was", "Is")
    for change in view.changes:
        time = datetime.fromtimestamp(change.time_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
        before, after = change.before_thousandths, change.odds_thousandths
        up = before is not None and after is not None and after > before
        table.add_row(
            time,
            change.event,
            str(change.outcome_id),
            _odds(before),
            Text(_odds(after), style="green" if up else "red" if before is not None else ""),
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    for column in columns:
        table.add_column(column, no_wrap=True, ratio=2 if column in _WIDE else 1)
    return table


def _styled(state: str) -> Text:
    return Text(state, style=_STATE_STYLE.get(state, ""))


def _odds(thousandths: int | None) -> str:
    return "-" if thousandths is None else f"{thousandths // 1000}.{thousandths % 1000:03}"


def _short(topic: str) -> str:
    return topic.removeprefix("tricast.")
