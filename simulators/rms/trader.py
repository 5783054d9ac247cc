"""The trader: what he will say about a referred bet, when and how. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.rms.bets import Bet, Disposition, Outcome
from simulators.rms.config import Ids, RmsTraderSettings, Seconds, Shape, Spelling, Time

_REASONS: Final = ("Exposure too high", "Odds have changed", "Suspicious pattern", None)


class Move(BaseModel):
    """One decision that is still to be said, and how it will be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Outcome
    """What; ``ignore`` says nothing."""
    after_s: Seconds = 0
    """How long after the bet was placed."""
    shape: Shape = "object"
    """See the settings of the trader for this and the next ones."""
    ids: Ids = "both"
    spelling: Spelling = "documented"
    time: Time = "iso"
    numbers: bool = False
    """Whether ids of digits are JSON numbers."""
    stake: Annotated[Decimal, Field(gt=0)] | None = None
    """The amended stake."""
    odds: Annotated[Decimal, Field(gt=1)] | None = None
    """The amended odds."""
    reason: str | None = None
    """Why it is rejected."""


class Trader:
    """Plan decisions; the same seed gives the same ones for the n-th bet, whatever else happens.

    Args:
        settings: How often he does what.
        seed: What decides.
        referred_share: Share of bets that come to him.
        rejected_share: Share of bets that are rejected before.
    """

    def __init__(self, settings: RmsTraderSettings, *, seed: int, referred_share: float, rejected_share: float) -> None:
        self._settings = settings
        self._seed = seed
        self._referred_share = referred_share
        self._rejected_share = rejected_share

    def disposition(self, number: int) -> Disposition:
        """Return what becomes at once of the bet of this number."""
        draw = self._chance(number, "disposition").random()
        if draw < self._referred_share:
            return "referred"
        return "rejected" if draw < self._referred_share + self._rejected_share else "accepted"

    def plan(self, bet: Bet) -> tuple[Move, ...]:
        """Return what he will say about ``bet``, in order."""
        return tuple(self._moves(self._chance(bet.number, "plan")))

    def _moves(self, chance: Random) -> Iterator[Move]:
        settings = self._settings
        draw = chance.random()
        after_s = chance.uniform(*settings.decide_after_s)
        if draw >= settings.accept_share + settings.reject_share:
            yield Move(outcome="ignore", after_s=after_s)
            return
        outcome: Literal["accept", "reject"] = "accept" if draw < settings.accept_share else "reject"
        yield self._move(outcome, after_s, chance)
        if chance.random() < settings.repeat_share:
            after_s += chance.uniform(*settings.decide_after_s)
            yield self._move(outcome, after_s, chance)
        if chance.random() < settings.contradict_share:
            after_s += chance.uniform(*settings.decide_after_s)
            yield self._move("reject" if outcome == "accept" else "accept", after_s, chance)

    def _move(self, outcome: Outcome, after_s: float, chance: Random) -> Move:
        settings = self._settings
        stake = odds = None
        if chance.random() < settings.amend_share:
            if chance.random() < 0.5:
                stake = Decimal(chance.randrange(1, 50_000)) / 100
            else:
                odds = Decimal(chance.randrange(1_010, 5_000)) / 1_000
        return Move(
            outcome=outcome,
            after_s=after_s,
            shape=chance.choice(settings.shapes),
            ids=chance.choice(settings.ids),
            spelling=chance.choice(settings.spellings),
            time=chance.choice(settings.times),
            numbers=chance.random() < settings.number_share,
            stake=stake,
            odds=odds,
            reason=chance.choice(_REASONS) if outcome == "reject" else None,
        )

    def _chance(self, number: int, what: str) -> Random:
        return Random(f"{self._seed}/{what}/{number}")  # noqa: S311  # a story, not secrets
