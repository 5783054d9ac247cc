"""Placed bets and what was decided about them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any, Final, Literal

Json = Mapping[str, Any]
Disposition = Literal["accepted", "rejected", "referred"]
Outcome = Literal["accept", "reject", "ignore"]

_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One thing that the trader said about a bet.

    Attributes:
        number: Of all decisions of this run, from 1.
        outcome: What.
        at_ns: When.
        reached: How many connections it was handed to.
    """

    number: int
    outcome: Outcome
    at_ns: int
    reached: int


@dataclass(slots=True, kw_only=True)
class Bet:
    """One bet.

    Attributes:
        number: Of all bets of this run, from 1.
        code: Bet code.
        short_code: Short code; not unique.
        customer: Customer id.
        platform: Platform id.
        slip: The place-bet request.
        disposition: What became of it at once.
        placed_ns: When.
        decisions: In the order in which they were said; none for one that is not referred.
    """

    number: int
    code: str
    short_code: str
    customer: str
    platform: int
    slip: Json
    disposition: Disposition
    placed_ns: int
    decisions: list[Decision] = field(default_factory=list)

    @property
    def slip_id(self) -> str | None:
        """The caller's id of the slip, where there is one."""
        slip_id = self.slip.get("betSlipId")
        return None if slip_id is None else str(slip_id)

    @property
    def stands(self) -> Outcome | None:
        """The first accept or reject: later ones change nothing; ``ignore`` while there is none."""
        said: list[Outcome] = [decision.outcome for decision in self.decisions if decision.outcome != "ignore"]
        if said:
            return said[0]
        return "ignore" if self.decisions else None

    @property
    def answer(self) -> Json:
        """The place-bet answer."""
        return {"bet_code": self.code, "shortCode": self.short_code, "result": self.disposition != "rejected"}

    def status(self, waiting: str) -> str:
        """Return the status as bet/detail has it; ``waiting`` while nothing was decided."""
        match self.stands:
            case "accept":
                return "accepted"
            case "reject":
                return "rejected"
            case _:
                return waiting if self.disposition == "referred" else self.disposition


class Book:
    """All bets that are known; the oldest are forgotten.

    Args:
        seed: Makes the codes, together with the start.
        start_ns: When the simulator started: codes are not given again after a restart.
        kept: How many bets are known at once.
    """

    def __init__(self, *, seed: int, start_ns: int, kept: int) -> None:
        self._chance = Random(f"{seed}/codes")  # noqa: S311  # ids, not secrets
        self._start_us = start_ns // 1_000
        self._kept = kept
        self._count = 0
        self._by_code: dict[str, Bet] = {}
        self._by_slip: dict[tuple[str, str], Bet] = {}

    def __len__(self) -> int:
        return len(self._by_code)

    def add(self, *, customer: str, platform: int, slip: Json, disposition: Disposition, now_ns: int) -> Bet:
        """Take a bet in."""
        self._count += 1
        front = "".join(self._chance.choices(_BASE36, k=9))
        bet = Bet(
            number=self._count,
            code=f"{front}-{_base36(self._start_us + self._count)}",
            short_code=f"{self._chance.randrange(10_000):04}",
            customer=customer,
            platform=platform,
            slip=slip,
            disposition=disposition,
            placed_ns=now_ns,
        )
        self._by_code[bet.code] = bet
        if bet.slip_id is not None:
            self._by_slip[customer, bet.slip_id] = bet
        if len(self._by_code) > self._kept:
            self._forget(next(iter(self._by_code.values())))
        return bet

    def by_code(self, code: str) -> Bet | None:
        """Return the bet of a code."""
        return self._by_code.get(code)

    def by_slip(self, customer: str, slip_id: str) -> Bet | None:
        """Return the newest bet of a slip."""
        return self._by_slip.get((customer, slip_id))

    def after(self, number: int, most: int | None = None) -> Iterator[Bet]:
        """Yield the bets that came after the one of this number, ``most`` at most."""
        return islice((bet for bet in self._by_code.values() if bet.number > number), most)

    def _forget(self, bet: Bet) -> None:
        del self._by_code[bet.code]
        key = (bet.customer, bet.slip_id or "")
        if self._by_slip.get(key) is bet:
            del self._by_slip[key]


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _BASE36[digit] + digits
    return digits.rjust(10, "0")
