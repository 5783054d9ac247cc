"""What Kambi's topics say to somebody who watches: line and event states, odds changes by name."""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from tricast.stack.news import Line, Record, is_line_state, keep_newest

KEPT_CHANGES = 8
"""Odds changes kept for the live view."""
_ODDS_CHANGED = "tricast.kambi.odds.changed.v1"
_NAMING = ("tricast.kambi.event.added.v1", "tricast.kambi.event.opened.v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class OddsChange:
    """New odds of one outcome.

    Attributes:
        time_ms: Vendor time, UTC; that of the record when the vendor gave none.
        event: Name when known, else id.
        before_thousandths: Odds before, when they were seen.
        odds_thousandths: Odds now; ``None`` when the vendor took the price away.
    """

    time_ms: int
    event: str
    offer_id: int
    outcome_id: int
    before_thousandths: int | None
    odds_thousandths: int | None


class KambiNews:
    """Newest states and last changes of the feed.

    Attributes:
        lines: Newest health value of each connector line.
        events: Newest health value of each event in the offering.
        changes: Last odds changes, newest first.
    """

    topics: ClassVar[Mapping[str, bool]] = MappingProxyType(
        {"kambi.events": True, "kambi.offers": False, "kambi.health": True}
    )

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self.events: dict[int, dict[str, Any]] = {}
        self.changes: deque[OddsChange] = deque(maxlen=KEPT_CHANGES)
        self._names: OrderedDict[int, str] = OrderedDict()
        self._odds: OrderedDict[int, int] = OrderedDict()

    def know(self, names: Mapping[int, str]) -> None:
        """Learn names of events."""
        for event, name in names.items():
            keep_newest(self._names, event, name)

    def observe(self, topic: str, record: Record, value: dict[str, Any] | None) -> None:
        """Take in one record of ``topic`` (registry name)."""
        if value is None:
            return
        if topic == "kambi.health":
            note_health(record.key or b"", value, self.lines, self.events)
            return
        kind = dict(record.headers).get("ce_type", b"").decode(errors="replace")
        if kind in _NAMING and value.get("name"):
            keep_newest(self._names, value["event_id"], value["name"])
        elif kind == _ODDS_CHANGED:
            self._odds_changed(record.timestamp, value)

    def _odds_changed(self, timestamp_ms: int, value: Mapping[str, Any]) -> None:
        event = value["event_id"]
        for outcome in value["outcomes"]:
            odds = outcome.get("odds_thousandths")
            change = OddsChange(
                time_ms=value.get("vendor_time_ms", timestamp_ms),
                event=self._names.get(event, str(event)),
                offer_id=value["offer_id"],
                outcome_id=outcome["id"],
                before_thousandths=self._odds.get(outcome["id"]),
                odds_thousandths=odds,
            )
            self.changes.appendleft(change)
            if odds is not None:
                keep_newest(self._odds, outcome["id"], odds)


def note_health(
    key: bytes, value: dict[str, Any], lines: dict[str, dict[str, Any]], events: dict[int, dict[str, Any]]
) -> None:
    """Keep a health record where it belongs: the newest of a line or of an event; gaps are history."""
    if is_line_state(key, value):
        lines[value["line"]] = value
    elif "event_id" in value:
        if value.get("reason") == "removed":
            events.pop(value["event_id"], None)
        else:
            events[value["event_id"]] = value


def is_to_come(value: Mapping[str, Any]) -> bool:
    """Return whether an event's health says that it is known but not followed yet: nobody asks for snapshots of it."""
    return value.get("state") == "stale" and value.get("coverage") == "main"
