"""Newest states of lines, feeds and events, as the processors wrote them to the health topics. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.partitioner import murmur2

from schemas.topics import KAMBI_SETTLEMENTS_PARTITION, TOPICS, kambi_partition
from tricast.monitor.picture import MOST_FEEDS, Feed, FeedCount, Line

SUFFIX: Final = ".health"
SETTLE_MS: Final = 60_000
"""How long an event may be on its way to live: it was just subscribed to, or waits for its snapshot."""
DOUBT_MS: Final = 10_000
"""How long a feed may be suspect: FastPath's collector doubts its own upstream for seconds, several times a minute."""
MOST_THINGS: Final = 20_000
"""Events and feeds remembered of one feed; those heard of longest ago go first."""
TO_COME: Final = "to come"
"""State of an event that is known and not followed yet: nobody asks for snapshots of it."""
FINISHED: Final = "finished"
LEFT: Final = "left"
_OVER: Final = frozenset({FINISHED, LEFT})
"""Reasons of an end that is none to look into: the feed, or the list of fixtures, said that its fixture is over; of
Kambi's lines the connector says why it closed them."""

_KINDS: Final = frozenset({"line", "feed", "event"})
_SHARD: Final = re.compile(r"kambi-(\d+)-")
_SAID_ELSEWHERE: Final = frozenset({"line", "feed", "state", "reason", "since_ns", "event_id"})


@dataclass(slots=True)
class _Thing:
    what: str
    value: dict[str, Any]


class HealthDesk:
    """Takes in health records in the order they lie in their partitions.

    Args:
        prefix: Topic prefix, for physical names.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._lines: dict[tuple[str, str], dict[str, Any]] = {}
        self._things: dict[str, dict[str, _Thing]] = {}

    def observe(self, feed: str, key: bytes | None, value: Mapping[str, Any] | None) -> None:
        """Take in one record of the health topic of ``feed``; without a value its key is gone."""
        name = (key or b"").decode(errors="replace")
        kind, _, rest = name.partition("/")
        if kind not in _KINDS:
            # Kambi's lines are told under their bare names; that of a gap ends with a position, which has slashes.
            kind, rest = "line", name
        things = self._things.setdefault(feed, {})
        if value is None:
            self._lines.pop((feed, rest), None)
            things.pop(name, None)
        elif kind == "line":
            if rest == str(value.get("line")):  # each recorded gap has a key of its own
                self._lines[feed, rest] = dict(value)
        elif value.get("reason") == "removed":
            things.pop(name, None)
        else:
            things.pop(name, None)
            things[name] = _Thing("events" if kind == "event" else "feeds", dict(value))
            if len(things) > MOST_THINGS:
                del things[next(iter(things))]

    def lines(self) -> tuple[Line, ...]:
        """Return all lines, by feed and name."""
        return tuple(self._line(feed, name, value) for (feed, name), value in sorted(self._lines.items()))

    def counts(self) -> tuple[FeedCount, ...]:
        """Return how many lines, events and feeds are in which state, and how Kambi's events are covered."""
        states = Counter(
            (feed, thing.what, state_of(thing.value))
            for feed, things in self._things.items()
            for thing in things.values()
        )
        states.update((feed, "lines", state_of(value)) for (feed, _), value in self._lines.items())
        states.update(
            (feed, "coverage", str(thing.value["coverage"]))
            for feed, things in self._things.items()
            for thing in things.values()
            if "coverage" in thing.value
        )
        return tuple(
            FeedCount(feed=feed, what=what, state=state, count=count)
            for (feed, what, state), count in sorted(states.items())
        )

    def unwell(self, now_ms: int) -> tuple[Feed, ...]:
        """Return events and feeds that are not well, the longest so first."""
        found = sorted(self._unwell(now_ms), key=lambda feed: (feed.since_ms, feed.feed, feed.name))
        return tuple(found[:MOST_FEEDS])

    def _unwell(self, now_ms: int) -> Iterator[Feed]:
        for feed, things in self._things.items():
            for name, thing in things.items():
                state, since_ms = state_of(thing.value), _since_ms(thing.value)
                patience_ms = _patience_ms(thing, state)
                settles = patience_ms and since_ms > now_ms - patience_ms
                if state in {"live", TO_COME, FINISHED} or settles:
                    continue
                yield Feed(
                    feed=feed,
                    name=name.partition("/")[2],
                    state=state,
                    since_ms=since_ms,
                    reason=str(thing.value.get("reason", "")),
                    details=_details(thing.value),
                )

    def _line(self, feed: str, name: str, value: Mapping[str, Any]) -> Line:
        raw = f"{feed}.raw"
        return Line(
            feed=feed,
            name=name,
            state=state_of(value),
            since_ms=_since_ms(value),
            reason=str(value.get("reason", "")),
            raw_topic=self._prefix + raw if raw in TOPICS else None,
            raw_partition=raw_partition(feed, name, value),
            details=_details(value),
        )


def _patience_ms(thing: _Thing, state: str) -> int:
    if thing.what == "events":
        return SETTLE_MS
    return DOUBT_MS if state == "suspect" else 0


def state_of(value: Mapping[str, Any]) -> str:
    """Return a state for people: as written, but what is over is finished, and what is not followed yet to come."""
    if value.get("reason") in _OVER or value.get("close_reason") == LEFT:
        return FINISHED
    if value.get("state") == "stale" and value.get("coverage") == "main":
        return TO_COME
    return str(value.get("state"))


def raw_partition(feed: str, line: str, value: Mapping[str, Any]) -> int | None:
    """Return the partition of the feed's raw topic that a line writes to; ``None`` when its name does not tell."""
    if feed == "kambi":
        if line.startswith("kambi-settlements"):
            return KAMBI_SETTLEMENTS_PARTITION
        shard = _SHARD.match(line)
        return kambi_partition(int(shard[1])) if shard else None
    key = value.get("feed") if feed == "fastpath" else value.get("customer")
    topic = TOPICS.get(f"{feed}.raw")
    if not isinstance(key, str) or topic is None:
        return None
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % topic.partitions)


def _since_ms(value: Mapping[str, Any]) -> int:
    since = value.get("since_ns")
    return since // 1_000_000 if isinstance(since, int) else 0


def _details(value: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, said in value.items():
        if name in _SAID_ELSEWHERE:
            continue
        if isinstance(said, Mapping):
            found |= {inner: _text(what) for inner, what in said.items()}
        else:
            found[name] = _text(said)
    return found


def _text(said: Any) -> str:
    return {True: "yes", False: "no"}[said] if isinstance(said, bool) else str(said)
