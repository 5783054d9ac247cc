"""A message as each of its channels carries it: the same everywhere, unless a fault makes the copies differ."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from msgspec.structs import replace

from simulators.kambi.config import FaultSwitch
from simulators.kambi.ledger import Fact
from simulators.kambi.messages import Message
from simulators.kambi.prices import american, fractional, stepped
from simulators.kambi.routing import is_of_event

_ODDS = 11
_CONTRADICTION_TICKS = 2
"""How far the false odds are from the true ones, in steps of the ladder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What one channel carries of one message; ``fault`` says what makes it other than it should be."""

    envelope: bytes
    facts: tuple[Fact, ...]
    fault: str | None = None

    @classmethod
    def of(cls, message: Message) -> "Copy":
        """Return ``message`` as it is."""
        return cls(envelope=message.envelope, facts=message.facts, fault=message.fault)


class Copies:
    """Make the copies of messages; counts odds messages, so it is repeatable.

    Args:
        faults: Which differences, how often.
    """

    def __init__(self, faults: FaultSwitch) -> None:
        self._faults = faults
        self._shared_odds = 0

    def of(self, messages: Sequence[Message]) -> Iterator[tuple[str, Copy]]:
        """Yield routing key and copy of messages that were published at one moment, order kept per key."""
        runs = _runs(messages) if self._faults.current.filtered_copies else ([message] for message in messages)
        for run in runs:
            if len(run) == 1:
                yield from self._of_one(run[0])
            else:
                yield from self._of_run(run)

    def _of_one(self, message: Message) -> Iterator[tuple[str, Copy]]:
        same = Copy.of(message)
        events = self._for_event(message)
        for key in message.keys:
            yield key, events if is_of_event(key) else same

    def _of_run(self, run: list[Message]) -> Iterator[tuple[str, Copy]]:
        """Gather what each channel carries of the run: general ones fewer offers than the event's."""
        by_key: defaultdict[str, list[Copy]] = defaultdict(list)
        for message in run:
            for key, copy in self._of_one(message):
                by_key[key].append(copy)
        for key, copies in by_key.items():
            yield key, _gathered(copies)

    def _for_event(self, message: Message) -> Copy:
        faults = self._faults.current
        if message.fault is not None:
            return Copy.of(message)
        if message.mt == _ODDS and len(message.keys) > 1:
            self._shared_odds += 1
            if faults.contradict_every and self._shared_odds % faults.contradict_every == 0:
                return _contradicting(message)
        if faults.copy_skew_ms:
            return _skewed(message, faults.copy_skew_ms)
        return Copy.of(message)


def _runs(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Group odds messages of one event that follow each other and name no outcome twice; others stay alone."""
    run: list[Message] = []
    named: set[int | None] = set()
    for message in messages:
        outcomes = {fact.outcome for fact in message.facts}
        follows = (
            run
            and message.mt == run[0].mt == _ODDS
            and message.fault is run[0].fault is None
            and message.facts[0].event == run[0].facts[0].event
            and named.isdisjoint(outcomes)
        )
        if run and not follows:
            yield run
            run, named = [], set()
        run.append(message)
        named |= outcomes
    if run:
        yield run


def _gathered(copies: list[Copy]) -> Copy:
    if len(copies) == 1:
        return copies[0]
    body = orjson.loads(copies[0].envelope)
    for copy in copies[1:]:
        body["boou"]["outcomes"] += orjson.loads(copy.envelope)["boou"]["outcomes"]
    return Copy(
        envelope=orjson.dumps(body),
        facts=tuple(fact for copy in copies for fact in copy.facts),
        fault=next((copy.fault for copy in copies if copy.fault), None),
    )


def _contradicting(message: Message) -> Copy:
    body: dict[str, Any] = orjson.loads(message.envelope)
    outcome = next((outcome for outcome in body["boou"]["outcomes"] if outcome.get("odds", 0) > 0), None)
    if outcome is None:
        return Copy.of(message)
    truth = outcome["odds"]
    false = stepped(truth, _CONTRADICTION_TICKS)
    if false == truth:  # at the end of the ladder
        false = stepped(truth, -_CONTRADICTION_TICKS)
    outcome |= {"odds": false, "oddsFractional": fractional(false), "oddsAmerican": american(false)}
    facts = tuple(replace(fact, value=false) if fact.outcome == outcome["id"] else fact for fact in message.facts)
    return Copy(envelope=orjson.dumps(body), facts=facts, fault="contradiction")


def _skewed(message: Message, skew_ms: int) -> Copy:
    body: dict[str, Any] = orjson.loads(message.envelope)
    t_ms = int(body["t"]) + skew_ms
    body["t"] = str(t_ms)
    return Copy(envelope=orjson.dumps(body), facts=tuple(replace(fact, t=t_ms) for fact in message.facts))
