"""What traders do between incidents: move odds, suspend a little, hide, hold or drop an outcome, say something."""

from collections.abc import Iterator, Sequence
from random import Random

from simulators.kambi.changes import Change
from simulators.kambi.entities import Event, Moment, Offer
from simulators.kambi.telling import describe
from simulators.kambi.trader import drop_outcome, hide, hold_outcome, move, move_and_back, suspend_one

_LISTED_SHARE = 0.6
_DROPPED = 0.02
_SUSPENDED = 0.08
_HIDDEN = 0.09
_HELD = 0.11
_BACK_AND_FORTH = 0.13
_DESCRIBED = 0.135
"""Shares of what a trader does, each up to the next; the rest moves odds."""
_PAUSE_MS = (500, 4_000)
_WORDS = ("Rain delay", "Medical time-out", "Video review", "Attendance 12,345")


class TradingFloor:
    """Decide by chance what a trader does next.

    Args:
        chance: What decides.
    """

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._moves = 0

    @staticmethod
    def movable(event: Event, moment: Moment) -> list[Offer]:
        """Return the bet offers whose odds a trader moves.

        Not what was told whole at this very moment: additions and odds go out on two channels, whose order nobody
        could tell when both had one time.
        """
        return [
            offer
            for offer in event.offers.values()
            if offer.resume_ms is None
            and offer.told_ms != moment.now_ms
            and any(outcome.movable for outcome in offer.outcomes.values())
        ]

    def trade(self, event: Event, moment: Moment, *, missing_odds_every: int) -> Iterator[Change]:
        """Do one thing to a live event."""
        offers = self.movable(event, moment)
        if not offers:
            return
        chance, kind = self._chance, self._chance.random()
        until_ms = moment.game_ms + chance.randint(*_PAUSE_MS)
        if kind < _DROPPED:
            wide = [offer for offer in offers if offer.market.type_id == 3 and len(offer.outcomes) > 3]
            if wide:
                yield drop_outcome(event, chance.choice(wide), chance)
        elif kind < _SUSPENDED:
            yield suspend_one(event, chance.choice(offers), until_ms)
        elif kind < _HIDDEN:
            others = [offer for offer in offers if offer.visible and not offer.market.main]
            if others:
                yield hide(event, chance.choice(others), until_ms)
        elif kind < _HELD:
            offer = chance.choice(offers)
            outcome = chance.choice([outcome for outcome in offer.outcomes.values() if outcome.movable])
            yield hold_outcome(event, offer, outcome, until_ms)
        elif kind < _BACK_AND_FORTH:
            yield from move_and_back(self._choose(offers), chance, moment)
        elif kind < _DESCRIBED:
            yield describe(event, "" if event.live.description else chance.choice(_WORDS))
        else:
            self._moves += 1
            missing = missing_odds_every > 0 and self._moves % missing_odds_every == 0
            yield move(self._choose(offers), chance, moment, without_odds=missing)

    def trade_prematch(self, event: Event, moment: Moment) -> None:
        """Move odds of an event that is not live yet; nobody is told."""
        offers = self.movable(event, moment)
        if offers:
            move(self._chance.choice(offers), self._chance, moment)

    def _choose(self, offers: Sequence[Offer]) -> Offer:
        listed = [offer for offer in offers if offer.market.reach == "listed"]
        return self._chance.choice(listed if listed and self._chance.random() < _LISTED_SHARE else offers)
