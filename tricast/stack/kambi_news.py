"""What Kambi's topics say to somebody who watches: odds changes by name."""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from schemas.record import KafkaRecord
from tricast.stack.news import keep_newest

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
    """Last changes of the feed.

    Attributes:
        changes: Last odds changes, newest first.
    """

    topics: ClassVar[Mapping[str, bool]] = MappingProxyType({"kambi.events": True, "kambi.offers": False})

    def __init__(self) -> None:
        self.changes: deque[OddsChange] = deque(maxlen=KEPT_CHANGES)
        self._names: OrderedDict[int, str] = OrderedDict()
        self._odds: OrderedDict[int, int] = OrderedDict()

    def know(self, names: Mapping[int, str]) -> None:
        """Learn names of events."""
        for event, name in names.items():
            keep_newest(self._names, event, name)

    def observe(self, topic: str, record: KafkaRecord, value: dict[str, Any]) -> None:
        """Take in one record of ``topic`` (registry name)."""
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
