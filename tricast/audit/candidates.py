"""Which outputs each child of a Kambi bulk calls for, and which facts each of them states.

Written from the vendor's sheet and docs/architecture.md ("Identity"), not from the processor. A *candidate* has an
index in its frame; a *fact* is what must appear once however many lines carried it: (event, mt, entity, value, t, n-th
occurrence on its line). Its value is what a normalized record says of it: other fields make no new fact.
"""

import json
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from tricast.audit.facts import DEAD_LETTER, PREFIX, Candidate, Fact, fact_of, id_of, pick, whole
from tricast.audit.live import (
    CLOCK,
    SCORE,
    about_event,
    live_statistic,
    occurrence,
    statistics,
    ticker,
    visualization,
)

_OFFER_REMOVED = 7

_EARLIEST_MS, _LATEST_MS = 10**12, 253_402_300_799_999
"""September 2001 (below it, a time in seconds) and the end of the year 9999: any other ``t`` is no time, and is taken
as it stands."""


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
_STATUS = ["status", "cashOutStatus"]
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


def of_child(child: Any, event_of: Callable[[str], str | None] = lambda _: None) -> list[Candidate]:
    """Return the candidates of one child, in the order of their indices; at least one.

    Args:
        child: As JSON.
        event_of: Tells the event of a bet offer, for a ``bor`` that does not name it.
    """
    try:
        element, build = _KINDS[child["mt"]]
        body = _element(child, element)
        if child["mt"] == _OFFER_REMOVED and body.get("eventId") is None:
            known = event_of(id_of(body["betOfferId"]))
            if known is None:
                return [Candidate(DEAD_LETTER, [], offer=id_of(body["betOfferId"]))]
            body = body | {"eventId": known}
        return build(body, child["mt"], _stamp(child.get("t"))) or [_UNREADABLE]
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
    return str(int(t)) if usable and _EARLIEST_MS <= int(t) <= _LATEST_MS else json.dumps(t)


def _event_added(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    return [_event("event.added", body["event"], mt, stamp)]


def _event_opened(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    opened, event = _event("event.opened", body["event"], mt, stamp), id_of(body["event"]["id"])
    offer, live = body.get("mainBetOffer"), body.get("liveData") or {}
    candidates = [opened] if offer is None else [opened, _offer(offer, event, mt, stamp)]
    for name, part, value in (
        ("clock.changed", "matchClock", lambda body: pick(body, CLOCK)),
        ("score.changed", "score", lambda body: pick(body, SCORE)),
        ("statistics.changed", "statistics", statistics),
    ):
        if live.get(part) is not None:
            candidates.append(whole(name, (event, mt, name, stamp), value(live[part])))
    return candidates


def _event_removed(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    return [whole("event.removed", (id_of(body["eventId"]), mt, "", stamp), None)]


def _event_state_changed(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    event = body["id"] if body.get("id") is not None else body["eventId"]
    return [whole("event.state-changed", (id_of(event), mt, "", stamp), body["state"])]


def _offer_added(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    offer = body["betOffer"]
    event = body["eventId"] if body.get("eventId") is not None else offer["eventId"]
    return [_offer(offer, id_of(event), mt, stamp)]


def _offer_removed(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    return [whole("offer.removed", (id_of(body["eventId"]), mt, id_of(body["betOfferId"]), stamp), None)]


def _offer_status_changed(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    value = [bool(body.get("suspended")), body.get("visible") is not False, body.get("cashOutStatus")]
    return [whole("offer.status-changed", (id_of(body["eventId"]), mt, id_of(body["betOfferId"]), stamp), value)]


def _per_offer(name: str, fields: list[str]) -> Callable[[dict[str, Any], int, str], list[Candidate]]:
    """Return a builder of one candidate a bet offer, in order of first appearance; its facts are outcomes."""

    def build(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
        event = id_of(body["eventId"])
        offers: dict[str, list[Fact]] = {}
        for outcome in body["outcomes"]:
            own = outcome.get("betOfferId")
            offer = id_of(own if own is not None else body["betOfferId"])
            entity = id_of(outcome["id"])
            stated = fact_of(entity, (event, mt, offer, stamp), [entity, pick(outcome, fields)])
            offers.setdefault(offer, []).append(stated)
        return [
            Candidate(f"{PREFIX}{name}.v1", facts, by_outcome=True, event=event, offer=offer)
            for offer, facts in offers.items()
        ]

    return build


def _settled(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    listed, bare = (
        [item if isinstance(item, dict) else {"id": item} for item in body.get(name) or ()]
        for name in ("outcomes", "outcomeIds")
    )
    # The list of ids adds those that the list of outcomes does not have; an id that it names twice is one, said last.
    added = {id_of(outcome["id"]): outcome for outcome in bare}
    for outcome in listed:
        added.pop(id_of(outcome["id"]), None)
    candidates = []
    for outcome in (*listed, *added.values()):
        said = {name: outcome.get(name, body.get(name)) for name in ("betOfferId", "eventId")}
        value = [{name: id_of(place) for name, place in said.items() if place is not None}, outcome.get("status")]
        candidates.append(whole("outcome.settled", ("", mt, id_of(outcome["id"]), stamp), value))
    return candidates


_KINDS = MappingProxyType(
    {
        4: ("ea", _event_added),
        5: ("leo", _event_opened),
        6: ("boa", _offer_added),
        7: ("bor", _offer_removed),
        8: ("bosu", _offer_status_changed),
        9: ("abos", about_event("offers.suspended", lambda _: None)),
        11: ("boou", _per_offer("odds.changed", _ODDS)),
        12: ("mcr", about_event("clock.removed", lambda _: None)),
        15: ("mcu", about_event("clock.changed", lambda body: pick(body["matchClock"], CLOCK))),
        16: ("score", about_event("score.changed", lambda body: pick(body["score"], SCORE))),
        17: ("stats", about_event("statistics.changed", lambda body: statistics(body["statistics"]))),
        18: ("er", _event_removed),
        19: ("tu", ticker),
        20: ("desc", about_event("event.description-changed", lambda body: body.get("description"))),
        22: ("booa", _per_offer("outcomes.added", _OUTCOME)),
        23: ("boor", _per_offer("outcomes.removed", [])),
        24: ("os", _settled),
        25: ("mo", about_event("occurrence.changed", occurrence, "id")),
        27: ("vo", about_event("visualization.changed", visualization, "id")),
        28: ("ls", about_event("live-statistic.changed", live_statistic, "occurrenceTypeId")),
        32: ("osu", _per_offer("outcomes.status-changed", _STATUS)),
        34: ("esu", _event_state_changed),
    }
)
"""Message type: element name, and what makes candidates of it. Every other type is a dead letter."""


def _event(name: str, event: dict[str, Any], mt: int, stamp: str) -> Candidate:
    path = [pick(step, ["id", "name", "englishName", "termKey"]) for step in event.get("path") or ()]
    value = [pick(event, _EVENT), path if event.get("path") is not None else None]
    return whole(name, (id_of(event["id"]), mt, "", stamp), value)


def _offer(offer: dict[str, Any], event: str, mt: int, stamp: str) -> Candidate:
    criterion, kind = offer.get("criterion"), offer.get("betOfferType")
    if kind is not None and not isinstance(kind, dict):
        kind = {"id": kind}
    value = [
        pick(offer, ["closed", "cashOutStatus", "tags"]),
        bool(offer.get("suspended")),
        None if criterion is None else pick(criterion, ["id", "label", "englishLabel", "occurrenceType", "lifetime"]),
        None if kind is None else pick(kind, ["id", "name", "englishName"]),
        [pick(outcome, ["id", *_OUTCOME]) for outcome in offer.get("outcomes") or ()],
    ]
    return whole("offer.added", (event, mt, id_of(offer["id"]), stamp), value)
