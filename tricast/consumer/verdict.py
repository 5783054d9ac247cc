"""How far what is known of one key can be trusted: the newest health records of a feed, and what they mean. Pure."""

from collections.abc import Iterable
from typing import Final, Literal, assert_never

import msgspec

from schemas.errors import EnvironmentFault
from schemas.fastpath.health import FeedHealth
from schemas.fastpath.health import LineHealth as FastpathLine
from schemas.kambi.health import EventHealth
from schemas.kambi.health import LineHealth as KambiLine
from schemas.rms.health import LineHealth as RmsLine
from tricast.consumer.event import Event

Feed = Literal["kambi", "fastpath", "rms"]
FEEDS: Final[tuple[Feed, ...]] = ("kambi", "fastpath", "rms")
Health = KambiLine | EventHealth | FastpathLine | FeedHealth | RmsLine

UNKNOWN: Final = "unknown"
"""State of what no health record speaks of."""
_LIVE: Final = "live"
_RANK: Final = ("live", "suspect", "backfilling", "repairing", "gapped", "stale", "suspended", "down")
"""Best first; a word that is not here is worse than all of them."""


PREFIX: Final = "tricast."
"""Of topic names, where the setting says nothing else."""
UNREAD_S: Final = 15.0
"""From when on health that could not be read to its end says nothing any more."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether to act on what is known of a key; true where it may be.

    Attributes:
        trustworthy: Nothing is known to be missing or wrong.
        state: Of the health topic: live, suspect, gapped, stale, down …; ``unknown`` where it says nothing.
        reason: Why it is in that state, as the health record says it.
        subject: What that record is about: an event, a feed, a line.
        since_ns: Since when, UTC ns.
        record: The record.
    """

    trustworthy: bool
    state: str
    reason: str
    subject: str
    since_ns: int | None = None
    record: Health | None = None

    def __bool__(self) -> bool:
        return self.trustworthy


class HealthBook:
    """The newest health record of each line, feed and event."""

    def __init__(self) -> None:
        self._events: dict[str, EventHealth] = {}
        self._feeds: dict[str, FeedHealth] = {}
        self._lines: dict[tuple[Feed, str], KambiLine | FastpathLine | RmsLine] = {}
        self._fixtures: dict[str, set[str]] = {}
        self._customers: dict[str, set[str]] = {}

    def observe(self, event: Event) -> None:
        """Take in a record of a health topic; others are passed over. Those of a key in their order."""
        match event.data:
            case EventHealth() as health:
                self._events[str(health.event_id)] = health
            case FeedHealth() as health:
                self._feeds[health.feed] = health
                self._fixtures.setdefault(health.fixture_id, set()).add(health.feed)
            case KambiLine() as health:
                self._line("kambi", health.line, event, health)
            case FastpathLine() as health:
                self._line("fastpath", health.line, event, health)
            case RmsLine() as health:
                if self._line("rms", health.line, event, health):
                    self._customers.setdefault(health.customer, set()).add(health.line)
            case _ if event.value is None:
                self._forget(event)
            case _:
                pass

    def judge(self, feed: Feed, key: str) -> Verdict:
        """Return how far to trust what is known of ``key``.

        Args:
            feed: Of the records.
            key: ``kambi``: event id. ``fastpath``: fixture id (then the worst of its feeds counts), or a feed path.
                ``rms``: customer id, or a key that begins with it (then the best of its sockets counts). Of each
                ``line/<line>``: that line alone.
        """
        kind, _, name = key.partition("/")
        if kind == "line":
            return _judged([self._lines.get((feed, name))], key)
        match feed:
            case "kambi":
                return _judged([self._events.get(key)], key)
            case "fastpath":
                return _judged(map(self._feeds.get, self._fixtures.get(key, {key})), key)
            case "rms":
                lines = (self._lines.get((feed, line)) for line in self._customers.get(kind, ()))
                return _judged(lines, key, best=True)
        assert_never(feed)

    def _line(self, feed: Feed, name: str, event: Event, health: KambiLine | FastpathLine | RmsLine) -> bool:
        """Take in the state of a line; each of its gaps has a key of its own, and is over when it is told."""
        if event.key not in {name, f"line/{name}"}:
            return False
        self._lines[feed, name] = health
        return True

    def _forget(self, event: Event) -> None:
        kind, _, name = (event.key or "").partition("/")
        feed = event.topic.partition(".")[0]
        if kind == "event":
            self._events.pop(name, None)
        elif kind == "feed":
            gone = self._feeds.pop(name, None)
            if gone is not None:
                _discard(self._fixtures, gone.fixture_id, name)
        elif feed in FEEDS:
            line = self._lines.pop((feed, name if kind == "line" else event.key or ""), None)
            if isinstance(line, RmsLine):
                _discard(self._customers, line.customer, line.line)


def _discard(sets: dict[str, set[str]], key: str, one: str) -> None:
    sets.get(key, set()).discard(one)
    if not sets.get(key, True):
        del sets[key]


def _judged(records: Iterable[Health | None], key: str, *, best: bool = False) -> Verdict:
    """Return what the worst of ``records`` says, or the best; those that are not there say nothing."""
    verdicts = sorted((_verdict(record) for record in records if record is not None), key=_badness)
    if not verdicts:
        return Verdict(trustworthy=False, state=UNKNOWN, reason="no health record speaks of it", subject=key)
    return verdicts[0 if best else -1]


def _verdict(health: Health) -> Verdict:
    joined = not isinstance(health, RmsLine) or health.joined is True
    return Verdict(
        trustworthy=health.state == _LIVE and joined,
        state=health.state,
        reason=health.reason or ("" if joined else "not joined"),
        subject=_subject(health),
        since_ns=health.since_ns,
        record=health,
    )


def _subject(health: Health) -> str:
    match health:
        case EventHealth():
            return f"event {health.event_id}"
        case FeedHealth():
            return f"feed {health.feed}"
        case KambiLine() | FastpathLine() | RmsLine():
            return f"line {health.line}"
    assert_never(health)


def _badness(verdict: Verdict) -> tuple[int, int, str]:
    rank = _RANK.index(verdict.state) if verdict.state in _RANK else len(_RANK)
    return (0 if verdict.trustworthy else 1, rank, verdict.subject)


def unread(key: str, unread_s: float, fault: EnvironmentFault | None) -> Verdict:
    """Return what is known of any key while health cannot be read: nothing."""
    why = f"health was last read {unread_s:.0f} s ago"
    reason = why if fault is None else f"{why}: {fault.message}"
    return Verdict(trustworthy=False, state=UNKNOWN, reason=reason, subject=key)


def topics(feeds: Iterable[Feed]) -> tuple[str, ...]:
    """Return the health topics of ``feeds``."""
    return tuple(f"{feed}.health" for feed in feeds)
