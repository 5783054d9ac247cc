"""What a Kambi frame calls for: candidates by index, each with the facts it states. Of the vendor's sheet, §5 and §6,
and of "Identity" in ``docs/architecture.md``."""

import json
from dataclasses import dataclass
from typing import Any

from tests.chaos.checker import socketio

Entry = tuple[str, int, str, str]
"""Event, message type, entity and ``t``: facts of one entry are remembered together."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is said once, however many lines say it."""

    entry: Entry
    value: str
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one index of a frame is about; without ``kind`` it cannot be read, and has to be a dead letter."""

    kind: str | None
    event: str
    offer: str
    facts: tuple[Fact, ...]


_BROKEN = Candidate(None, "", "", ())
_WHOLE = {
    4: ("ea", "event.added"),
    6: ("boa", "offer.added"),
    7: ("bor", "offer.removed"),
    8: ("bosu", "offer.status-changed"),
    9: ("abos", "offers.suspended"),
    12: ("mcr", "clock.removed"),
    15: ("mcu", "clock.changed"),
    16: ("score", "score.changed"),
    17: ("stats", "statistics.changed"),
    18: ("er", "event.removed"),
    19: ("tu", "ticker.added"),
    20: ("desc", "event.description-changed"),
    25: ("mo", "occurrence.changed"),
    27: ("vo", "visualization.changed"),
    28: ("ls", "live-statistic.changed"),
    34: ("esu", "event.state-changed"),
}
_BY_OUTCOME = {
    11: ("boou", "odds.changed"),
    22: ("booa", "outcomes.added"),
    23: ("boor", "outcomes.removed"),
    32: ("osu", "outcomes.status-changed"),
}
_OPENED, _SETTLED = 5, 24


def children(value: bytes) -> list[Any] | str:
    """Return the children of a frame; else why there are none: ``control``, ``unreadable`` …"""
    packet = socketio.read(value)
    if isinstance(packet, str):
        return packet
    if packet.name != "message":
        return "other event"
    if len(packet.arguments) != 1:
        return "unreadable"
    (argument,) = packet.arguments
    try:
        bulk = json.loads(argument) if isinstance(argument, str) else argument
    except (ValueError, RecursionError):
        return "unreadable"
    if isinstance(bulk, dict):
        return "refused subscription" if "code" in bulk and "mt" not in bulk else [bulk]
    return bulk if isinstance(bulk, list) else "unreadable"


def candidates(child: Any, event_of: dict[str, str]) -> list[Candidate]:
    """Return what one child calls for, in the order of indices; learns which event an offer belongs to."""
    try:
        return _candidates(child, event_of)
    except (KeyError, TypeError, AttributeError, ValueError):
        return [_BROKEN]


def _candidates(child: dict[str, Any], event_of: dict[str, str]) -> list[Candidate]:
    mt = child["mt"]
    if isinstance(mt, bool) or not isinstance(mt, int):
        return [_BROKEN]
    stamp = str(child["t"]) if isinstance(child.get("t"), str | int) else json.dumps(child.get("t"))
    if mt in _BY_OUTCOME:
        name, kind = _BY_OUTCOME[mt]
        return _by_outcome(_body(child, name), mt, kind, stamp, event_of)
    if mt == _OPENED:
        return _opened(_body(child, "leo"), stamp, event_of)
    if mt == _SETTLED:
        return _settled(_body(child, "os"), stamp)
    if mt not in _WHOLE:
        return [_BROKEN]
    name, kind = _WHOLE[mt]
    body = _body(child, name)
    inner = body["event"] if mt == 4 else body["betOffer"] if mt == 6 else body.get("ticker") or body
    event = _event_of(mt, body, inner)
    offer = _id(inner["id"]) if mt == 6 else _id(body["betOfferId"]) if mt in {7, 8} else ""
    if event and offer:
        event_of[offer] = event
    event = event or event_of.get(offer, "")
    if not event and not offer:
        return [_BROKEN]
    entity = offer or (str(inner.get("id")) if mt in {19, 25, 27} else str(body.get("occurrenceTypeId", "")))
    return [Candidate(kind, event, offer, (Fact((event or "?", mt, entity, stamp), _canonical(inner)),))]


def _event_of(mt: int, body: dict[str, Any], inner: dict[str, Any]) -> str:
    if mt == 4:
        return _id(inner["id"])
    if mt == 34 and body.get("id") is not None:
        return _id(body["id"])
    named = body.get("eventId") if body.get("eventId") is not None else inner.get("eventId")
    return _id(named) if named is not None else ""


def _by_outcome(body: dict[str, Any], mt: int, kind: str, stamp: str, event_of: dict[str, str]) -> list[Candidate]:
    event = _id(body["eventId"])
    offers: dict[str, list[Fact]] = {}
    for outcome in body["outcomes"]:
        offer = _id(outcome["betOfferId"] if outcome.get("betOfferId") is not None else body["betOfferId"])
        event_of[offer] = event
        said = {name: value for name, value in outcome.items() if name != "betOfferId"}
        fact = Fact((event, mt, offer, stamp), _canonical(said), _id(outcome["id"]))
        offers.setdefault(offer, []).append(fact)
    if not offers:
        return [_BROKEN]
    return [Candidate(kind, event, offer, tuple(facts)) for offer, facts in offers.items()]


def _opened(body: dict[str, Any], stamp: str, event_of: dict[str, str]) -> list[Candidate]:
    event = _id(body["event"]["id"])
    found = [Candidate("event.opened", event, "", (Fact((event, 5, "", stamp), _canonical(body["event"])),))]
    offer = body.get("mainBetOffer")
    if offer is not None:
        event_of[_id(offer["id"])] = event
        fact = Fact((event, 5, _id(offer["id"]), stamp), _canonical(offer))
        found.append(Candidate("offer.added", event, _id(offer["id"]), (fact,)))
    live = body.get("liveData") or {}
    for name, kind in (
        ("matchClock", "clock.changed"),
        ("score", "score.changed"),
        ("statistics", "statistics.changed"),
    ):
        if live.get(name) is not None:
            fact = Fact((event, 5, kind, stamp), _canonical(live[name]))
            found.append(Candidate(kind, event, "", (fact,)))
    return found


def _settled(body: Any, stamp: str) -> list[Candidate]:
    listed = body if isinstance(body, list) else [*(body.get("outcomes") or ()), *(body.get("outcomeIds") or ())]
    items = [item if isinstance(item, dict) else {"id": item} for item in listed]
    return [
        Candidate("outcome.settled", "", "", (Fact(("", _SETTLED, _id(item["id"]), stamp), _canonical(item)),))
        for item in items
    ] or [_BROKEN]


def _body(child: dict[str, Any], name: str) -> Any:
    if child.get(name) is not None:
        return child[name]
    others = [key for key in child if key not in {"t", "mt", name}]
    if len(others) != 1:
        raise KeyError(name)
    return child[others[0]]


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(value)
    return str(int(value))


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
