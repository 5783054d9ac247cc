"""Attempts that count for the vendor's limits: how old each is at least, and what that leaves. Pure.

An attempt outlives the process that made it, so its age has to be told by clocks that outlive it too, and neither can
be trusted alone. The machine's uptime never falls behind while it runs, but starts again with it; the wall clock may be
set. Since a reboot can only make an attempt older than the difference of uptimes says, the smaller of both differences
is never more than its true age on the same machine, nor on another one whose wall clock is right. Where a clock says
that an attempt is still to come, it counts as made just now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

Limit = Literal["connect", "request", "look-up"]
"""WebSocket handshakes; HTTP requests, of which each handshake is one; those requests that are look-ups."""

_NS_A_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by both clocks: UTC nanoseconds, and seconds since the machine was started."""

    wall_ns: int
    uptime_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt.

    Attributes:
        name: Tells it from all others, also those of other processes.
        counts_as: The limits it counts for.
        at: When it was made, just before it left us.
    """

    name: str
    counts_as: frozenset[Limit]
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """At most ``most`` attempts within any ``window_s`` seconds."""

    most: int
    window_s: float


class Limits:
    """What attempts leave of the limits.

    Args:
        rules: Of every limit.
    """

    def __init__(self, rules: Mapping[Limit, Rule]) -> None:
        self._rules = rules
        self._longest_s = max(rule.window_s for rule in rules.values())

    def in_force(self, attempts: Iterable[Attempt], now: Moment) -> dict[str, Attempt]:
        """Return, by name, the attempts that still count for any limit.

        Of two that have the same name the later one counts. One that is still to come is set to ``now`` unless it is
        known better: what is kept of it from then on makes a clock that was set back cost one window more at most.
        """
        known: dict[str, Attempt] = {}
        for attempt in attempts:
            age_s = _age_s(attempt, now)
            other = known.get(attempt.name)
            if age_s < 0:
                known[attempt.name] = other or replace(attempt, at=now)
            elif age_s < self._longest_s and (other is None or age_s < _age_s(other, now)):
                known[attempt.name] = attempt
        return known

    def left(self, limit: Limit, attempts: Iterable[Attempt], now: Moment) -> int:
        """Return how many attempts ``limit`` allows at once."""
        return max(0, self._rules[limit].most - len(self._ages_s(limit, attempts, now)))

    def wait_s(self, limit: Limit, attempts: Iterable[Attempt], now: Moment, *, spare: int = 0) -> float:
        """Return how long until ``limit`` allows one more attempt and ``spare`` others beside it; 0: at once.

        With ``spare`` at or above the limit the last place is waited for.
        """
        rule = self._rules[limit]
        most = max(1, rule.most - spare)
        ages_s = self._ages_s(limit, attempts, now)
        return 0.0 if len(ages_s) < most else rule.window_s - ages_s[most - 1]

    def used_up(self, now: Moment) -> list[Attempt]:
        """Return what fills every limit, for when it is not known what was attempted: it passes with the windows."""
        return [
            Attempt(name=f"unknown-{limit}-{number}", counts_as=frozenset((limit,)), at=now)
            for limit, rule in self._rules.items()
            for number in range(rule.most)
        ]

    def _ages_s(self, limit: Limit, attempts: Iterable[Attempt], now: Moment) -> list[float]:
        """Return the ages of those that count for ``limit``, youngest first."""
        window_s = self._rules[limit].window_s
        ages_s = (max(0.0, _age_s(attempt, now)) for attempt in attempts if limit in attempt.counts_as)
        return sorted(age_s for age_s in ages_s if age_s < window_s)


def _age_s(attempt: Attempt, now: Moment) -> float:
    return min((now.wall_ns - attempt.at.wall_ns) / _NS_A_S, now.uptime_s - attempt.at.uptime_s)
