"""Which outputs each child of a Kambi bulk calls for, and which facts each of them states.

Written from the vendor's sheet and docs/architecture.md ("Identity"), not from the processor. A *candidate* has an
index in its frame; a *fact* is what must appear once however many lines carried it: (event, mt, entity, value, t, n-th
occurrence on its line). Its value is what a normalized record says of it: other fields make no new fact.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

_PREFIX = "tricast.kambi."
DEAD_LETTER = "dead letter"
"""Kind of a candidate that cannot become a record."""

_LATEST_MS = 253_402_300_799_999
"""The end of the year 9999: a later ``t`` is no time, and is taken as it stands."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What must appear once.

    Attributes:
        entity: Outcome id where it is about an outcome, else empty.
        group: Digest of (event, mt, bet offer, t): facts of one message about one thing are remembered and forgotten
            together.
        value: Digest of what is said.
    """

    entity: str
    group: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place in a frame that must end as a record, a duplicate or a dead letter.

    Attributes:
        kind: The ``ce_type`` it becomes, or ``DEAD_LETTER``.
        facts: What it states.
        by_outcome: Whether the facts are about outcomes, so that the record carries only the new ones.
    """

    kind: str
    facts: list[Fact]
    by_outcome: bool = False


_UNREADABLE = Candidate(DEAD_LETTER, [])
_OUTCOME = [
    "odds",
    "oddsFractional",
    "oddsAmerican",
    "line",
    "label",
    "englishLabel",
    "type",
    "status",
    "cashOutStatus",
    "changedDate",
    "participant",
    "participantId",
]
_ODDS = _OUTCOME[:3]
_EVENT = [
    "name",
    "englishName",
    "nameDelimiter",
    "homeName",
    "awayName",
    "sport",
    "state",
    "start",
    "group",
    "groupId",
    "groupSortOrder",
    "tags",
    "liveBoCount",
    "nonLiveBoCount",
]
_IDS = frozenset({"id", "participantId", "groupId", "groupSortOrder"})


def of_child(child: Any) -> list[Candidate]:
    """Return the candidates of one child, in the order of their indices; at least one."""
    try:
        element, build = _KINDS[child["mt"]]
        return build(_element(child, element), child["mt"], _stamp(child.get("t"))) or [_UNREADABLE]
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        return [_UNREADABLE]


def _element(child: dict[str, Any], name: str) -> dict[str, Any]:
    element = child.get(name)
    if element is None:  # sheet §5: else the single key that is not t or mt
        (element,) = (value for key, value in child.items() if key not in ("t", "mt", name))
    if not isinstance(element, dict):
        raise TypeError(name)
    return element


def _stamp(t: Any) -> str:
    usable = (isinstance(t, str) and t.isascii() and t.isdecimal()) or type(t) is int
    return str(int(t)) if usable and 0 <= int(t) <= _LATEST_MS else json.dumps(t)


def _event_added(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    return [_event("event.added", body["event"], mt, stamp)]


def _event_opened(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    opened = _event("event.opened", body["event"], mt, stamp)
    offer = body.get("mainBetOffer")
    return [opened] if offer is None else [opened, _offer(offer, _id(body["event"]["id"]), mt, stamp)]


def _event_removed(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    return [_whole("event.removed", (_id(body["eventId"]), mt, "", stamp), None)]


def _event_state_changed(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    event = body["id"] if body.get("id") is not None else body["eventId"]
    return [_whole("event.state-changed", (_id(event), mt, "", stamp), body["state"])]


def _offer_added(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    offer = body["betOffer"]
    event = body["eventId"] if body.get("eventId") is not None else offer["eventId"]
    return [_offer(offer, _id(event), mt, stamp)]


def _offer_removed(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    return [_whole("offer.removed", (_id(body["eventId"]), mt, _id(body["betOfferId"]), stamp), None)]


def _offer_status_changed(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    value = [bool(body.get("suspended")), body.get("visible") is not False, body.get("cashOutStatus")]
    return [_whole("offer.status-changed", (_id(body["eventId"]), mt, _id(body["betOfferId"]), stamp), value)]


def _per_offer(name: str, fields: list[str]) -> Callable[[dict[str, Any], int, str], list[Candidate]]:
    """Return a builder of one candidate a bet offer, in order of first appearance; its facts are outcomes."""

    def build(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
        event = _id(body["eventId"])
        offers: dict[str, list[Fact]] = {}
        for outcome in body["outcomes"]:
            own = outcome.get("betOfferId")
            offer = _id(own if own is not None else body["betOfferId"])
            entity = _id(outcome["id"])
            fact = _fact(entity, (event, mt, offer, stamp), [entity, _pick(outcome, fields)])
            offers.setdefault(offer, []).append(fact)
        return [Candidate(f"{_PREFIX}{name}.v1", facts, by_outcome=True) for facts in offers.values()]

    return build


_KINDS = MappingProxyType(
    {
        4: ("ea", _event_added),
        5: ("leo", _event_opened),
        6: ("boa", _offer_added),
        7: ("bor", _offer_removed),
        8: ("bosu", _offer_status_changed),
        11: ("boou", _per_offer("odds.changed", _ODDS)),
        18: ("er", _event_removed),
        22: ("booa", _per_offer("outcomes.added", _OUTCOME)),
        23: ("boor", _per_offer("outcomes.removed", [])),
        34: ("esu", _event_state_changed),
    }
)
"""Message type: element name, and what makes candidates of it. Every other type is a dead letter."""


def _event(name: str, event: dict[str, Any], mt: int, stamp: str) -> Candidate:
    path = [_pick(step, ["id", "name", "englishName", "termKey"]) for step in event.get("path") or ()]
    value = [_pick(event, _EVENT), path if event.get("path") is not None else None]
    return _whole(name, (_id(event["id"]), mt, "", stamp), value)


def _offer(offer: dict[str, Any], event: str, mt: int, stamp: str) -> Candidate:
    criterion, kind = offer.get("criterion"), offer.get("betOfferType")
    if kind is not None and not isinstance(kind, dict):
        kind = {"id": kind}
    value = [
        _pick(offer, ["closed", "cashOutStatus", "tags"]),
        bool(offer.get("suspended")),
        None if criterion is None else _pick(criterion, ["id", "label", "englishLabel", "occurrenceType", "lifetime"]),
        None if kind is None else _pick(kind, ["id", "name", "englishName"]),
        [_pick(outcome, ["id", *_OUTCOME]) for outcome in offer.get("outcomes") or ()],
    ]
    return _whole("offer.added", (event, mt, _id(offer["id"]), stamp), value)


def _whole(name: str, group: tuple[str, int, str, str], value: Any) -> Candidate:
    return Candidate(f"{_PREFIX}{name}.v1", [_fact("", group, value)])


def _id(value: Any) -> str:
    """Return an id by its number: it may come as text (sheet §8)."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError("id")
    return str(int(value))


def _pick(body: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    present = {name: body[name] for name in fields if body.get(name) is not None}
    return {name: _id(value) if name in _IDS else value for name, value in present.items()}


def _fact(entity: str, group: tuple[str, int, str, str], value: Any) -> Fact:
    return Fact(entity, _digest([str(part) for part in group]), _digest(value))


def _digest(value: Any) -> bytes:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(canonical.encode(), digest_size=12).digest()
