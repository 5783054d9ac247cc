"""A small reference consumer: what push and HTTP add up to by the sheet's rules, and strict about them."""

import json
from dataclasses import dataclass, field
from typing import Any

ELEMENTS = {
    4: ("ea", {"event"}),
    5: ("leo", {"event", "liveData", "mainBetOffer"}),
    6: ("boa", {"betOffer", "eventId"}),
    7: ("bor", {"betOfferId"}),
    8: ("bosu", {"betOfferId", "eventId"}),
    11: ("boou", {"eventId", "outcomes"}),
    12: ("mcr", {"eventId"}),
    15: ("mcu", {"eventId", "matchClock"}),
    16: ("score", {"eventId", "score"}),
    17: ("stats", {"eventId", "statistics"}),
    18: ("er", {"eventId"}),
    19: ("tu", {"id", "eventId", "type", "minute", "message"}),
    20: ("desc", {"eventId", "description"}),
    22: ("booa", {"eventId", "outcomes"}),
    23: ("boor", {"eventId", "outcomes"}),
    24: ("os", {"outcomes"}),
    25: ("mo", {"id", "eventId", "occurrenceTypeId", "action"}),
    27: ("vo", {"id", "eventId", "occurrenceTypeId"}),
    28: ("ls", {"eventId", "occurrenceTypeId", "value"}),
    32: ("osu", {"eventId", "outcomes"}),
    34: ("esu", {"id", "state"}),
}
"""Sheet, section 6: element name and the fields that are always there."""

LANGUAGE_SIDE = {4, 5, 6, 8, 15, 19, 22, 25}
WHOLE_EVENT = {4, 5, 12, 15, 18, 20, 34}
ONE_EVENT = {19, 25, 27, 28, 32}
"""Types that only followers of one event get."""


def parse(envelope: bytes) -> tuple[int, dict[str, Any]]:
    """Return message type and element of one envelope; fail on anything that the sheet does not have."""
    body = json.loads(envelope)
    name, required = ELEMENTS[body["mt"]]
    assert list(body) == ["t", "mt", name]
    assert isinstance(body["t"], str)
    assert body["t"].isdecimal()
    element = body[name]
    assert required <= set(element)
    return body["mt"], element


def empty_event(state: str) -> dict[str, Any]:
    """Return an event of which nothing but its state is known."""
    return {"state": state, "clock": None, "score": None, "statistics": None, "description": None, "offers": {}}


def offer_of(bet_offer: dict[str, Any]) -> dict[str, Any]:
    """Return what is held of a whole bet offer."""
    combinable = bet_offer.get("combinableOutcomes", {"playerOutcomes": [], "resultOutcomes": []})
    outcomes = [*bet_offer["outcomes"], *combinable["playerOutcomes"], *combinable["resultOutcomes"]]
    return {
        "suspended": bet_offer.get("suspended", False),
        "visible": True,
        "outcomes": {str(outcome["id"]): outcome_of(outcome) for outcome in outcomes},
    }


def outcome_of(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return what is held of a whole outcome; fail on odds that no vendor would send."""
    assert outcome.get("odds", 2000) > 1000 or outcome["odds"] == -1
    assert outcome["id"] > 1 << 32
    assert {"label", "type", "changedDate"} <= set(outcome)
    return {"odds": outcome.get("odds"), "status": outcome["status"]}


@dataclass
class Consumer:
    """Events by id as ``Offering.state`` has them, and what else is shown of them; ids are text as in JSON."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    removed: set[tuple[str, int]] = field(default_factory=set)

    def load(self, offers: dict[str, Any] | None, live_data: list[dict[str, Any]] | None) -> None:
        """Take the answers of ``betoffer/event`` and ``event/livedata`` for what they cover."""
        for event in (offers or {}).get("events", []):
            self.events[str(event["id"])] = empty_event(event["state"])
        for bet_offer in (offers or {}).get("betOffers", []):
            self.events[str(bet_offer["eventId"])]["offers"][str(bet_offer["id"])] = offer_of(bet_offer)
        for body in live_data or []:
            self._live_data(str(body["eventId"]), body)

    def apply(self, mt: int, element: dict[str, Any]) -> None:
        """Take one message; fail on what cannot be."""
        if mt == 24:
            return
        event_id = str(element.get("eventId") or (element["event"]["id"] if "event" in element else element["id"]))
        assert ("event", int(event_id)) not in self.removed
        if mt == 4:
            assert event_id not in self.events
            assert element["event"]["state"] == "NOT_STARTED"
            self.events[event_id] = empty_event("NOT_STARTED")
            return
        event = self.events[event_id]
        match mt:
            case 5:
                assert element["event"]["state"] == event["state"] == "STARTED"
                self._live_data(event_id, element["liveData"])
                event["offers"][str(element["mainBetOffer"]["id"])] = offer_of(element["mainBetOffer"])
            case 18:
                del self.events[event_id]
                self.removed.add(("event", int(event_id)))
            case 34:
                event["state"] = element["state"]
            case 12 | 15:
                event["clock"] = self._newer(event["clock"], element.get("matchClock"))
            case 16:
                event["score"] = self._newer(event["score"], element["score"])
            case 17:
                event["statistics"] = self._newer(event["statistics"], element["statistics"])
            case 20:
                event["description"] = element["description"]
            case 19 | 25 | 27 | 28:
                self._show(mt, self.shown.setdefault(event_id, {}), element)
            case _:
                self._offer(mt, event["offers"], element)

    def _offer(self, mt: int, offers: dict[str, Any], element: dict[str, Any]) -> None:
        match mt:
            case 6:
                offer = element["betOffer"]
                assert ("offer", offer["id"]) not in self.removed
                assert "MAIN_LINE" not in offer["tags"]
                offers[str(offer["id"])] = offer_of(offer)
            case 7:
                del offers[str(element["betOfferId"])]
                self.removed.add(("offer", element["betOfferId"]))
            case 8:
                offer = offers[str(element["betOfferId"])]
                told = {"suspended": element["suspended"], "visible": element["visible"]}
                assert {name: offer[name] for name in told} != told
                offer.update(told)
            case _:
                for outcome in element["outcomes"]:
                    outcomes, key = offers[str(outcome["betOfferId"])]["outcomes"], str(outcome["id"])
                    assert ("outcome", outcome["id"]) not in self.removed
                    assert (key in outcomes) is (mt != 22)
                    if mt == 11:
                        outcomes[key]["odds"] = outcome.get("odds")
                    elif mt == 22:
                        outcomes[key] = outcome_of(outcome)
                    elif mt == 23:
                        del outcomes[key]
                        self.removed.add(("outcome", outcome["id"]))
                    else:
                        assert outcomes[key]["status"] != outcome["status"]
                        outcomes[key]["status"] = outcome["status"]

    def _live_data(self, event_id: str, body: dict[str, Any]) -> None:
        event = self.events[event_id]
        event["clock"] = body.get("matchClock")
        event["score"] = body["score"] if body["score"]["home"] or body["score"]["away"] else None
        event["statistics"] = body.get("statistics")
        if "description" in body:
            event["description"] = body["description"]
        self.shown[event_id] = {
            "occurrences": {occurrence["id"]: occurrence for occurrence in body["occurrences"]},
            "tickers": {ticker["id"]: ticker for ticker in body["tickers"]},
            "visualization": body.get("latestVisualization"),
            "counts": {item["occurrenceTypeId"]: item["count"] for item in body["liveStatistics"]},
        }

    def _show(self, mt: int, shown: dict[str, Any], element: dict[str, Any]) -> None:
        match mt:
            case 19:
                shown["tickers"][element["id"]] = element
            case 25 if element["action"] == "DELETED":
                shown["occurrences"].pop(element["id"], None)
            case 25:
                assert (element["id"] in shown["occurrences"]) is (element["action"] == "MODIFIED")
                shown["occurrences"][element["id"]] = element
            case 27:
                shown["visualization"] = element
            case 28:
                shown["counts"][element["occurrenceTypeId"]] = element["value"]

    @staticmethod
    def _newer(held: dict[str, Any] | None, told: dict[str, Any] | None) -> dict[str, Any] | None:
        assert held is None or told is None or told["version"] > held["version"]
        return told
