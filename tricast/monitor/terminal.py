"""The picture for a terminal. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich import box
from rich.console import Group as Stacked
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tricast.monitor.picture import NOT_VISIBLE, Group, Picture, Reason

SHOWN_RECENT: Final = 8
SHOWN_UNWELL: Final = 10
SHOWN_LINES: Final = 12
"""Lines that are live look all the same: of those only the number is told where there are more."""

STYLES: Final = {"healthy": "bold green", "degraded": "bold yellow", "down": "bold red"}


def render(picture: Picture) -> RenderableType:
    """Return everything that is worth a look, the verdict first: a small terminal shows the beginning only."""
    parts: list[RenderableType] = [_headline(picture), *(_reason(reason, picture.at_ms) for reason in picture.reasons)]
    if picture.topics:
        parts.append(_groups(picture))
    if picture.lines:
        parts.append(_lines(picture))
    if picture.feeds:
        parts.append(_unwell(picture))
    if counts := _counts(picture):
        parts.append(Text(counts))
    if picture.recent:
        parts.append(_recent(picture))
    if picture.topics:
        parts.append(_topics(picture))
    return Stacked(*parts)


def _headline(picture: Picture) -> Text:
    kafka = picture.kafka
    text = Text(picture.state, style=STYLES[picture.state])
    if not kafka.reachable:
        old = f"; numbers are {span(kafka.stale_s)} old" if picture.topics else ""
        return text.append(f"  Kafka does not answer since {_clock(kafka.since_ms)}{old}", style="not bold red")
    return text.append(f"  {kafka.brokers} broker{'' if kafka.brokers == 1 else 's'}", style="not bold default")


def _reason(reason: Reason, now_ms: int) -> Text:
    age_s = max(0, now_ms - reason.since_ms) / 1000
    since = f"  (for {span(age_s)})" if age_s >= 1 else ""
    return Text(f"  {reason.text}").append(f"{since}  {reason.code}", style="dim")


def _topics(picture: Picture) -> Table:
    shown = [topic for topic in picture.topics if topic.kind != "changelog" or topic.under_replicated]
    table = _table("Topic", numbers=("Records/s", "End", "Size", "Newest"))
    is_held = any(topic.held_back for topic in shown)
    is_torn = any(topic.under_replicated for topic in shown)
    if is_held:
        table.add_column("Held back", justify="right")
    if is_torn:
        table.add_column("In sync", justify="right")
    for topic in shown:
        newest = "" if topic.newest_ms is None else f"{span(max(0, picture.at_ms - topic.newest_ms) / 1000)} ago"
        row = [topic.name, f"{topic.rate:,.1f}", f"{topic.end:,}", _size(topic.size_bytes), newest]
        if is_held:
            row.append(f"{topic.held_back:,}" if topic.held_back else "")
        if is_torn:
            partitions = len(topic.partitions)
            row.append(f"{partitions - topic.under_replicated}/{partitions}")
        table.add_row(*row)
    return table


def _groups(picture: Picture) -> Table:
    table = _table("Group", "State", numbers=("Members", "Lag", "Seconds", "Records/s"))
    for group in sorted(picture.groups, key=lambda group: (not group.ours, group.name)):
        table.add_row(*_group(group))
    return table


def _group(group: Group) -> Sequence[str]:
    members = "?" if group.members is None else str(group.members)
    lag = _lag(group)
    seconds = "" if group.lag_s is None else f"{group.lag_s:,.1f}"
    name = group.name if group.ours else f"{group.name} (not ours)"
    return (name, group.state, members, lag, seconds, f"{group.rate:,.1f}")


def _lag(group: Group) -> str:
    if group.lag is None:
        return "?" if group.state == NOT_VISIBLE else "nothing committed"
    return f"{group.lag:,}"


def _lines(picture: Picture) -> Table:
    table = _table("Line", "State", "Reason", "Since (UTC)")
    unwell_first = sorted(picture.lines, key=lambda line: (line.state == "live", line.feed, line.name))
    for line in unwell_first[:SHOWN_LINES]:
        style = "green" if line.state == "live" else "red" if line.state == "down" else "yellow"
        table.add_row(line.name, Text(line.state, style=style), line.reason, _clock(line.since_ms))
    if len(unwell_first) > SHOWN_LINES:
        table.add_row(f"and {len(unwell_first) - SHOWN_LINES} more", "", "", "")
    return table


def _unwell(picture: Picture) -> Table:
    table = _table("Not well", "State", "Reason", "Since (UTC)")
    for feed in picture.feeds[:SHOWN_UNWELL]:
        table.add_row(f"{feed.feed} {feed.name}", feed.state, feed.reason, _clock(feed.since_ms))
    if len(picture.feeds) > SHOWN_UNWELL:
        table.add_row(f"and {len(picture.feeds) - SHOWN_UNWELL} more", "", "", "")
    return table


def _counts(picture: Picture) -> str:
    by_thing: dict[tuple[str, str], list[str]] = {}
    for count in picture.counts:
        by_thing.setdefault((count.feed, count.what), []).append(f"{count.count} {count.state}")
    return "; ".join(f"{feed} {what}: {', '.join(states)}" for (feed, what), states in by_thing.items())


def _recent(picture: Picture) -> Table:
    table = _table("Last (UTC)", "Kind", "What", "Where")
    for recent in picture.recent[:SHOWN_RECENT]:
        where = f"{recent.topic}/{recent.partition}/{recent.offset}"
        table.add_row(_clock(recent.at_ms), recent.kind, Text(recent.title), where)
    return table


def span(seconds: float) -> str:
    """Return a span for people, e.g. ``1.5 s``, ``3 min``, ``2.0 h``, ``4.0 d``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} d"


def _size(size_bytes: int | None) -> str:
    if size_bytes is None:
        return ""
    size, units = float(size_bytes), iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1000 and unit != "TB":
        size, unit = size / 1000, next(units)
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _clock(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.strftime("%H:%M:%S") if at.date() == datetime.now(UTC).date() else at.strftime("%Y-%m-%d %H:%M:%S")


def _table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True)
    return table
