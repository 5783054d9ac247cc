"""What ``tricast up`` shows: one renderable, made anew from values each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from tricast.monitor.picture import Picture, Topic
from tricast.monitor.terminal import STYLES, span
from tricast.stack.fastpath_news import FastpathNews
from tricast.stack.kambi_news import KambiNews
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
        picture: Kafka, topics, groups and health; what the status page shows, too.
        kambi: Odds changes, when the feed runs.
        fastpath: Actions, when the feed runs.
        rms: Decisions, when the feed runs.
        is_starting: Nothing can be well yet, and that is no reason to worry.
    """

    title: str
    children: Sequence[Supervised]
    topics: Sequence[str]
    picture: Picture
    kambi: KambiNews | None
    fastpath: FastpathNews | None
    rms: RmsNews | None
    is_starting: bool = False

    def topic(self, name: str) -> Topic | None:
        """Return a topic of the picture."""
        return next((topic for topic in self.picture.topics if topic.name == name), None)

    def lag_of(self, name: str) -> int | None:
        """Return how far the groups that read a topic are behind, the worst of them."""
        lags = []
        for group in self.picture.groups:
            behind = [row.lag for row in group.partitions if row.topic == name and row.lag is not None]
            if behind:
                lags.append(sum(behind))
        return max(lags, default=None)

    def counted(self, feed: str, what: str) -> str:
        """Return in words how many things of a feed are in which state; empty when there are none."""
        counts = (count for count in self.picture.counts if count.feed == feed and count.what == what)
        return ", ".join(f"{count.count} {count.state}" for count in counts)


def render(view: View) -> RenderableType:
    """Return the live view: what is common, then the feeds."""
    topics = [_topics(view, feed, list(group)) for feed, group in groupby(view.topics, key=_feed_of)]
    feeds: list[RenderableType] = []
    if view.kambi is not None:
        feeds.append(Group(Text(event_states(view)), changes(view.kambi)))
    if view.fastpath is not None:
        feeds.append(Group(Text(feed_states(view, view.fastpath)), actions(view.fastpath)))
    if view.rms is not None:
        feeds.append(Group(Text(decided(view.rms)), decisions(view.rms)))
    return Group(
        Text(view.title, style="bold"),
        verdict(view),
        Beside(_children(view)),
        Beside(topics),
        lines(view),
        Beside(feeds),
    )


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
    topics = [topic for name in view.topics if (topic := view.topic(name)) is not None]
    ends = ", ".join(f"{_short(topic.name)} {topic.end} ({topic.rate:.0f}/s)" for topic in topics)
    live = sum(line.state == "live" for line in view.picture.lines)
    said = [view.picture.state, ends, f"{live} of {len(view.picture.lines)} lines live"]
    if view.kambi is not None:
        said.append(event_states(view))
    if view.fastpath is not None:
        said.append(feed_states(view, view.fastpath))
    if view.rms is not None:
        said.append(decided(view.rms))
    return "; ".join(filter(None, said))


def verdict(view: View) -> Text:
    """Return the state with its worst reason: one line, as all the rest has its place."""
    picture = view.picture
    if view.is_starting and picture.state != "healthy":
        return Text("starting", style="cyan")
    text = Text(picture.state, style=STYLES[picture.state], no_wrap=True, overflow="ellipsis")
    if picture.reasons:
        worst, *others = picture.reasons
        more = f", and {len(others)} more" if others else ""
        text.append(
            f"  {worst.text} (for {span(max(0, picture.at_ms - worst.since_ms) / 1000)}){more}", style="default"
        )
    return text


def _children(view: View) -> list[RenderableType]:
    """Return the processes, in three tables."""
    rows = -(-len(view.children) // 3)
    tables: list[RenderableType] = []
    for first in range(0, len(view.children), max(1, rows)):
        table = headed("Process", "State", "Pid", "Starts")
        for child in view.children[first : first + rows]:
            state = child.state if child.state != "ended" else describe_exit(child.exit_code)
            table.add_row(child.spec.name, _styled(state), str(child.pid or ""), str(child.starts))
        tables.append(table)
    return tables


def _topics(view: View, feed: str, names: Sequence[str]) -> Table:
    table = headed(f"{feed} …", "End", "Rate/s", "Lag")
    for name in names:
        topic, lag = view.topic(name), view.lag_of(name)
        total, rate = ("", "") if topic is None else (f"{topic.end:,}", f"{topic.rate:,.1f}")
        table.add_row(name.removeprefix(f"{feed}."), total, rate, "" if lag is None else f"{lag:,}")
    return table


def lines(view: View, most: int = SHOWN_LINES) -> Table:
    """Return the connector lines, those that are not live first."""
    table = headed("Line", "State", "Reason", "Since (UTC)")
    worst_first = sorted(view.picture.lines, key=lambda line: (line.state == "live", line.name))
    for line in worst_first[:most]:
        since = datetime.fromtimestamp(line.since_ms / 1000, UTC).strftime("%H:%M:%S")
        table.add_row(line.name, _styled(line.state), line.reason, since)
    if len(worst_first) > most:
        table.add_row(f"and {len(worst_first) - most} more", "", "", "")
    return table


def event_states(view: View) -> str:
    """Return in words how many events are in which state, and how they are covered."""
    covered = view.counted("kambi", "coverage")
    return f"events: {view.counted('kambi', 'events') or 'none yet'}" + (f"; coverage: {covered}" if covered else "")


def feed_states(view: View, fastpath: FastpathNews) -> str:
    """Return in words how many feeds are in which state, and what was found in their numbers."""
    found = ", ".join(f"{count} {kind}" for kind, count in sorted(fastpath.findings.items()))
    return f"feeds: {view.counted('fastpath', 'feeds') or 'none yet'}" + (f"; found: {found}" if found else "")


def actions(fastpath: FastpathNews, most: int | None = None) -> Table:
    """Return the newest actions."""
    table = headed("Action (UTC)", "Feed", "Seq", "What", "Marks")
    for action in islice(fastpath.actions, most):
        table.add_row(action.time, action.feed, str(action.sequence), action.what, action.marks)
    return table


def decided(rms: RmsNews) -> str:
    """Return in words how many outcomes and oddities of each kind there were."""
    return "bets: " + (", ".join(f"{count} {said}" for said, count in sorted(rms.counts.items())) or "none decided yet")


def decisions(rms: RmsNews, most: int | None = None) -> Table:
    """Return the newest decisions."""
    table = headed("Decided (UTC)", "Bet", "Outcome", "By", "After")
    for decision in islice(rms.decisions, most):
        time = datetime.fromtimestamp(decision.time_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
        after = "" if decision.took_ms is None else f"{decision.took_ms / 1000:.1f} s"
        table.add_row(time, decision.bet, _styled(decision.said), decision.why, after)
    return table


def changes(kambi: KambiNews, most: int | None = None) -> Table:
    """Return the newest changes of odds."""
    table = headed("Odds (UTC)", "Event", "Outcome", "Was", "Is")
    for change in islice(kambi.changes, most):
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


def headed(*columns: str) -> Table:
    """Return an empty table."""
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
