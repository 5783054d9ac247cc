"""What a feed may do to a message before it is copied to its channels: take odds back at once, spoil its time."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
import orjson

from simulators.kambi.changes import Change, Json, OddsChanged
from simulators.kambi.config import FaultSwitch
from simulators.kambi.messages import Message
from simulators.kambi.prices import american, fractional, stepped

_AHEAD_MS = 3_600_000


class Oddities:
    """Counts odds changes and messages, so it is repeatable.

    Args:
        faults: Which oddities, how often.
    """

    def __init__(self, faults: FaultSwitch) -> None:
        self._faults = faults
        self._odds_changes = 0
        self._messages = 0
        self._odd_times = 0

    def flickering(self, changes: Iterable[Change]) -> Iterator[Change]:
        """Yield ``changes``; every n-th odds change is followed by other odds and then by itself again."""
        for change in changes:
            yield change
            if isinstance(change, OddsChanged):
                self._odds_changes += 1
                elsewhere = tuple(_elsewhere(outcome) for outcome in change.outcomes if outcome.get("odds", 0) > 0)
                if elsewhere and _strikes(self._odds_changes, self._faults.current.flicker_every):
                    yield replace(change, outcomes=elsewhere)
                    yield change

    def odd_time(self, message: Message) -> Message:
        """Return ``message``, every n-th one with a ``t`` that is missing, in seconds or an hour ahead, by turns."""
        self._messages += 1
        if not _strikes(self._messages, self._faults.current.odd_time_every):
            return message
        self._odd_times += 1
        body: dict[str, Any] = orjson.loads(message.envelope)
        t_ms = int(body.pop("t"))
        if self._odd_times % 3 == 1:  # missing: the ledger's facts keep the time that it would have had
            return replace(message, envelope=orjson.dumps(body), fault="odd-time")
        t_ms = t_ms // 1000 if self._odd_times % 3 == 2 else t_ms + _AHEAD_MS
        return replace(
            message,
            envelope=orjson.dumps({"t": str(t_ms)} | body),
            facts=tuple(msgspec.structs.replace(fact, t=t_ms) for fact in message.facts),
            fault="odd-time",
        )


def _strikes(number: int, every: int) -> bool:
    return every > 0 and number % every == 0


def _elsewhere(outcome: Json) -> Json:
    odds = stepped(outcome["odds"], 1)
    if odds == outcome["odds"]:  # at the end of the ladder
        odds = stepped(odds, -1)
    return outcome | {"odds": odds, "oddsFractional": fractional(odds), "oddsAmerican": american(odds)}
