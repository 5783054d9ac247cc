"""A vendor's changes at random: what it says of a few events, when, and on which of its routing keys."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final

Json = dict[str, Any]

START_MS: Final = 1_790_000_000_000
GENERAL_ONLY: Final = frozenset({4, 5, 12, 15, 16, 18, 20, 34})
OWN_ONLY: Final = frozenset({19, 25, 27, 28, 32})
LANGUAGE: Final = frozenset({4, 5, 6, 8, 9, 15, 19, 22, 25})
"""Message types of the language keys; the others come on the neutral ones (fact sheet, section 6)."""
_WEIGHTS: Final = {
    11: 30, 6: 8, 7: 7, 8: 8, 22: 5, 23: 4, 32: 4, 9: 1, 4: 2, 5: 3, 18: 3, 34: 4, 20: 2, 12: 2, 15: 4, 16: 5, 17: 3,
    19: 2, 25: 3, 27: 2, 28: 3, 24: 3, 99: 1,
}  # fmt: skip
_ODDS: Final = (1500, 1600, 1700, 2500, 1000, -1, None)


@dataclass(frozen=True, slots=True)
class Change:
    """One message of the vendor.

    Attributes:
        at_ms: When it was sent, UTC ms.
        event: Which event's keys it rides on.
        general: The message on the general keys, ``None`` if it is not sent there.
        own: The message on the event's own keys, likewise.
    """

    at_ms: int
    event: int
    general: Json | None
    own: Json | None

    @property
    def mt(self) -> Any:
        return (self.general or self.own or {}).get("mt")


class Vendor:
    """Makes up changes.

    Args:
        random: Where chance comes from.
        odd: Share of messages that break a rule of the fact sheet.
        skew_ms: How far apart the times of copies mostly are at the most.
    """

    def __init__(self, random: Random, odd: float, skew_ms: int = 0) -> None:
        self._skew_ms = skew_ms
        self._random = random
        self._odd = odd
        first = random.choice((1_020_000_000, 2**53, 7))
        self.events = [first + random.choice((0, 1, 2, 3, 5)) + number * 7 for number in range(random.randint(1, 3))]
        base = random.choice((2_500_000_000, 2**53 + 1))
        self.offers = {
            event: [base + 10 * place + number for number in range(1, 4)] for place, event in enumerate(self.events)
        }
        self.now_ms = START_MS
        self._versions = random.random() < 0.4
        self._version = 0
        self._last: dict[object, Json] = {}
        """What was said last of outcomes, clocks and the like; most of a snapshot is what push said, too."""

    def changes(self, number: int) -> list[Change]:
        """Return ``number`` changes in the order in which they are sent."""
        return [self._change() for _ in range(number)]

    def _change(self) -> Change:
        random = self._random
        self.now_ms += random.choices(
            (
                0,
                random.randint(1, 5),
                random.randint(100, 900),
                random.randint(1_000, 20_000),
                random.choice((45_000, 70_000, 121_000)),
            ),
            (40, 22, 25, 11, 2),
        )[0]
        mt = random.choices(tuple(_WEIGHTS), tuple(_WEIGHTS.values()))[0]
        event = random.choice(self.events)
        own = {"t": self._time(), "mt": mt, **self._element(mt, event)}
        if own["t"] is None and random.random() < 0.5:
            del own["t"]
        if random.random() < self._odd / 10:
            own = random.choice(({"mt": "eleven"}, {"t": "1", "mt": mt}, {**own, "mt": None}))
        general = self._general_copy(own)
        is_both = random.random() < 0.03
        if mt in OWN_ONLY and not is_both:
            return Change(self.now_ms, event, None, own)
        if (mt in GENERAL_ONLY or mt == 17) and not is_both and random.random() < 0.9:
            return Change(self.now_ms, event, general, None)
        if mt not in GENERAL_ONLY and random.random() < 0.3:
            return Change(self.now_ms, event, None, own)
        return Change(self.now_ms, event, general, own)

    def _time(self) -> Any:
        random, now = self._random, self.now_ms
        if random.random() >= self._odd:
            return str(now) if random.random() < 0.9 else str(now - random.randint(1, 8))
        return random.choice(
            (
                now,
                None,
                "",
                "soon",
                str(now // 1000),
                str(now - random.randint(0, 3_000)),
                str(now + random.randint(59_990, 60_010)),
                str(now + 10**9),
                str(10**12),
                str(10**12 - 1),
                1.5,
            )
        )

    def _general_copy(self, own: Json) -> Json:
        """Return the copy on the general keys: the same, filtered, or in rare cases another."""
        random = self._random
        copy = dict(own)
        name = next((name for name in copy if name not in ("t", "mt")), None)
        body = copy.get(name) if name else None
        if not isinstance(body, dict):
            return copy
        outcomes = body.get("outcomes")
        if isinstance(outcomes, list) and len(outcomes) > 1 and random.random() < 0.4:
            copy[str(name)] = body | {"outcomes": random.sample(outcomes, random.randint(1, len(outcomes) - 1))}
        elif isinstance(outcomes, list) and outcomes and random.random() < self._odd:
            other = {**outcomes[0], "odds": 1900}
            copy[str(name)] = body | {"outcomes": [other, *outcomes[1:]]}
        elif own["mt"] == 7 and random.random() < 0.2:
            copy[str(name)] = {"betOfferId": body.get("betOfferId")}
        elif own["mt"] == 8 and random.random() < self._odd:
            copy[str(name)] = body | {"suspended": not body.get("suspended")}
        if isinstance(copy.get("t"), str) and copy["t"].isdigit():
            if random.random() < self._odd / 2:
                copy["t"] = str(int(copy["t"]) + random.choice((-1, 1, 2)))
            elif self._skew_ms and random.random() < 0.6:
                copy["t"] = str(int(copy["t"]) + random.randint(-self._skew_ms - 1, self._skew_ms + 1))
        return copy

    # Snapshots.

    def snapshot(self) -> tuple[str, int, Json | None]:
        """Return an HTTP request, its status and what the answer says."""
        random = self._random
        events = random.sample(self.events, random.randint(1, len(self.events)))
        ids = ",".join(map(str, events))
        if random.random() < 0.6:
            position = f"betoffer/event/{ids}.json?lang=en_GB"
            body: Json = {
                "betOffers": [
                    self._again(("offer", offer), partial(self._offer, event, offer))
                    for event in events
                    for offer in self.offers[event]
                    if random.random() < 0.8
                ],
                "events": [
                    self._again(event, partial(self._event, event)) for event in events if random.random() < 0.9
                ],
            }
        else:
            position = f"event/livedata/{ids}.json"
            body = {"liveData": [self._live_data(event) for event in events]}
        return (position, 404, None) if random.random() < 0.05 else (position, 200, body)

    def _again(self, what: object, make: Callable[[], Json]) -> Json:
        """Return what was said last, mostly."""
        if what in self._last and self._random.random() < 0.7:
            return self._last[what]
        return make()

    def _live_data(self, event: int) -> Json:
        random = self._random
        live: Json = {"eventId": event, "score": {"home": "", "away": "", "who": "UNKNOWN"}}
        if random.random() < 0.8:
            live["score"] = self._again("score", self._score)
        if random.random() < 0.7:
            live["matchClock"] = self._again("clock", self._clock)
        if random.random() < 0.5:
            live["statistics"] = self._again("statistics", self._statistics)
        if random.random() < 0.3:
            live["description"] = random.choice(("Rain", "Sun"))
        return live

    # Elements.

    def _element(self, mt: int, event: int) -> Json:
        random = self._random
        offer = random.choice(self.offers[event])
        match mt:
            case 4:
                return {"ea": {"event": self._event(event)}}
            case 5:
                return {"leo": self._opened(event, offer)}
            case 6:
                return {"boa": {"eventId": event, "betOffer": self._offer(event, offer)}}
            case 7:
                return {"bor": {"betOfferId": offer} | self._event_id(event, 0.15)}
            case 8:
                said = {name: random.random() < 0.5 for name in ("suspended", "visible") if random.random() < 0.7}
                cash = {"cashOutStatus": random.choice(("ENABLED", "SUSPENDED"))} if random.random() < 0.3 else {}
                return {"bosu": {"betOfferId": offer} | self._event_id(event, self._odd / 4) | said | cash}
            case 9:
                return {"abos": {"eventId": event}}
            case 11 | 22 | 23 | 32:
                return self._outcomes_changed(mt, event)
            case 12:
                return {"mcr": {"eventId": event}}
            case 15:
                return {"mcu": {"eventId": event, "matchClock": self._clock()}}
            case 16:
                return {"score": {"eventId": event, "score": self._score()}}
            case 17:
                return {"stats": {"eventId": event, "statistics": self._statistics()}}
            case 18:
                return {"er": {"eventId": event}}
            case 19:
                line = {"id": random.randint(1, 2), "eventId": event, "message": random.choice("ab")}
                return {"tu": line if random.random() < 0.7 else {"ticker": line}}
            case 20:
                return {"desc": {"eventId": event, "description": random.choice(("Rain", "Sun", "", None))}}
            case 24:
                return {"os": self._settled(event)}
            case 25:
                action = random.choice(("ADDED", "MODIFIED", "DELETED"))
                return {"mo": {"id": random.randint(1, 2), "eventId": event, "action": action, "periodIndex": 1}}
            case 27:
                return {"vo": {"id": random.randint(1, 2), "eventId": event, "periodId": random.choice(("1", 2))}}
            case 28:
                kind = random.choice(("CORNERS_HOME", "CORNERS_AWAY"))
                return {"ls": {"eventId": event, "occurrenceTypeId": kind, "value": random.randint(0, 2)}}
            case 34:
                key = "id" if random.random() < 0.8 else "eventId"
                return {"esu": {key: event, "state": random.choice(("STARTED", "NOT_STARTED", "FINISHED"))}}
            case _:
                return {"news": {"eventId": event}}

    def _event_id(self, event: int, missing: float) -> Json:
        return {} if self._random.random() < missing else {"eventId": event}

    def _event(self, event: int) -> Json:
        state = {"state": self._random.choice(("STARTED", "NOT_STARTED"))} if self._random.random() < 0.8 else {}
        return self._keep(event, {"id": event, "name": "A - B", "groupId": 2**62, "tags": ["MATCH"]} | state)

    def _keep(self, what: object, body: Json) -> Json:
        self._last[what] = body
        return body

    def _opened(self, event: int, offer: int) -> Json:
        random = self._random
        opened: Json = {"event": self._event(event)}
        if random.random() < 0.7:
            opened["mainBetOffer"] = self._offer(event, offer)
        if random.random() < 0.7:
            live: Json = {"eventId": event, "score": self._score()}
            if random.random() < 0.6:
                live["matchClock"] = self._clock()
            if random.random() < 0.4:
                live["statistics"] = self._statistics()
            opened["liveData"] = live
        return opened

    def _offer(self, event: int, offer: int) -> Json:
        random = self._random
        said: Json = {"suspended": random.random() < 0.5} if random.random() < 0.5 else {}
        ids = random.sample(self._outcome_ids(offer), random.randint(0, 3))
        said |= {
            "id": offer,
            "eventId": event,
            "betOfferType": random.choice((2, {"id": 2, "name": "Match"})),
            "criterion": {"id": 1001159858, "label": "Full Time", "order": []},
            "cashOutStatus": random.choice(("ENABLED", "DISABLED")),
            "outcomes": [self._outcome(offer, outcome) for outcome in ids],
        }
        return self._keep(("offer", offer), said)

    def _outcome(self, offer: int, outcome: int) -> Json:
        odds = self._random.choice(_ODDS)
        body = {
            "id": outcome, "betOfferId": offer, "label": "x", "type": "OT_ONE", "line": 2500,
            "status": self._random.choice(("OPEN", "SUSPENDED")),
        }  # fmt: skip
        return body if odds is None else body | {"odds": odds}

    @staticmethod
    def _outcome_ids(offer: int) -> list[int]:
        return [offer * 10 + number for number in range(3)]

    def _outcomes_changed(self, mt: int, event: int) -> Json:
        random = self._random
        name = {11: "boou", 22: "booa", 23: "boor", 32: "osu"}[mt]
        if random.random() < self._odd / 5:
            return {name: {"eventId": event, "outcomes": []}}
        offers = self.offers[event]
        outcomes = []
        for offer in random.sample(offers, random.choices((1, 2), (4, 1))[0]):
            for outcome in random.sample(self._outcome_ids(offer), random.randint(1, 3)):
                body = self._outcome(offer, outcome)
                if mt == 11:
                    body = {key: body[key] for key in ("id", "betOfferId", "odds") if key in body}
                    if random.random() < self._odd / 10:
                        body["odds"] = 999
                elif mt == 23:
                    body = {key: body[key] for key in ("id", "betOfferId")}
                elif mt == 32:
                    body = {key: body[key] for key in ("id", "betOfferId", "status")}
                outcomes.append(body)
                if random.random() < 0.04:  # the same outcome once more, alike or not
                    outcomes.append(dict(body) if random.random() < 0.5 else body | {"odds": 1800, "status": "OPEN"})
        return {name: {"outcomes": outcomes} | self._event_id(event, self._odd / 8)}

    def _numbered(self, what: str, body: Json) -> Json:
        if not self._versions or self._random.random() < 0.3:
            return self._keep(what, body)
        self._version += self._random.choice((-1, 0, 1, 1, 2))
        return self._keep(what, body | {"version": max(0, self._version)})

    def _clock(self) -> Json:
        random = self._random
        return self._numbered(
            "clock", {"minute": random.randint(0, 2), "running": random.random() < 0.7, "periodId": "P1"}
        )

    def _score(self) -> Json:
        return self._numbered("score", {"home": str(self._random.randint(0, 2)), "away": "0", "who": "HOME"})

    def _statistics(self) -> Json:
        games = self._random.randint(0, 2)
        if self._random.random() < 0.5:
            return self._numbered("statistics", {"sets": {"home": [games, -1], "away": [0, -1], "homeServe": True}})
        return self._numbered("statistics", {"football": {"home": {"corners": games}, "away": {"yellowCards": 0}}})

    def _settled(self, event: int) -> Json:
        random = self._random
        offer = random.choice(self.offers[event])
        outcomes: list[Any] = []
        for outcome in random.sample(self._outcome_ids(offer), random.randint(1, 3)):
            said = {"betOfferId": offer, "eventId": event, "status": random.choice(("SETTLED", "VOID"))}
            outcomes.append({"id": outcome} | {name: said[name] for name in said if random.random() < 0.6})
        return {"outcomes": outcomes}
