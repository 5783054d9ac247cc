"""What a consumer of the push feed would hold, folded from envelopes by the sheet's rules, and strict about them."""

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


@dataclass
class View:
    """Offers and outcomes by id. What was there before the first message is learned when it is first named."""

    opened: set[int] = field(default_factory=set)
    removed_events: set[int] = field(default_factory=set)
    removed_offers: set[int] = field(default_factory=set)
    removed_outcomes: set[int] = field(default_factory=set)
    offers: dict[int, int] = field(default_factory=dict)
    odds: dict[int, int] = field(default_factory=dict)
    suspended: dict[int, bool] = field(default_factory=dict)

    def apply(self, mt: int, element: dict[str, Any]) -> None:
        event_id = element.get("eventId") or element.get("id") or element["event"]["id"]
        assert event_id not in self.removed_events
        match mt:
            case 4:
                assert element["event"]["state"] == "NOT_STARTED"
            case 5:
                assert element["event"]["state"] == "STARTED"
                self.opened.add(event_id)
            case 18:
                self.removed_events.add(event_id)
            case 6:
                offer = element["betOffer"]
                assert offer["id"] not in self.offers
                assert offer["id"] not in self.removed_offers
                assert "MAIN_LINE" not in offer["tags"]
                self.offers[offer["id"]] = event_id
                self.suspended[offer["id"]] = offer.get("suspended", False)
                for outcome in offer["outcomes"]:
                    self._price(event_id, outcome)
            case 7:
                self._known(event_id, element["betOfferId"])
                self.removed_offers.add(element["betOfferId"])
            case 8:
                self._known(event_id, element["betOfferId"])
                assert self.suspended.get(element["betOfferId"]) is not element["suspended"]
                self.suspended[element["betOfferId"]] = element["suspended"]
            case 11 | 22:
                for outcome in element["outcomes"]:
                    if mt == 22:
                        assert outcome["id"] not in self.odds
                        assert {"label", "type", "status", "changedDate"} <= set(outcome)
                    self._known(event_id, outcome["betOfferId"])
                    self._price(event_id, outcome)
            case 23:
                for outcome in element["outcomes"]:
                    self._known(event_id, outcome["betOfferId"])
                    assert outcome["id"] not in self.removed_outcomes
                    self.removed_outcomes.add(outcome["id"])

    def _known(self, event_id: int, offer_id: int) -> None:
        assert offer_id not in self.removed_offers
        if event_id in self.opened:
            assert self.offers[offer_id] == event_id

    def _price(self, event_id: int, outcome: dict[str, Any]) -> None:
        assert outcome["odds"] > 1000
        assert outcome["id"] > 1 << 32
        assert outcome["id"] not in self.removed_outcomes
        self.odds[outcome["id"]] = outcome["odds"]
