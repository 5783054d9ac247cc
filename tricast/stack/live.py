"""What ``tricast up`` shows: one renderable, made anew from values each time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from tricast.stack.broker_view import Sample, rate
from tricast.stack.fastpath_news import FastpathNews
from tricast.stack.kambi_news import KambiNews, is_to_come
from tricast.stack.news import Line
from tricast.stack.rms_news import RmsNews
from tricast.stack.supervisor import Supervised, describe_exit

_STATE_STYLE = {
    "live": "green",
    "suspect": "yellow",
    "gapped": "yellow",
    "stale": "yellow",
    "down": "red",
    "running": "green",
    "waiting": "red",
    "accepted": "green",
    "rejected": "red",
    "expired": "yellow",
    "expired_unverified": "red",
    "conflict": "red",
}
WIDE = 140
"""Columns from which parts stand beside each other."""
SHOWN_LINES = 8
"""Lines in the table, those that are not live first; a large offering has many and all live ones look the same."""

_WIDTHS = {
    "Odds (UTC)": 12,
    "Action (UTC)": 12,
    "Decided (UTC)": 13,
    "Was": 7,
    "Is": 7,
    "After": 7,
    "Starts": 6,
    "Pid": 8,
    "Seq": 6,
    "End": 10,
    "Rate/s": 7,
    "Lag": 6,
    "Since (UTC)": 11,
}
"""Columns whose content has a known width; the others share the rest."""
_WIDE = frozenset({"Event", "Line", "Process", "Feed", "What", "Bet", "Outcome"})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that is shown.

    Attributes:
        title: One line about the stack.
        children: Processes.
        topics: Physical names, in showing order.
        before: Sample to measure rates from; ``None`` at first.
        now: Newest sample.
        kambi: States and odds changes, when the feed runs.
        fastpath: States and actions, when the feed runs.
        rms: States and decisions, when the feed runs.
    """

    title: str
    children: Sequence[Supervised]
    topics: Sequence[str]
    before: Sample | None
    now: Sample | None
    kambi: KambiNews | None
    fastpath: FastpathNews | None
    rms: RmsNews | None

    @property
    def lines(self) -> Mapping[str, Line]:
        """Newest health value of each connector line of all feeds."""
        return {
            line: value for news in (self.kambi, self.fastpath, self.rms) if news for line, value in news.lines.items()
        }

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
    """Return the live view: what is common, then the feeds."""
    topics = [_topics(view, feed, list(group)) for feed, group in groupby(view.topics, key=_feed_of)]
    feeds: list[RenderableType] = []
    if view.kambi is not None:
        feeds.append(Group(Text(_event_states(view.kambi)), _changes(view.kambi)))
    if view.fastpath is not None:
        feeds.append(Group(Text(_feed_states(view.fastpath)), _actions(view.fastpath)))
    if view.rms is not None:
        feeds.append(Group(Text(_decided(view.rms)), _decisions(view.rms)))
    return Group(Text(view.title, style="bold"), Beside(_children(view)), Beside(topics), _lines(view), Beside(feeds))


class Beside:
    """Parts beside each other where the terminal is wide enough, else one under the other."""

    def __init__(self, parts: Sequence[RenderableType]) -> None:
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield them."""
        if options.max_width < WIDE:
            yield from self._parts
            return
        grid = Table.grid(expand=True, padding=(0, 2))
        for _ in self._parts:
            grid.add_column(ratio=1)
        grid.add_row(*self._parts)
        yield grid


def plain(view: View) -> str:
    """Return one line for logs."""
    topics = (
        (f"{_short(topic)} {view.now.total(topic)} ({view.rate_of(topic):.0f}/s)" for topic in view.topics)
        if (view.now is not None)
        else ()
    )
    states = (str(value.get("state")) for value in view.lines.values())
    live = sum(state == "live" for state in states)
    said = [f"{', '.join(topics)}", f"{live} of {len(view.lines)} lines live"]
    if view.kambi is not None:
        said.append(_event_states(view.kambi))
    if view.fastpath is not None:
        said.append(_feed_states(view.fastpath))
    if view.rms is not None:
        said.append(_decided(view.rms))
    return "; ".join(said)


def _children(view: View) -> list[RenderableType]:
    """Return the processes, in three tables."""
    rows = -(-len(view.children) // 3)
    tables: list[RenderableType] = []
    for first in range(0, len(view.children), max(1, rows)):
        table = _table("Process", "State", "Pid", "Starts")
        for child in view.children[first : first + rows]:
            state = child.state if child.state != "ended" else describe_exit(child.exit_code)
            table.add_row(child.spec.name, _styled(state), str(child.pid or ""), str(child.starts))
        tables.append(table)
    return tables


def _topics(view: View, feed: str, topics: Sequence[str]) -> Table:
    table = _table(f"{feed} …", "End", "Rate/s", "Lag")
    for topic in topics:
        lag = view.lag_of(topic)
        total = f"{view.now.total(topic):,}" if view.now is not None else ""
        name = topic.removeprefix(f"{feed}.")
        table.add_row(name, total, f"{view.rate_of(topic):,.1f}", "" if lag is None else f"{lag:,}")
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


def _event_states(kambi: KambiNews) -> str:
    """Return in words how many events are in which state, and how they are covered."""
    states = Counter("to come" if is_to_come(value) else str(value.get("state")) for value in kambi.events.values())
    covered = Counter(str(value.get("coverage")) for value in kambi.events.values())
    shown = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none yet"
    return f"events: {shown}" + (f"; coverage: {covered['full']} full, {covered['main']} main" if states else "")


def _feed_states(fastpath: FastpathNews) -> str:
    """Return in words how many feeds are in which state, and what was found in their numbers."""
    states = Counter(str(value.get("state")) for value in fastpath.feeds.values())
    shown = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none yet"
    found = ", ".join(f"{count} {kind}" for kind, count in sorted(fastpath.findings.items()))
    return f"feeds: {shown}" + (f"; found: {found}" if found else "")


def _actions(fastpath: FastpathNews) -> Table:
    table = _table("Action (UTC)", "Feed", "Seq", "What", "Marks")
    for action in fastpath.actions:
        table.add_row(action.time, action.feed, str(action.sequence), action.what, action.marks)
    return table


def _decided(rms: RmsNews) -> str:
    """Return in words how many outcomes and oddities of each kind there were."""
    return "bets: " + (", ".join(f"{count} {said}" for said, count in sorted(rms.counts.items())) or "none decided yet")


def _decisions(rms: RmsNews) -> Table:
    table = _table("Decided (UTC)", "Bet", "Outcome", "By", "After")
    for decision in rms.decisions:
        time = datetime.fromtimestamp(decision.time_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
        after = "" if decision.took_ms is None else f"{decision.took_ms / 1000:.1f} s"
        table.add_row(time, decision.bet, _styled(decision.said), decision.why, after)
    return table


def _changes(kambi: KambiNews) -> Table:
    table = _table("Odds (UTC)", "Event", "Outcome", "Was", "Is")
    for change in kambi.changes:
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
        width = _WIDTHS.get(column)
        ratio = None if width else 2 if column in _WIDE else 1
        table.add_column(column, no_wrap=True, ratio=ratio, width=width)
    return table


def _styled(state: str) -> Text:
    return Text(state, style=_STATE_STYLE.get(state, ""))


def _odds(thousandths: int | None) -> str:
    return "-" if thousandths is None else f"{thousandths // 1000}.{thousandths % 1000:03}"


def _short(topic: str) -> str:
    return topic.removeprefix("tricast.")


def _feed_of(topic: str) -> str:
    return topic.rpartition(".")[0]
