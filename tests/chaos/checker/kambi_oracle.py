"""The offering by raw alone, one thread: what push and snapshots that reached Kafka add up to.

The newest ``t`` of a value holds; a snapshot speaks for its request time less 2 s and leaves alone what push changed
since (docs/kambi.md, "Snapshots"). Whoever differs from this has not lost a frame but made something wrong of one.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.chaos.checker.kambi_children import children
from tests.chaos.checker.kambi_offering import Event, Json
from tests.chaos.checker.record import Record

LAG_MS = 2_000
OVER_MS = 90_000
"""How long nobody must have had an event as finished before lists without it say that it is gone (docs/kambi.md)."""
_LIVE = {"matchClock": "clock", "score": "score", "statistics": "statistics"}
_PARTS = {15: ("mcu", "matchClock"), 16: ("score", "score"), 17: ("stats", "statistics")}
_ODDS = frozenset({"odds"})
_STATUS = frozenset({"status"})
_BOTH = _ODDS | _STATUS


@dataclass(slots=True)
class _Value:
    value: Any = None
    t: int = 0

    def put(self, value: Any, t: int, as_of: int | None) -> bool:
        """Take a value said at ``t``, or shown by a snapshot that speaks for ``as_of``."""
        if (self.t > as_of) if as_of is not None else (t < self.t):
            return False
        self.value, self.t = value, self.t if as_of is not None else t
        return True


@dataclass(slots=True)
class _Offer:
    there: _Value = field(default_factory=_Value)
    status: _Value = field(default_factory=lambda: _Value((False, True)))
    outcomes: dict[str, dict[str, _Value]] = field(default_factory=dict)

    def outcome(self, name: str) -> dict[str, _Value]:
        return self.outcomes.setdefault(name, {"there": _Value(False), "odds": _Value(), "status": _Value()})


@dataclass(slots=True)
class _Event:
    there: _Value = field(default_factory=_Value)
    state: _Value = field(default_factory=_Value)
    description: _Value = field(default_factory=_Value)
    parts: dict[str, _Value] = field(default_factory=dict)
    offers: dict[str, _Offer] = field(default_factory=dict)
    absences: int = 0
    shown_t: int = 0


class Oracle:
    """Of the events of one partition of ``kambi.raw``, which is a shard, fed with its records in order."""

    def __init__(self, partition: int) -> None:
        self._partition, self._shards = partition, 1
        self._events: dict[int, _Event] = {}

    def take(self, record: Record) -> None:
        """Take one raw record; what cannot be read says nothing."""
        try:
            match record.header("tc-kind"):
                case "frame":
                    bulk = children(record.value or b"")
                    for child in bulk if isinstance(bulk, list) else ():
                        self._child(child)
                case "snapshot":
                    self._snapshot(record)
                case "opened":
                    self._shards = json.loads(record.value or b"").get("shards") or self._shards
                case _:
                    pass
        except (KeyError, TypeError, AttributeError, ValueError):
            return

    def events(self) -> dict[int, Event]:
        """Return what is there now, as a consumer of the normalized topics would know it."""
        return {event_id: _known(event) for event_id, event in self._events.items() if event.there.value}

    def _event(self, event_id: Any) -> _Event | None:
        number = int(event_id)
        return self._events.setdefault(number, _Event()) if number % self._shards == self._partition else None

    # Push.

    def _child(self, child: Json) -> None:
        try:
            self._take_child(child["mt"], int(child["t"]), child)
        except (KeyError, TypeError, AttributeError, ValueError):
            return

    def _take_child(self, mt: int, t: int, child: Json) -> None:
        (body,) = [value for key, value in child.items() if key not in {"t", "mt"}]
        inner = body["event"] if mt in {4, 5} else body
        named = inner["id"] if mt in {4, 5} or (mt == 34 and "id" in inner) else body.get("eventId")
        named = body["betOffer"]["eventId"] if mt == 6 and named is None else named
        event = self._event(named)
        if event is None:
            return
        if mt in {4, 5}:
            event.there.put(True, t, None)
            event.state.put(inner.get("state"), t, None)
            self._live(event, body.get("liveData") or {}, t, None)
            if body.get("mainBetOffer"):
                _add(event, body["mainBetOffer"], t, None)
        elif mt == 18:
            event.there.put(False, t, None)
            for offer in event.offers.values():
                offer.there.put(False, t, None)
        elif mt == 34:
            event.state.put(body["state"], t, None)
        elif mt == 20:
            event.description.put(body.get("description") or None, t, None)
        elif mt in _PARTS:
            name, part = _PARTS[mt]
            event.parts.setdefault(_LIVE[part], _Value()).put(child[name][part], t, None)
        elif mt == 12:
            event.parts.setdefault("clock", _Value()).put(None, t, None)
        elif mt == 9:
            for offer in event.offers.values():
                offer.status.put((True, offer.status.value[1]), t, None)
        else:
            self._offers(event, mt, t, body)

    def _offers(self, event: _Event, mt: int, t: int, body: Json) -> None:
        if mt == 6:
            _add(event, body["betOffer"], t, None)
        elif mt == 7:
            event.offers.setdefault(str(body["betOfferId"]), _Offer()).there.put(False, t, None)
        elif mt == 8:
            status = (bool(body.get("suspended")), body.get("visible") is not False)
            event.offers.setdefault(str(body["betOfferId"]), _Offer()).status.put(status, t, None)
        elif mt in {11, 22, 23, 32}:
            for one in body["outcomes"]:
                named = one["betOfferId"] if one.get("betOfferId") is not None else body["betOfferId"]
                outcome = event.offers.setdefault(str(named), _Offer()).outcome(str(one["id"]))
                if mt in {22, 23}:
                    outcome["there"].put(mt == 22, t, None)
                for side in {11: _ODDS, 22: _BOTH, 32: _STATUS}.get(mt, frozenset[str]()):
                    outcome[side].put(one.get(side), t, None)

    @staticmethod
    def _live(event: _Event, live: Json, t: int, as_of: int | None) -> None:
        for name, part in _LIVE.items():
            if live.get(name) is not None or as_of is not None:
                event.parts.setdefault(part, _Value()).put(live.get(name), t, as_of)

    # Snapshots.

    def _snapshot(self, record: Record) -> None:
        path = record.header("tc-position").partition("?")[0].strip("/").removesuffix(".json").split("/")
        as_of = int(record.headers["tc-requested-ns"]) // 1_000_000 - LAG_MS
        status = record.header("tc-status")
        what: Literal["offers", "live", "open"]
        if path[:2] == ["betoffer", "event"]:
            what, asked = "offers", path[2].split(",")
        elif "livedata" in path:
            what, asked = "live", next(part for part in path if part.replace(",", "").isdigit()).split(",")
        elif path == ["event", "live", "open"]:
            what, asked = "open", []
        else:
            return
        if status == "404":
            for event in map(self._event, asked) if what == "offers" else ():
                if event is not None:
                    event.there.put(False, 0, as_of)
            return
        if status != "200":
            return
        answer = json.loads(record.value or b"")
        if what == "offers":
            self._shown_offers(answer, asked, as_of)
        elif what == "live":
            listed = answer["liveData"] if isinstance(answer, dict) else answer
            for live in listed if isinstance(listed, list) else [listed]:
                event = self._event(live["eventId"])
                if event is not None:
                    self._live(event, live, 0, as_of)
                    event.description.put(live.get("description") or None, 0, as_of)
        else:
            self._shown_open(answer["liveEvents"], as_of)

    def _shown_offers(self, answer: Json, asked: Iterable[str], as_of: int) -> None:
        for shown in answer.get("events", ()):
            if (event := self._describe(shown, as_of)) is not None:
                event.shown_t = as_of + LAG_MS
        listed: dict[int, set[str]] = {int(event_id): set() for event_id in asked}
        for shown in answer["betOffers"]:
            event = self._event(shown["eventId"])
            if event is not None:
                listed.setdefault(int(shown["eventId"]), set()).add(str(shown["id"]))
                _add(event, shown, 0, as_of)
        for event_id, there in listed.items():
            event = self._event(event_id)
            for name, offer in event.offers.items() if event is not None else ():
                # An offer that is hidden is in no answer, and not gone.
                if name not in there and offer.status.value[1] and offer.status.t <= as_of:
                    offer.there.put(False, 0, as_of)

    def _shown_open(self, listed: list[Json], as_of: int) -> None:
        shown = {int(one["event"]["id"]) for one in listed}
        for one in listed:
            event = self._describe(one["event"], as_of)
            if event is not None:
                event.absences = 0
                self._live(event, one.get("liveData") or {}, 0, as_of)
        for event_id, event in self._events.items():
            # One that is over has left the lists: they tell nothing before it is long that anybody had it.
            over_t = max(event.state.t, event.shown_t) if event.state.value == "FINISHED" else None
            if over_t is not None and as_of + LAG_MS < over_t + OVER_MS:
                continue
            if event_id not in shown and event.there.value and event.state.value in ("STARTED", "FINISHED"):
                event.absences += event.state.t <= as_of
                if event.absences > 1:
                    event.there.put(False, 0, as_of)

    def _describe(self, shown: Json, as_of: int) -> _Event | None:
        event = self._event(shown["id"])
        if event is not None:
            event.there.put(True, 0, as_of)
            event.state.put(shown.get("state", event.state.value), 0, as_of)
        return event


def _add(event: _Event, shown: Json, t: int, as_of: int | None) -> None:
    offer = event.offers.setdefault(str(shown["id"]), _Offer())
    if not offer.there.put(True, t, as_of):
        return
    offer.status.put((bool(shown.get("suspended")), True), t, as_of)
    listed = {str(one["id"]): one for one in shown.get("outcomes") or ()}
    for name in {*offer.outcomes, *listed}:
        outcome = offer.outcome(name)
        outcome["there"].put(name in listed, t, as_of)
        for side in _BOTH if name in listed else ():
            outcome[side].put(listed[name].get(side), t, as_of)


def _known(event: _Event) -> Event:
    known = Event(event.state.value, event.description.value)
    known.parts = {part: value.value for part, value in event.parts.items() if value.value is not None}
    if known.parts.get("statistics"):
        known.parts["statistics"] = _spelt(known.parts["statistics"])
    for name, offer in event.offers.items():
        if offer.there.value:
            outcomes = {
                int(number): {"odds": sides["odds"].value, "status": sides["status"].value}
                for number, sides in offer.outcomes.items()
                if sides["there"].value
            }
            suspended, visible = offer.status.value
            known.offers[int(name)] = {"suspended": suspended, "visible": visible, "outcomes": outcomes}
    return known


def _spelt(statistics: Json) -> Json:
    names = {"yellowCards": "yellow_cards", "redCards": "red_cards", "corners": "corners"}
    football = {
        side: {names[name]: count for name, count in counts.items()}
        for side, counts in (statistics.get("football") or {}).items()
    }
    return statistics | {"football": football}
