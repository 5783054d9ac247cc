"""What to ask the offering API next, and when. Pure: told the time, hands out requests, is told how each went.

Three classes, each by due time. First what cannot wait: events just (re)subscribed, which are stale until a snapshot,
and the listing of live events, which everything else hangs on. Then the rounds, the longest overdue first. Last events
that are followed no more: push may have lost the message that they are gone, and nothing else would tell. Requests are
handed out at even distances, so the budget of any minute holds and nothing comes in bursts; when it is short, rounds
become slower.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final, TypeVar

from connectors.kambi.asks import Ask, Failed, Gone, Outcome, Served, Skipped, Wait, What
from connectors.kambi.rounds import Round, Rounds
from connectors.runner import Backoff

_DOUBT_S: Final = 5.0  # the longest wait for the listing that decides about events the last one lacked
_SKIPPED_S: Final = 1.0  # until the queue to Kafka is looked at again
_FAREWELL_S: Final = 30.0  # from the end of following to the first question whether the event is gone
_FAREWELL_AGAIN_S: Final = 60.0
_FAREWELL_ENDS_S: Final = 900.0
MOST_ANNOUNCED: Final = 1_000
"""Events that push announced and that never went live: after a gap each costs a request of those that nobody needs."""
_OF_AN_EVENT: Final[tuple[What, ...]] = ("offers", "livedata")

_Name = TypeVar("_Name")
_Key = tuple[What, int]
"""What is asked about which event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often what is asked for.

    Attributes:
        requests_per_minute: Budget, all shards together.
        in_flight: Requests on the wire at once; a slow server is not piled on.
        ids_per_request: Events asked for at once.
        snapshot_s: Between two rounds of an event, seconds.
        discovery_s: Between two listings of live events, seconds.
        prematch_s: Between two askings of each term, seconds.
        prematch: Paths below ``listView``.
        settle_s: How long after a subscribe was emitted its events are asked for: the subscription is in force by
            then, and the ``tick`` that names its keys is written.
        backoff: Delays of one target after failures; its cap is at least the target's interval.
    """

    requests_per_minute: int
    in_flight: int
    ids_per_request: int
    snapshot_s: float
    discovery_s: float
    prematch_s: float
    prematch: tuple[str, ...]
    settle_s: float
    backoff: Backoff


@dataclass(frozen=True, slots=True)
class _Urgent:
    due_s: float
    failures: int = 0
    failed_s: float = math.inf
    alone: bool = False


@dataclass(slots=True)
class _Farewell:
    """An event that is followed no more, until the API says that it is gone or nobody believes that it ever will."""

    due_s: float
    until_s: float


class _Pause:
    """A stop for all requests, when the API refuses or cannot be reached."""

    def __init__(self) -> None:
        self.until_s = -math.inf
        self.failures = 0
        self._since_s = -math.inf

    def failed(self, ask: Ask, now_s: float) -> int:
        """Count a failure; return how many in a row. What was under way together fails together: that is one."""
        if ask.asked_s > self._since_s:
            self.failures += 1
            self._since_s = now_s
        return self.failures


class PollSchedule:
    """Hand out requests; every :class:`Ask` given by :meth:`next` is to be answered by :meth:`done`.

    Args:
        shards: Over how many the events are spread.
        cadence: How often what is asked for.
        random: Spreads the rounds, jitters the delays.
        now_s: Monotonic seconds.
    """

    def __init__(self, *, shards: int, cadence: Cadence, random: Random, now_s: float) -> None:
        self._shards = shards
        self._cadence = cadence
        self._random = random
        self._distance_s = 60 / cadence.requests_per_minute
        self._free_s = now_s
        self._number = 0
        self._pause = _Pause()
        self._answered_s = -math.inf
        self._discovery = Round(what="live-open", interval_s=cadence.discovery_s, due_s=now_s)
        self._rounds = Rounds(
            kinds=_OF_AN_EVENT, size=cadence.ids_per_request, interval_s=cadence.snapshot_s, random=random
        )
        self._terms = [
            Round(what="list-view", interval_s=cadence.prematch_s, due_s=now_s + part * cadence.prematch_s, term=term)
            for part, term in zip((random.random() for _ in cadence.prematch), cadence.prematch, strict=True)
        ]
        self._urgent: dict[_Key, _Urgent] = {}
        self._farewells: dict[int, _Farewell] = {}
        self._announced: dict[int, None] = {}
        self._absent: set[_Key] = set()
        self._in_flight: dict[int, Round | None] = {}
        self._urgency: dict[int, dict[_Key, _Urgent]] = {}
        self._on_the_wire: set[int] = set()

    # -- what is wanted ----------------------------------------------------------------------------------------------

    def follow(self, events: Iterable[int], now_s: float) -> None:
        """Ask for exactly ``events`` from now on, in rounds."""
        wanted = dict.fromkeys(events)
        for event in self._rounds.events:
            if event not in wanted:
                self._farewells[event] = _Farewell(now_s + _FAREWELL_S, now_s + _FAREWELL_ENDS_S)
        for event in self._farewells.keys() & wanted.keys():
            del self._farewells[event]
        for event in self._announced.keys() & wanted.keys():
            del self._announced[event]
        self._rounds.follow(wanted, shards=self._shards, now_s=now_s)
        self._urgent = {key: urgent for key, urgent in self._urgent.items() if key[1] in wanted}
        self._absent = {key for key in self._absent if key[1] in wanted}

    def resubscribed(self, events: Iterable[int], now_s: float) -> None:
        """Keys of ``events`` were emitted just now: each is asked for soon, whatever was known of it."""
        due_s = now_s + self._cadence.settle_s
        for event in events:
            if event in self._rounds.events:
                for what in _OF_AN_EVENT:
                    self._urgent.pop((what, event), None)  # what waits is asked in the order of subscribing
                    self._urgent[what, event] = _Urgent(due_s)

    def announced(self, event: int) -> None:
        """Push said that ``event`` is in the offering; no listing has it before it is live."""
        self._announced.pop(event, None)
        if event not in self._rounds.events:
            self._announced[event] = None
            if len(self._announced) > MOST_ANNOUNCED:
                self._forget(next(iter(self._announced)))

    def recalled(self, events: Iterable[int], now_s: float) -> None:
        """An earlier process left ``events`` as being there: each that no listing has is asked for, there or gone."""
        for event in events:
            self.announced(event)
            if event in self._announced:
                self._farewells[event] = _Farewell(now_s, now_s + _FAREWELL_ENDS_S)

    def ended(self, event: int) -> None:
        """Push said that ``event`` left the offering or is live no more."""
        if event in self._announced:
            self._forget(event)

    def reopened(self, now_s: float) -> None:
        """The general keys were emitted just now: a whole listing repairs what they carry.

        What was announced and is not live is in no listing: each is asked for once, that it is still there or gone.
        """
        due_s = now_s + self._cadence.settle_s
        self._discovery.conditional = False
        self._discovery.due_s = due_s
        for event in self._announced:
            self._farewells[event] = _Farewell(due_s, now_s + _FAREWELL_ENDS_S)

    def doubt(self, now_s: float) -> None:
        """The last listing lacked events that are followed: the next one decides about them, and soon."""
        self._discovery.due_s = min(self._discovery.due_s, now_s + _DOUBT_S)

    # -- what is done ------------------------------------------------------------------------------------------------

    def next(self, now_s: float) -> Ask | Wait:
        """Return the request to make now, or how long there is none. Call again when anything was told, too."""
        if len(self._on_the_wire) >= self._cadence.in_flight:
            return Wait(math.inf)
        free_s = max(self._free_s, self._pause.until_s)
        if now_s < free_s:
            return Wait(free_s)
        return self._due(now_s) or Wait(self._next_due_s())

    def is_certain(self, ask: Ask) -> bool:
        """Return whether 404 to ``ask`` says that each of its events is gone, and not just one of several."""
        return len(ask.events) == 1 or all((ask.what, event) in self._absent for event in ask.events)

    def answered(self, ask: Ask) -> None:
        """Say that ``ask`` is off the wire; what is done with the answer may take longer, and is told then."""
        self._on_the_wire.discard(ask.number)

    def done(self, ask: Ask, outcome: Outcome, now_s: float) -> None:
        """Say how ``ask`` went."""
        self.answered(ask)
        round_ = self._in_flight.pop(ask.number)
        urgency = self._urgency.pop(ask.number, {})
        if round_ is not None:
            round_.asked = False
            round_.failures = round_.failures + 1 if isinstance(outcome, Failed) else 0
        if isinstance(outcome, Served | Gone):
            self._answered_s = now_s
        if not (isinstance(outcome, Skipped) or (isinstance(outcome, Failed) and outcome.everywhere)):
            self._pause.failures = 0
        if round_ is None and not urgency:
            self._said_farewell(ask, outcome, now_s)
            return
        match outcome:
            case Served():
                self._absent.difference_update((ask.what, event) for event in ask.events)
            case Gone() if self.is_certain(ask):
                self._absent.update((ask.what, event) for event in ask.events)
            case Gone():
                self._ask_one_by_one(ask, now_s)
            case Skipped():
                if round_ is not None:
                    round_.conditional = round_.conditional and ask.conditional
                for key, urgent in urgency.items():
                    self._ask_again(key, replace(urgent, due_s=now_s + _SKIPPED_S))
            case Failed():
                self._failed(ask, outcome, round_, urgency, now_s)

    # -- private -----------------------------------------------------------------------------------------------------

    def _due(self, now_s: float) -> Ask | None:
        discovery_s = math.inf if self._discovery.asked else self._discovery.due_s
        urgent = _first(self._urgent)
        if urgent is not None and self._urgent[urgent].due_s <= min(now_s, discovery_s):
            return self._ask_urgent(urgent, now_s)
        if discovery_s <= now_s:
            return self._ask_round(self._discovery, now_s)
        overdue = min(self._idle_rounds(), key=lambda each: each.due_s, default=None)
        if overdue is not None and overdue.due_s <= now_s:
            return self._ask_round(overdue, now_s)
        leaving = _first(self._farewells)
        if leaving is not None and self._farewells[leaving].due_s <= now_s:
            return self._ask_farewell(leaving, now_s)
        return None

    def _next_due_s(self) -> float:
        rounds = [self._discovery, *self._idle_rounds()] if not self._discovery.asked else self._idle_rounds()
        waiting = itertools.chain(
            (each.due_s for each in rounds),
            (urgent.due_s for urgent in self._urgent.values()),
            (farewell.due_s for farewell in self._farewells.values()),
        )
        return min(waiting, default=math.inf)

    def _idle_rounds(self) -> list[Round]:
        return [each for each in (*self._terms, *self._rounds.all) if not each.asked]

    def _ask_urgent(self, first: _Key, now_s: float) -> Ask:
        what, shard = first[0], first[1] % self._shards
        together = [
            key
            for key, urgent in sorted(self._urgent.items(), key=lambda item: item[1].due_s)
            if key[0] == what and key[1] % self._shards == shard and urgent.due_s <= now_s and not urgent.alone
        ]
        keys = [first] if self._urgent[first].alone else together[: self._cadence.ids_per_request]
        ask = self._ask(what, now_s, shard=shard, events=[event for _, event in keys], conditional=False)
        self._urgency[ask.number] = {key: self._urgent.pop(key) for key in keys}
        self._in_flight[ask.number] = None
        return ask

    def _ask_farewell(self, event: int, now_s: float) -> Ask:
        self._farewells[event].due_s = now_s + _FAREWELL_AGAIN_S
        ask = self._ask("offers", now_s, shard=event % self._shards, events=(event,), conditional=False)
        self._in_flight[ask.number] = None
        return ask

    def _said_farewell(self, ask: Ask, outcome: Outcome, now_s: float) -> None:
        for event in ask.events:
            farewell = self._farewells.get(event)
            if farewell is None:
                continue
            if isinstance(outcome, Gone):
                self._forget(event)
            elif now_s >= farewell.until_s or (isinstance(outcome, Served) and event in self._announced):
                del self._farewells[event]

    def _forget(self, event: int) -> None:
        self._farewells.pop(event, None)
        self._announced.pop(event, None)

    def _ask_round(self, due: Round, now_s: float) -> Ask:
        ask = self._ask(
            due.what,
            now_s,
            shard=None if due.group is None else due.group.shard,
            events=() if due.group is None else tuple(due.group.events),
            term=due.term,
            conditional=due.conditional,
        )
        due.asked, due.asked_s, due.due_s, due.conditional = True, now_s, now_s + due.interval_s, True
        self._in_flight[ask.number] = due
        return ask

    def _ask(
        self, what: What, now_s: float, *, shard: int | None, events: Sequence[int], conditional: bool, term: str = ""
    ) -> Ask:
        self._number += 1
        self._on_the_wire.add(self._number)
        self._free_s = now_s + self._distance_s
        return Ask(
            number=self._number,
            what=what,
            asked_s=now_s,
            shard=shard,
            events=tuple(events),
            term=term,
            conditional=conditional,
        )

    def _failed(
        self, ask: Ask, failure: Failed, round_: Round | None, urgency: Mapping[_Key, _Urgent], now_s: float
    ) -> None:
        if round_ is not None:
            failures, failed_s, interval_s = round_.failures, round_.failed_s, round_.interval_s
            round_.failed_s = now_s
        else:
            worst = max(urgency.values(), key=lambda urgent: urgent.failures)
            failures, failed_s, interval_s = worst.failures + 1, worst.failed_s, self._cadence.snapshot_s
        # What fails again while others are answered fails because of what it asks for, perhaps because of one event.
        its_own = not failure.everywhere or failed_s < self._answered_s
        if not its_own or failure.retry_after_s:
            delay_s = self._delay_s(self._pause.failed(ask, now_s), 0.0, failure.retry_after_s)
            self._pause.until_s = max(self._pause.until_s, now_s + delay_s)
        if its_own and len(ask.events) > 1:  # the other events of the group shall not suffer for it
            self._ask_one_by_one(ask, now_s + self._delay_s(1, 0.0, failure.retry_after_s), failed_s=now_s)
            return
        due_s = now_s + self._delay_s(failures, interval_s, failure.retry_after_s)
        if round_ is not None:
            round_.due_s = due_s
            round_.conditional = round_.conditional and ask.conditional
        for key, urgent in urgency.items():
            self._ask_again(key, replace(urgent, due_s=due_s, failures=failures, failed_s=now_s))

    def _ask_one_by_one(self, ask: Ask, due_s: float, *, failed_s: float = math.inf) -> None:
        for event in ask.events:
            self._ask_again((ask.what, event), _Urgent(due_s, failed_s=failed_s, alone=True))

    def _ask_again(self, key: _Key, urgent: _Urgent) -> None:
        # Subscribed once more meanwhile: that asking stands.
        if key[1] in self._rounds.events:
            self._urgent.setdefault(key, urgent)

    def _delay_s(self, failures: int, interval_s: float, retry_after_s: float) -> float:
        backoff = replace(self._cadence.backoff, cap_s=max(self._cadence.backoff.cap_s, interval_s))
        return max(retry_after_s, backoff.delay_s(failures, self._random))


def _first(waiting: Mapping[_Name, _Urgent] | Mapping[_Name, _Farewell]) -> _Name | None:
    return min(waiting, key=lambda name: waiting[name].due_s, default=None)
