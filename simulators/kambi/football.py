"""Football: goals and what else happens on a pitch as Poisson processes, squeezed into the duration wished for."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Literal

from simulators.kambi.book import Counted, Happening, Incident, Occurred, Quote, Reported, Seen, Told
from simulators.kambi.football_book import Standing, quote

Kind = Literal["GOALS", "CORNERS", "CARDS_YELLOW", "CARDS_RED", "SHOTS_ON_TARGET", "SHOTS_OFF_TARGET", "ATTACK"]
Side = Literal["HOME", "AWAY"]

_HALF_S = 2_700
_BREAK_S = 300
_WHOLE_S = 2 * _HALF_S + _BREAK_S
"""Seconds of a match, its break included: fifteen minutes of nothing would teach nobody anything."""
_EDGES_S = (_HALF_S, _HALF_S + _BREAK_S)
_CLOCK_EVERY_S = 600
"""A running clock is told this often: in between consumers tick it themselves."""

_GOAL_PAUSE_MS = 4_000
_CARD_PAUSE_MS = 2_500
_ANNULLED_SHARE = 0.06
"""Goals that are taken back some seconds later."""
_MODIFIED_SHARE = 0.1
_SCORECAST_SHARE = 0.4
"""Matches that offer a scorecast."""

_RATES: dict[Kind, float] = {
    "CORNERS": 5.0,
    "CARDS_YELLOW": 1.9,
    "CARDS_RED": 0.12,
    "SHOTS_ON_TARGET": 4.5,
    "SHOTS_OFF_TARGET": 5.5,
    "ATTACK": 15.0,
}
"""How often it happens to a side in a match; goals have each side's own rate."""
_STATISTICS: dict[Kind, str] = {"CORNERS": "corners", "CARDS_YELLOW": "yellowCards", "CARDS_RED": "redCards"}
_WORDS: dict[Kind, str] = {
    "GOALS": "Goal",
    "CORNERS": "Corner",
    "CARDS_YELLOW": "Yellow card",
    "CARDS_RED": "Red card",
}


class FootballMatch:
    """One match; ``players`` are the names that score and are booked."""

    def __init__(self, *, duration_ms: float, chance: Random, players: Sequence[tuple[int, str]]) -> None:
        self._ms_per_s = duration_ms / _WHOLE_S
        self._second = 0.0
        self._rates = (chance.uniform(0.7, 2.3), chance.uniform(0.5, 1.9))
        self._weights: dict[tuple[Kind, Side], float] = {("GOALS", "HOME"): self._rates[0]}
        self._weights |= {("GOALS", "AWAY"): self._rates[1]}
        self._weights |= {(kind, side): rate for kind, rate in _RATES.items() for side in ("HOME", "AWAY")}
        self._every_s = 2 * _HALF_S / sum(self._weights.values())
        self._counts: dict[tuple[Kind, Side], int] = dict.fromkeys(self._weights, 0)
        self._last_scorer: Side | Literal["UNKNOWN"] = "UNKNOWN"
        self._players = players
        self._scorecast = chance.random() < _SCORECAST_SHARE
        self._next_s = chance.expovariate(1 / self._every_s)
        self._clock_s = float(_CLOCK_EVERY_S)
        self._annul_s: float | None = None

    @property
    def finished(self) -> bool:
        return self._second >= _WHOLE_S

    def advance(self, elapsed_ms: float, chance: Random) -> Sequence[Happening]:
        before, self._second = self._second, self._second + elapsed_ms / self._ms_per_s
        if self._second < self._next_s and self._second < self._clock_s and self._annul_s is None:
            return ()
        return list(self._happenings(before, chance))

    def clock(self) -> dict[str, Any]:
        second = int(self._played_s)
        first = self._second < _HALF_S
        resting = _HALF_S <= self._second < _HALF_S + _BREAK_S
        return {
            "minute": second // 60,
            "second": second % 60,
            "period": "1st half" if first else "Half time" if resting else "2nd half",
            "running": not (resting or self.finished),
            "periodId": "FIRST_HALF" if first else "HALF_TIME" if resting else "SECOND_HALF",
        }

    def score(self) -> dict[str, Any]:
        home, away = self._goals
        return {"home": str(home), "away": str(away), "who": self._last_scorer}

    def statistics(self) -> dict[str, Any]:
        sides: tuple[Side, ...] = ("HOME", "AWAY")
        return {
            "football": {
                side.lower(): {name: self._counts[kind, side] for kind, name in _STATISTICS.items()} for side in sides
            }
        }

    def quotes(self) -> tuple[Quote, ...]:
        standing = Standing(
            goals=self._goals,
            rates=self._rates,
            remaining=max(0.0, 1 - self._played_s / (2 * _HALF_S)),
            scorers=[name for _, name in self._players] if self._scorecast else (),
        )
        return tuple(quote(standing))

    @property
    def _goals(self) -> tuple[int, int]:
        return self._counts["GOALS", "HOME"], self._counts["GOALS", "AWAY"]

    @property
    def _played_s(self) -> float:
        """Seconds on the match clock; it stands still in the break."""
        return min(self._second, _HALF_S) + min(max(0.0, self._second - _HALF_S - _BREAK_S), _HALF_S)

    def _happenings(self, before_s: float, chance: Random) -> Iterator[Happening]:
        if self._annul_s is not None and self._second >= self._annul_s:
            self._annul_s = None
            yield from self._annul()
        while self._next_s <= self._second and not self.finished:
            self._next_s += chance.expovariate(1 / self._every_s)
            if not _HALF_S <= self._second < _HALF_S + _BREAK_S:
                (what,) = chance.choices(list(self._weights), list(self._weights.values()))
                yield from self._happen(*what, chance)
        turned = any(before_s < edge <= self._second for edge in _EDGES_S)
        if turned:
            yield Incident(criteria=None, pause_ms=_CARD_PAUSE_MS)
        if turned or self._second >= self._clock_s:
            self._clock_s = self._next_clock_s()
            yield Told(part="clock")

    def _next_clock_s(self) -> float:
        """Return when the clock is told next: at every tenth minute, and where it stops and runs on."""
        regular = (self._second // _CLOCK_EVERY_S + 1) * _CLOCK_EVERY_S
        return min([regular, *(edge for edge in _EDGES_S if edge > self._second)])

    def _happen(self, kind: Kind, side: Side, chance: Random) -> Iterator[Happening]:
        if kind == "GOALS":
            yield Incident(criteria=None, pause_ms=_GOAL_PAUSE_MS)
            self._last_scorer = side
            if chance.random() < _ANNULLED_SHARE:
                self._annul_s = self._second + 60
        elif kind == "CARDS_RED":
            yield Incident(criteria=None, pause_ms=_CARD_PAUSE_MS)
        self._counts[kind, side] += 1
        if kind == "GOALS":
            yield Told(part="clock")
            yield Told(part="score")
        if kind in _STATISTICS:
            yield Told(part="statistics")
        type_id = f"{kind}_{side}"
        if kind in _WORDS:
            fields = self._occurrence(kind, side, chance)
            yield Occurred(type_id=type_id, action="ADDED", fields=fields)
            if kind == "CORNERS" and chance.random() < _MODIFIED_SHARE:
                yield Occurred(type_id=type_id, action="MODIFIED", fields=fields | {"index": 2})
            minute = int(self._played_s) // 60
            yield Reported(type="INFO", minute=minute, message=f"{_WORDS[kind]} for the {side.lower()} side")
        yield Seen(
            type_id=f"DANGEROUS_{type_id}" if kind == "ATTACK" and chance.random() < 0.5 else type_id,
            fields={
                "periodId": self.clock()["periodId"],
                "visualization": {
                    "position": {"x": chance.randrange(101), "y": chance.randrange(101), "zone": "ATTACK"}
                },
            },
        )
        yield Counted(type_id=type_id, value=self._counts[kind, side])

    def _occurrence(self, kind: Kind, side: Side, chance: Random) -> dict[str, Any]:
        second = int(self._played_s)
        first = self._second < _HALF_S
        fields: dict[str, Any] = {
            "secondInPeriod": second if first else second - _HALF_S,
            "secondInMatch": second,
            "periodId": "FIRST_HALF" if first else "SECOND_HALF",
            "periodIndex": 0 if first else 1,
            "index": self._counts[kind, side],
        }
        if kind != "CORNERS" and self._players:
            player_id, name = chance.choice(self._players)
            fields["player"] = {"id": player_id, "name": name}
        return fields

    def _annul(self) -> Iterator[Happening]:
        """Take the last goal back."""
        side = self._last_scorer
        if side == "UNKNOWN" or not self._counts["GOALS", side]:
            return
        yield Incident(criteria=None, pause_ms=_GOAL_PAUSE_MS)
        self._counts["GOALS", side] -= 1
        yield Told(part="score")
        yield Occurred(type_id=f"GOALS_{side}", action="DELETED", fields={})
        yield Counted(type_id=f"GOALS_{side}", value=self._counts["GOALS", side])
        yield Reported(type="INFO", minute=int(self._played_s) // 60, message="The goal does not count")
