"""A horse race: many runners, no draw, no score; some prices only at the start, some runners scratched."""

import math
from collections.abc import Sequence
from random import Random

from simulators.kambi.book import Happening, Incident, Market, Participant, Quote, Reported, Selection

_REPORTS = 12
"""Calls of the race; each may change the order."""
_PHOTO_PAUSE_MS = 2_000
_LAST_CALLS = 2

# Criterion ids of races are made up.
WINNER = Market(
    criterion_id=1009300001, label="Winner", type_id=4, type_name="Outright", reach="listed", main=True,
    each_way=(250, 3),
)  # fmt: skip
PLACE = Market(criterion_id=1009300002, label="To Place", type_id=4, type_name="Outright", reach="extended")
STARTING_PRICE = Market(
    criterion_id=1009300003, label="Winner at Starting Price", type_id=4, type_name="Outright", reach="listed",
    starting_price=True,
)  # fmt: skip
WITHOUT_FAVOURITE = Market(
    criterion_id=1009300004, label="Winner without the Favourite", type_id=4, type_name="Outright"
)  # fmt: skip


class Race:
    """One race over ``duration_ms``: who runs well shortens, who falls behind drifts."""

    def __init__(self, *, duration_ms: float, chance: Random, runners: Sequence[Participant]) -> None:
        self._call_ms = duration_ms / _REPORTS
        self._until_call_ms = self._call_ms
        self._calls = 0
        self._runners = runners
        self._form = {runner.id: chance.gauss(0.0, 0.8) for runner in runners}
        self._favourite = max(
            (runner for runner in runners if not runner.scratched), key=lambda runner: self._form[runner.id]
        )

    @property
    def finished(self) -> bool:
        return self._calls >= _REPORTS

    def advance(self, elapsed_ms: float, chance: Random) -> Sequence[Happening]:
        self._until_call_ms -= elapsed_ms
        if self._until_call_ms > 0 or self.finished:
            return ()
        self._until_call_ms += self._call_ms
        self._calls += 1
        for runner_id in self._form:
            self._form[runner_id] += chance.gauss(0.0, 0.5)
        leader = max(self._running(), key=lambda runner: self._form[runner.id])
        called = Reported(type="INFO", minute=0, message=f"{leader.name} leads")
        pause = Incident(criteria=None, pause_ms=_PHOTO_PAUSE_MS)
        return (pause, called) if self._calls >= _REPORTS - _LAST_CALLS else (called,)

    def clock(self) -> None:
        return None

    def score(self) -> None:
        return None

    def statistics(self) -> None:
        return None

    def quotes(self) -> tuple[Quote, ...]:
        shares = _shares({runner.id: self._form[runner.id] for runner in self._running()})
        places = {runner_id: min(0.93, 1 - (1 - share) ** 2.6) for runner_id, share in shares.items()}
        others = [runner for runner in self._running() if runner is not self._favourite]
        rest = _shares({runner.id: self._form[runner.id] for runner in others})
        return (
            _quote(WINNER, self._runners, shares),
            _quote(PLACE, self._runners, places),
            _quote(STARTING_PRICE, self._runners, shares),
            _quote(WITHOUT_FAVOURITE, others, rest),
        )

    def _running(self) -> list[Participant]:
        return [runner for runner in self._runners if not runner.scratched]


def _shares(form: dict[int, float]) -> dict[int, float]:
    total = sum(math.exp(value) for value in form.values())
    return {runner_id: math.exp(value) / total for runner_id, value in form.items()}


def _quote(market: Market, runners: Sequence[Participant], shares: dict[int, float]) -> Quote:
    return Quote(
        market=market,
        part=0,
        selections=tuple(
            Selection(
                label=runner.name,
                type="OT_UNTYPED",
                probability=shares.get(runner.id, 0.0),
                participant=runner,
            )
            for runner in runners
        ),
    )
