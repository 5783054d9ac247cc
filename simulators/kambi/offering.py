"""The live offering: told how much time passes, it answers with what changed. Same seed and steps, same changes."""

import math
from collections.abc import Iterable, Iterator
from random import Random

from simulators.kambi import answers, examples
from simulators.kambi.bodies import Json, bet_offer_json, event_json, live_data_json
from simulators.kambi.book import Incident, Told
from simulators.kambi.changes import Change, EventAdded, EventOpened, EventRemoved, EventStateChanged, OfferAdded
from simulators.kambi.entities import Event, Moment
from simulators.kambi.fixtures import SPORTS, draw_match
from simulators.kambi.ids import Ids
from simulators.kambi.quoting import apply_book
from simulators.kambi.telling import describe, stop_clock, take_all, tell
from simulators.kambi.trader import close, move, resume, suspend
from simulators.kambi.trading import TradingFloor

_REQUOTE_MS = 15_000
"""The trader prices the whole book this often even when nothing happens: time alone moves it."""
_REMOVAL_MS = 2_000
"""From FINISHED to the event's removal."""
_ADDED_AFTER_MS = (2_000, 20_000)
"""When the next event of a slot is announced after the running one opened."""
_DELAYED_SHARE = 0.15
_DELAY_MS = (1_500, 5_000)
"""How long a start that was taken back is delayed."""
_FAST_FORWARD_STEPS = 100
_CLOCK = Told(part="clock")
_STAGGER = {"FOOTBALL": 0.9, "TENNIS": 0.4, "BASKETBALL": 0.9, "GALLOPS": 0.8}
"""How far the matches are at the start, at most: a tennis match may be over after half of its usual points."""
_LONGEST_STEP_MS = 1_000
"""Simulated time passes in steps of at most this size, so that what belongs apart is apart however fast it goes."""


class _Slot:
    """One place in the offering: the event that is live and the one that follows it."""

    def __init__(self, number: int, live: Event, next_added_ms: float) -> None:
        self.number = number
        self.live = live
        self.next: Event | None = None
        self.next_added_ms = next_added_ms


class Offering:
    """Live events by slots: when one ends, the next opens in its place, so their number stays.

    Args:
        seed: Chance of everything.
        start_ms: Epoch milliseconds of the first moment; ``now_ms`` counts on from it.
        events_live: Number of slots; sports by turns.
        changes_per_second: Odds moves and small suspensions over all events, a simulated second.
        match_duration_s: How long a match lasts, simulated seconds.
        speed: Simulated time per time told to ``advance``; the vendor's clock (``t``, versions) is not sped up.
        first_id: Let every kind of id start here, e.g. beyond 2^53.
        missing_odds_every: Take the odds of one outcome away in every n-th odds move; never when 0. May be set anew.
    """

    def __init__(
        self,
        *,
        seed: int,
        start_ms: int,
        events_live: int,
        changes_per_second: float,
        match_duration_s: float,
        speed: float = 1.0,
        first_id: int | None = None,
        missing_odds_every: int = 0,
    ) -> None:
        self.now_ms = start_ms
        self.missing_odds_every = missing_odds_every
        self._game_ms = 0.0
        self._speed = speed
        self._chance = Random(seed)  # noqa: S311 - a simulation, repeatable on purpose
        self._duration_ms = match_duration_s * 1000
        self._floor = TradingFloor(self._chance)
        self._move_every_ms = 1000 / changes_per_second if changes_per_second else math.inf
        self._next_move_ms = self._move_every_ms
        self._ids = Ids(start_ms, first=first_id)
        self._load_offer: dict[int, int] = {}
        self._slots = [self._open_slot(n, events_live) for n in range(events_live)]

    def advance(self, elapsed_ms: int) -> list[Change]:
        """Let ``elapsed_ms`` pass; return what changed, in order."""
        started_ms = self.now_ms
        game_ms = elapsed_ms * self._speed
        steps = max(1, math.ceil(game_ms / _LONGEST_STEP_MS))
        changes: list[Change] = []
        for step in range(1, steps + 1):
            self.now_ms = started_ms + elapsed_ms * step // steps
            self._step(game_ms / steps, changes)
        return changes

    def load(self, event_id: int, count: int) -> list[Change]:
        """Return ``count`` odds moves of one live event, bet offer by bet offer in turn; for load, so cheap."""
        event = next((slot.live for slot in self._slots if slot.live.id == event_id), None)
        moment = self._moment()
        offers = self._floor.movable(event, moment) if event is not None else []
        if not offers:
            return []
        first = self._load_offer.get(event_id, 0)
        self._load_offer[event_id] = first + count
        return [move(offers[n % len(offers)], self._chance, moment) for n in range(first, first + count)]

    @property
    def live_event_ids(self) -> list[int]:
        """Ids of the events that are STARTED."""
        return [slot.live.id for slot in self._slots if slot.live.state == "STARTED"]

    # What the vendor knows, for HTTP and for comparisons

    def state(self, *, prematch: bool = False) -> Json:
        """Return what a consumer of everything pushed should know now, as plain JSON: ids are text.

        Shape: ``{event: {state, clock, score, statistics, description, offers: {offer: {suspended, visible, outcomes:
        {outcome: {odds, status}}}}}}``; odds in thousandths, -1 at the starting price, ``None`` when there are none.

        Args:
            prematch: With the bet offers of events that never were live: push does not tell them, the list view does.
        """
        return answers.state(self._events(), prematch=prematch)

    def betoffer_event(
        self, event_ids: Iterable[int], *, range_start: int = 0, range_size: int = 2_000, only_main: bool = False
    ) -> Json | None:
        """Return the body of ``betoffer/event/{ids}``; ``None`` when none of the events exists: answer 404."""
        return answers.betoffer_event(
            self._among(event_ids), range_start=range_start, range_size=range_size, only_main=only_main
        )

    def livedata(self, event_ids: Iterable[int]) -> list[Json] | None:
        """Return the LiveData of ``event/livedata/{ids}``; ``None`` when none of the events exists: answer 404."""
        return answers.livedata(self._among(event_ids))

    def live_open(self) -> Json:
        """Return the body of ``event/live/open``: HTTP shows MAIN_LINE, push never does."""
        return answers.live_open(self._events())

    def list_view(
        self,
        sport: str = "all",
        region: str = "all",
        league: str = "all",
        participant: str = "all",
        attribute: str = answers.MATCHES,
        *,
        starts_from: str | None = None,
        starts_to: str | None = None,
    ) -> Json | None:
        """Return the body of ``listView/…``; ``None`` when a term matches nothing: answer 406."""
        terms = (sport, region, league, participant)
        return answers.list_view(self._events(), terms, attribute, starts_from=starts_from, starts_to=starts_to)

    def odds_ladder(self) -> Json:
        """Return the body of ``oddsLadder``."""
        return answers.odds_ladder()

    def push_example(self, name: str, *, stats_type: str = "FOOTBALL") -> Json | None:
        """Return one push message of the vendor's name for it, e.g. ``BetOfferAdded``; ``None`` for an unknown name.

        Args:
            name: As in the vendor's table of messages.
            stats_type: ``FOOTBALL`` or ``SET-BASED``, for ``EventStatsUpdated``.
        """
        return examples.push_example(name, self._events(), self.now_ms, stats_type=stats_type)

    def _events(self) -> list[Event]:
        return [event for slot in self._slots for event in (slot.live, slot.next) if event is not None]

    def _among(self, event_ids: Iterable[int]) -> list[Event]:
        wanted = set(event_ids)
        return [event for event in self._events() if event.id in wanted]

    # Time

    def _moment(self) -> Moment:
        return Moment(game_ms=self._game_ms, now_ms=self.now_ms)

    def _step(self, elapsed_ms: float, changes: list[Change]) -> None:
        self._game_ms += elapsed_ms
        moment = self._moment()
        for slot in self._slots:
            live = slot.live
            if live.state == "STARTED":
                self._play(live, elapsed_ms, moment, changes)
            elif live.restart_ms <= moment.game_ms:
                changes += self._restart(live, moment)
            elif live.ends_ms is not None and live.ends_ms <= moment.game_ms and slot.next is not None:
                changes += self._replace(slot, slot.next, moment)
            if slot.next is None and slot.next_added_ms <= moment.game_ms:
                slot.next = self._new_event(slot.number)
                list(apply_book(slot.next, slot.next.match.quotes(), self._ids, moment))  # pre-match: not pushed
                changes.append(EventAdded(event_id=slot.next.id, event=event_json(slot.next)))
        if self._next_move_ms <= moment.game_ms:
            changes += self._trade(moment)

    def _play(self, event: Event, elapsed_ms: float, moment: Moment, changes: list[Change]) -> None:
        if event.wake_ms <= moment.game_ms:
            if event.delay_ms <= moment.game_ms:
                changes += self._delay(event, moment)
                return
            if event.requote_ms <= moment.game_ms:
                event.requote_ms = moment.game_ms + _REQUOTE_MS
                changes += apply_book(event, event.match.quotes(), self._ids, moment)
            changes += resume(event, moment)
        for happening in event.match.advance(elapsed_ms, self._chance):
            if isinstance(happening, Incident):
                changes += suspend(event, happening, moment)
            elif happening != _CLOCK or not event.match.finished:  # the end takes the clock away, on another channel
                changes += tell(event, happening, self._ids, moment)
        if event.match.finished:
            event.state, event.delay_ms = "FINISHED", math.inf
            event.ends_ms = moment.game_ms + _REMOVAL_MS
            changes += close(event)
            changes += stop_clock(event)
            changes.append(EventStateChanged(event_id=event.id, state=event.state))

    def _trade(self, moment: Moment) -> Iterator[Change]:
        live = [slot.live for slot in self._slots if slot.live.state == "STARTED"]
        announced = [slot.next for slot in self._slots if slot.next is not None]
        while self._next_move_ms <= moment.game_ms:
            self._next_move_ms += self._chance.expovariate(1 / self._move_every_ms)
            if live:
                yield from self._floor.trade(
                    self._chance.choice(live), moment, missing_odds_every=self.missing_odds_every
                )
            if announced:
                self._floor.trade_prematch(self._chance.choice(announced), moment)

    # An event's life

    def _open_slot(self, number: int, slots: int) -> _Slot:
        event = self._new_event(number)
        moment = self._moment()
        event.state, event.opened = "STARTED", True
        played = _STAGGER[event.fixture.sport] * (1 - number / slots)
        step_ms = self._duration_ms * played / _FAST_FORWARD_STEPS
        for _ in range(_FAST_FORWARD_STEPS):
            for happening in event.match.advance(step_ms, self._chance):
                if not isinstance(happening, Incident):
                    list(tell(event, happening, self._ids, moment))
        event.start_ms = self.now_ms - round(step_ms * _FAST_FORWARD_STEPS / self._speed)
        take_all(event, moment)
        list(apply_book(event, event.match.quotes(), self._ids, moment))  # there before anybody listened
        for offer in event.offers.values():
            offer.told_ms = 0  # nobody was told
        event.requote_ms = event.wake_ms = self._chance.randrange(_REQUOTE_MS)
        return _Slot(number, event, self._chance.randint(*_ADDED_AFTER_MS))

    def _new_event(self, number: int) -> Event:
        fixture, match = draw_match(SPORTS[number % len(SPORTS)], self._duration_ms, self._chance, self._ids)
        start_ms = self.now_ms + round(self._duration_ms / self._speed)
        return Event(id=self._ids.event(), fixture=fixture, start_ms=start_ms, match=match)

    def _replace(self, slot: _Slot, follower: Event, moment: Moment) -> Iterator[Change]:
        """Remove the event that ended and open the one that follows it."""
        self._load_offer.pop(slot.live.id, None)
        yield EventRemoved(event_id=slot.live.id)
        slot.live, slot.next = follower, None
        slot.next_added_ms = moment.game_ms + self._chance.randint(*_ADDED_AFTER_MS)
        yield from self._open(follower, moment)
        if self._chance.random() < _DELAYED_SHARE:
            follower.delay_ms = moment.game_ms + self._chance.randint(*_DELAY_MS)

    def _open(self, event: Event, moment: Moment) -> Iterator[Change]:
        """Let an event go live; the bet offers it had before are live ones from now on."""
        event.state, event.opened = "STARTED", True
        event.start_ms = moment.now_ms
        event.delay_ms = event.restart_ms = math.inf
        event.requote_ms = moment.game_ms + _REQUOTE_MS
        event.wake_ms = moment.game_ms
        take_all(event, moment)
        yield EventStateChanged(event_id=event.id, state=event.state)
        yield EventOpened(
            event_id=event.id,
            event=event_json(event),
            live_data=live_data_json(event),
            main_bet_offer=bet_offer_json(event.main_offer),
        )
        for offer in (offer for offer in event.offers.values() if offer.visible):
            offer.told_ms = moment.now_ms
            yield OfferAdded(event_id=event.id, reach=offer.market.reach, bet_offer=bet_offer_json(offer))

    def _delay(self, event: Event, moment: Moment) -> Iterator[Change]:
        """Take the start back: no clock, everything suspended, not live."""
        event.state, event.delay_ms = "NOT_STARTED", math.inf
        event.restart_ms = moment.game_ms + self._chance.randint(*_DELAY_MS)
        yield from suspend(event, Incident(criteria=None, pause_ms=_DELAY_MS[1]), moment)
        yield describe(event, "Start delayed")
        yield from stop_clock(event)
        yield EventStateChanged(event_id=event.id, state=event.state)

    def _restart(self, event: Event, moment: Moment) -> Iterator[Change]:
        yield from self._open(event, moment)
        yield describe(event, "")
