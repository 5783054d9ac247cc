"""What a message of the vendor says, as records are to say it; written from the fact sheet, not from the core."""

from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]

NAMES: Final = {
    4: "ea", 5: "leo", 6: "boa", 7: "bor", 8: "bosu", 9: "abos", 11: "boou", 12: "mcr", 15: "mcu", 16: "score",
    17: "stats", 18: "er", 19: "tu", 20: "desc", 22: "booa", 23: "boor", 24: "os", 25: "mo", 27: "vo", 28: "ls",
    32: "osu", 34: "esu",
}  # fmt: skip
_PER_OFFER: Final = {11: "odds.changed", 22: "outcomes.added", 23: "outcomes.removed", 32: "outcomes.status-changed"}
TOPICS: Final = {
    "event.added": "events", "event.opened": "events", "event.removed": "events", "event.state-changed": "events",
    "event.description-changed": "events", "offer.added": "offers", "offer.removed": "offers",
    "offer.status-changed": "offers", "offers.suspended": "offers", "odds.changed": "offers",
    "outcomes.added": "offers", "outcomes.removed": "offers", "outcomes.status-changed": "offers",
    "clock.removed": "scores", "clock.changed": "scores", "score.changed": "scores", "statistics.changed": "scores",
    "ticker.added": "scores", "occurrence.changed": "scores", "visualization.changed": "scores",
    "live-statistic.changed": "scores", "outcome.settled": "settlements", "offers.removed": "offers",
    "scores.removed": "scores",
}  # fmt: skip


class BadChildError(Exception):
    """A child that becomes one dead letter; its argument is the code."""


@dataclass(slots=True)
class Candidate:
    """One record to be, if its facts are new.

    Attributes:
        kind: ``ce_type`` without prefix and suffix.
        event: Event id; ``None`` if the vendor did not say.
        value: All fields but ``event_id``, ``vendor_time_ms``, ``late`` and the outcomes of messages about outcomes.
        outcomes: Facts of a record that has one an outcome; ``None`` for other records.
    """

    kind: str
    event: int | None
    value: Json
    outcomes: list[Json] | None = None
    offer: int | None = field(default=None)


def usable_time(t: Any) -> int | None:
    """Return ``t`` if it is a time in milliseconds, as digits or as an integer."""
    if isinstance(t, str) and t.isdigit() and t.isascii() and len(t) < 16:
        t = int(t)
    if type(t) is int and 10**12 <= t < 253_402_300_800_000:
        return t
    return None


def candidates(child: Any) -> list[Candidate]:
    """Return what ``child`` yields, in the fixed order.

    Raises:
        BadChildError: Nothing but a dead letter.
    """
    if not isinstance(child, dict):
        raise BadChildError("kambi.not-an-object")
    mt = child.get("mt")
    if type(mt) is not int:
        raise BadChildError("kambi.no-type")
    if mt not in NAMES:
        raise BadChildError("kambi.unknown-message-type")
    if NAMES[mt] not in child:
        raise BadChildError("kambi.no-element")
    return _candidates(mt, child[NAMES[mt]])


def _candidates(mt: int, body: Json) -> list[Candidate]:
    event = body.get("eventId")
    if mt == 24:
        return [_settled(outcome, body) for outcome in body["outcomes"]]
    if mt == 4:
        return [described("event.added", body["event"])]
    if mt == 5:
        return _opened(body)
    if mt == 6:
        return [offer_added(body["betOffer"])]
    if mt == 7:
        return [Candidate("offer.removed", event, {"offer_id": body["betOfferId"]}, offer=body["betOfferId"])]
    if mt == 34 and "id" in body:
        event = body["id"]
    if mt == 19 and "ticker" in body:
        body = body["ticker"]
        event = body["eventId"]
    if event is None:
        raise BadChildError("kambi.no-event-id")
    if mt in _PER_OFFER:
        return _per_offer(_PER_OFFER[mt], event, body["outcomes"])
    match mt:
        case 8:
            said = {"offer_id": body["betOfferId"], "suspended": body.get("suspended", False)}
            said |= {"visible": body.get("visible", True)} | _taken(body, cash_out_status="cashOutStatus")
            return [Candidate("offer.status-changed", event, said, offer=body["betOfferId"])]
        case 9:
            return [Candidate("offers.suspended", event, {})]
        case 12:
            return [Candidate("clock.removed", event, {})]
        case 15:
            return [clock(event, body["matchClock"])]
        case 16:
            return [score(event, body["score"])]
        case 17:
            return [statistics(event, body["statistics"])]
        case 18:
            return [Candidate("event.removed", event, {})]
        case 19:
            return [Candidate("ticker.added", event, {"ticker_id": body["id"], "message": body["message"]})]
        case 20:
            said = {"description": body["description"]} if body["description"] else {}
            return [Candidate("event.description-changed", event, said)]
        case 25:
            said = {"occurrence_id": body["id"], "action": body["action"], "period_index": body["periodIndex"]}
            return [Candidate("occurrence.changed", event, said)]
        case 27:
            said = {"visualization_id": body["id"], "period_id": str(body["periodId"])}
            return [Candidate("visualization.changed", event, said)]
        case 28:
            said = {"occurrence_type_id": body["occurrenceTypeId"], "value": body["value"]}
            return [Candidate("live-statistic.changed", event, said)]
        case _:
            return [Candidate("event.state-changed", event, {"state": body["state"]})]


def _taken(body: Json, **names: str) -> Json:
    return {ours: body[theirs] for ours, theirs in names.items() if body.get(theirs) is not None}


def described(kind: str, body: Json) -> Candidate:
    """Return the record of an event."""
    said = _taken(body, name="name", group_id="groupId", tags="tags", state="state")
    return Candidate(kind, body["id"], said)


def _opened(body: Json) -> list[Candidate]:
    event = body["event"]["id"]
    found = [described("event.opened", body["event"])]
    if "mainBetOffer" in body:
        found.append(offer_added(body["mainBetOffer"]))
    live = body.get("liveData", {})
    if "matchClock" in live:
        found.append(clock(event, live["matchClock"]))
    if "score" in live:
        found.append(score(event, live["score"]))
    if "statistics" in live:
        found.append(statistics(event, live["statistics"]))
    return found


def offer_added(offer: Json) -> Candidate:
    """Return the record of a whole offer."""
    kind = offer["betOfferType"]
    said: Json = {"type_id": kind["id"], "type_name": kind["name"]} if isinstance(kind, dict) else {"type_id": kind}
    said |= {"criterion": {"id": offer["criterion"]["id"], "label": offer["criterion"]["label"]}}
    said |= {"offer_id": offer["id"], "suspended": offer.get("suspended", False)}
    said |= _taken(offer, cash_out_status="cashOutStatus")
    said["outcomes"] = [_outcome(outcome) for outcome in offer["outcomes"]]
    return Candidate("offer.added", offer["eventId"], said, offer=offer["id"])


def _odds(outcome: Json) -> Json:
    odds = outcome.get("odds")
    if odds is None:
        return {}
    if odds == -1:
        return {"starting_price": True}
    if odds < 1000:
        raise BadChildError("kambi.bad-odds")
    return {"odds_thousandths": odds}


def _outcome(outcome: Json) -> Json:
    described = _taken(outcome, label="label", type="type", line_thousandths="line", status="status")
    return {"id": outcome["id"]} | _odds(outcome) | described


def _per_offer(kind: str, event: int, outcomes: list[Json]) -> list[Candidate]:
    if not outcomes:
        raise BadChildError("kambi.no-outcomes")
    found: dict[int, Candidate] = {}
    for outcome in outcomes:
        offer = outcome["betOfferId"]
        candidate = found.setdefault(offer, Candidate(kind, event, {"offer_id": offer}, [], offer))
        assert candidate.outcomes is not None
        if kind == "odds.changed":
            candidate.outcomes.append({"id": outcome["id"]} | _odds(outcome))
        elif kind == "outcomes.added":
            candidate.outcomes.append(_outcome(outcome))
        elif kind == "outcomes.removed":
            candidate.outcomes.append({"id": outcome["id"]})
        else:
            candidate.outcomes.append({"id": outcome["id"], "status": outcome["status"]})
    return list(found.values())


def clock(event: int, body: Json) -> Candidate:
    """Return the record of a clock."""
    said = {"minute": body["minute"], "running": body["running"], "period_id": body["periodId"]}
    return Candidate("clock.changed", event, said | _taken(body, version="version"))


def score(event: int, body: Json) -> Candidate:
    """Return the record of a score."""
    said = {"home": body["home"], "away": body["away"], "who": body["who"]}
    return Candidate("score.changed", event, said | _taken(body, version="version"))


def statistics(event: int, body: Json) -> Candidate:
    """Return the record of statistics."""
    said: Json = _taken(body, version="version")
    if "sets" in body:
        sets = body["sets"]
        said["sets"] = {"home": sets["home"], "away": sets["away"], "home_serve": sets["homeServe"]}
    else:
        football = body["football"]
        said["football"] = {
            "home": {"corners": football["home"]["corners"]},
            "away": {"yellow_cards": football["away"]["yellowCards"]},
        }
    return Candidate("statistics.changed", event, said)


def _settled(outcome: Json, body: Json) -> Candidate:
    said = {"outcome_id": outcome["id"]} | _taken(outcome, offer_id="betOfferId", status="status")
    return Candidate("outcome.settled", outcome.get("eventId"), said, offer=outcome.get("betOfferId"))
