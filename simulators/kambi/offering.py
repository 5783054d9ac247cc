"""The live offering: told how much time passes, it answers with what changed. Same seed and steps, same changes."""

import math
from collections.abc import Iterator
from random import Random
from typing import Any

from simulators.kambi.changes import Change, EventAdded, EventOpened, EventRemoved, EventStateChanged
from simulators.kambi.entities import Event, Offer, bet_offer_json, event_json
from simulators.kambi.fixtures import draw_fixture
from simulators.kambi.football import FootballMatch
from simulators.kambi.tennis import TennisMatch
from simulators.kambi.trader import Ids, apply_book, drop_outcome, move, resume, suspend, suspend_one

_REQUOTE_MS = 15_000
"""The trader prices the whole book this often even when nothing happens: time alone moves it."""
_REMOVAL_MS = 2_000
"""From FINISHED to the event's removal."""
_ADDED_AFTER_MS = (2_000, 20_000)
"""When the next event of a slot is announced after the running one opened."""
_FAST_FORWARD_STEPS = 100
_STAGGER = {"FOOTBALL": 0.9, "TENNIS": 0.4}
"""How far the matches are at the start, at most: a tennis match may be over after half of its usual points."""
_LISTED_SHARE = 0.6
_SUSPENSION_SHARE = 0.06
_OUTCOME_SHARE = 0.02


class _Slot:
    """One place in the offering: the event that is live and the one that follows it."""

    def __init__(self, live: Event, next_added_ms: int) -> None:
        self.live = live
        self.next: Event | None = None
        self.next_added_ms = next_added_ms


class Offering:
    """Live events by slots: when one ends, the next opens in its place, so their number stays.

    Args:
        seed: Chance of everything.
        start_ms: Epoch milliseconds of the first moment; ``now_ms`` counts on from it.
        events_live: Number of slots, football and tennis by turns.
        changes_per_second: Odds moves and small suspensions over all events.
        match_duration_s: How long a match lasts.
    """

    def __init__(
        self, *, seed: int, start_ms: int, events_live: int, changes_per_second: float, match_duration_s: float
    ) -> None:
        self.now_ms = start_ms
        self._chance = Random(seed)  # noqa: S311 - a simulation, repeatable on purpose
        self._duration_ms = match_duration_s * 1000
        self._move_every_ms = 1000 / changes_per_second if changes_per_second else math.inf
        self._next_move_ms: float = start_ms + self._move_every_ms
        self._ids = Ids(start_ms)
        self._next_event_id = 1_020_000_000 + max(0, start_ms // 1000 - 1_700_000_000)
        self._load_offer: dict[int, int] = {}
        self._slots = [self._open_slot(n, events_live) for n in range(events_live)]

    def advance(self, elapsed_ms: int) -> list[Change]:
        """Let ``elapsed_ms`` pass; return what changed, in order."""
        self.now_ms += elapsed_ms
        changes: list[Change] = []
        for slot in self._slots:
            changes += self._turn(slot)
            changes += self._play(slot.live, elapsed_ms)
        while self._next_move_ms <= self.now_ms:
            self._next_move_ms += self._chance.expovariate(1 / self._move_every_ms)
            changes += self._trade()
        return changes

    def load(self, event_id: int, count: int) -> list[Change]:
        """Return ``count`` odds moves of one live event, bet offer by bet offer in turn; for load, so cheap."""
        event = next((slot.live for slot in self._slots if slot.live.id == event_id), None)
        offers = [offer for offer in event.offers.values() if offer.outcomes] if event is not None else []
        if not offers:
            return []
        first = self._load_offer.get(event_id, 0)
        self._load_offer[event_id] = first + count
        return [move(offers[n % len(offers)], self._chance, self.now_ms) for n in range(first, first + count)]

    @property
    def live_event_ids(self) -> list[int]:
        """Ids of the events that are STARTED."""
        return [slot.live.id for slot in self._slots if slot.live.state == "STARTED"]

    def live_open(self) -> dict[str, Any]:
        """Return the answer of ``event/live/open``: HTTP shows MAIN_LINE, push never does."""
        events = [slot.live for slot in self._slots if slot.live.state == "STARTED"]
        return {
            "liveEvents": [
                {
                    "event": event_json(event),
                    "liveData": event.match.live_data(event.id),
                    "mainBetOffer": _with_main_line(event.main_offer),
                }
                for event in events
            ],
            "group": {"id": 1, "name": "Root", "englishName": "Root", "sortOrder": "1", "groups": []},
        }

    def _open_slot(self, number: int, slots: int) -> _Slot:
        event = self._new_event(number)
        event.state = "STARTED"
        played = _STAGGER[event.fixture.sport] * (1 - number / slots)
        step_ms = max(1, round(self._duration_ms * played / _FAST_FORWARD_STEPS))
        for _ in range(_FAST_FORWARD_STEPS):
            event.match.advance(step_ms, self._chance)
        event.start_ms = self.now_ms - step_ms * _FAST_FORWARD_STEPS
        list(apply_book(event, event.match.quotes(), self._ids, self.now_ms))  # there before anybody listened
        event.requote_ms = self.now_ms + self._chance.randrange(_REQUOTE_MS)
        return _Slot(event, self.now_ms + self._chance.randint(*_ADDED_AFTER_MS))

    def _new_event(self, number: int) -> Event:
        self._next_event_id += 1
        fixture = draw_fixture("TENNIS" if number % 2 else "FOOTBALL", self._chance)
        match = (TennisMatch if number % 2 else FootballMatch)(duration_ms=self._duration_ms, chance=self._chance)
        start_ms = self.now_ms + round(self._duration_ms)
        return Event(id=self._next_event_id, fixture=fixture, start_ms=start_ms, match=match)

    def _turn(self, slot: _Slot) -> Iterator[Change]:
        """Announce the slot's next event; end the live one and open the next."""
        if slot.next is None and self.now_ms >= slot.next_added_ms:
            slot.next = self._new_event(self._slots.index(slot))
            yield EventAdded(event_id=slot.next.id, event=event_json(slot.next))
        live = slot.live
        if live.state == "STARTED" and live.match.finished:
            live.state = "FINISHED"
            live.ends_ms = self.now_ms + _REMOVAL_MS
            for offer in live.offers.values():
                if offer.resume_ms is None:
                    yield suspend_one(offer, live.ends_ms)
            yield EventStateChanged(event_id=live.id, state=live.state)
        if live.ends_ms is not None and self.now_ms >= live.ends_ms and slot.next is not None:
            self._load_offer.pop(live.id, None)
            yield EventRemoved(event_id=live.id)
            slot.live, slot.next = slot.next, None
            slot.next_added_ms = self.now_ms + self._chance.randint(*_ADDED_AFTER_MS)
            yield from self._kick_off(slot.live)

    def _kick_off(self, event: Event) -> Iterator[Change]:
        event.state = "STARTED"
        event.start_ms = self.now_ms
        event.requote_ms = self.now_ms + _REQUOTE_MS
        added = list(apply_book(event, event.match.quotes(), self._ids, self.now_ms))
        yield EventStateChanged(event_id=event.id, state=event.state)
        yield EventOpened(
            event_id=event.id,
            event=event_json(event),
            live_data=event.match.live_data(event.id),
            main_bet_offer=bet_offer_json(event.main_offer),
        )
        yield from added

    def _play(self, event: Event, elapsed_ms: int) -> Iterator[Change]:
        if event.state != "STARTED":
            return
        if event.requote_ms <= self.now_ms:
            event.requote_ms = self.now_ms + _REQUOTE_MS
            yield from apply_book(event, event.match.quotes(), self._ids, self.now_ms)
        yield from resume(event, self.now_ms)
        incident = event.match.advance(elapsed_ms, self._chance)
        if incident is not None:
            yield from suspend(event, incident, self.now_ms)

    def _trade(self) -> Iterator[Change]:
        """One thing a trader does: move odds, mostly of what the lists show; suspend a little; drop an outcome."""
        events = [slot.live for slot in self._slots if slot.live.state == "STARTED"]
        if not events:
            return
        offers = [offer for offer in self._chance.choice(events).offers.values() if offer.resume_ms is None]
        listed = [offer for offer in offers if offer.market.reach == "listed"]
        kind = self._chance.random()
        wide = [offer for offer in offers if offer.market.type_id == 3 and len(offer.outcomes) > 3]
        if kind < _OUTCOME_SHARE and wide:
            yield drop_outcome(self._chance.choice(wide), self._chance)
        elif kind < _OUTCOME_SHARE + _SUSPENSION_SHARE and offers:
            yield suspend_one(self._chance.choice(offers), self.now_ms + self._chance.randint(500, 4_000))
        elif offers:
            choice = listed if listed and self._chance.random() < _LISTED_SHARE else offers
            yield move(self._chance.choice(choice), self._chance, self.now_ms)


def _with_main_line(offer: Offer) -> dict[str, Any]:
    body = bet_offer_json(offer)
    return body | {"tags": [*body["tags"], "MAIN_LINE"]}
