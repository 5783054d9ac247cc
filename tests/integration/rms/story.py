"""One afternoon of two customers in simulated time, with a part stopped for a while, and what came of it."""

import heapq
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random
from typing import Any, Literal

from processors.core.processor import SourceRecord
from simulators.rms.bets import Bet
from simulators.rms.config import RmsTraderSettings
from tests.integration.rms.hops import Hop, Logs, work_all
from tests.integration.rms.places import Asker, Place
from tests.integration.rms.vendor import CUSTOMERS, Vendor, answered, placed
from tricast.processors import PROCESSORS
from tricast.settings import Settings

S = 1_000_000_000
START_NS = 1_790_000_000 * S
STEP_NS = S // 2
TICK_NS = 5 * S
BETS_UNTIL_S = 1_500
UNANSWERED_S = 1_200
"""An hour by default, which would have to be lived through."""
END_S = 4_200
"""Long enough for the last deadline, its look-up and its patience, behind a hop that stood still for ten minutes."""
LOOK_UP_NS = 2 * S

Part = Literal["connector", "rms.approvals", "rms.bets", "rms.join"]
Asked = Literal["answered", "failing", "unheard"]

TRADER = RmsTraderSettings(
    accept_share=0.5,
    reject_share=0.3,
    repeat_share=0.15,
    contradict_share=0.08,
    amend_share=0.05,
    decide_after_s=(0.1, 240.0),
    shapes=("object", "string", "list", "two-arguments"),
    ids=("both", "slip", "code"),
    spellings=("documented", "camel", "snake", "code"),
    times=("iso", "iso7", "epoch-ms", "none"),
    number_share=0.3,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One part does not run for a while, seconds from the beginning; a connector may be one replica's."""

    part: Part
    from_s: int = 600
    until_s: int = 1_200
    replica: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What happens.

    Attributes:
        stop: What is stopped, if anything.
        cuts: When every socket of the first replica is cut, seconds from the beginning, and for how long.
        replicas: Names of the sockets of each customer.
        look_ups: Whether bet/detail answers, fails with 500, or is never asked.
        start_ns: When it begins, UTC ns.
        unanswered_s: How long a bet waits for the answer of place-bet.
        end_s: When it ends, seconds from the beginning.
    """

    stop: Stop | None = None
    cuts: Sequence[tuple[int, int]] = ()
    replicas: Sequence[str] = ("",)
    look_ups: Asked = "answered"
    seed: int = 1
    start_ns: int = START_NS
    unanswered_s: int = UNANSWERED_S
    end_s: int = END_S


@dataclass
class Told:
    """What consumers of ``rms.decisions`` have: final outcomes by customer and slip, and the other records."""

    decisions: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    again: list[dict[str, Any]] = field(default_factory=list)
    others: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass
class Afternoon:
    """How it went: the vendor's bets, when nobody listened, what came out."""

    bets: list[Bet]
    deaf: Mapping[str, Sequence[tuple[int, int]]]
    """By customer: intervals, UTC ns, in which no socket was open."""
    unknown: frozenset[int]
    """Numbers of bets whose answer did not say what came of them."""
    unanswered: frozenset[int]
    logs: Logs
    told: Told


def spend(plan: Plan) -> Afternoon:
    """Run an afternoon to its end."""
    return _Run(plan).run()


class _Run:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._chance = Random(plan.seed)
        self._logs = Logs()
        self._places = [Place(self._logs, customer, name) for customer in CUSTOMERS for name in plan.replicas]
        self._askers = {customer: Asker(self._logs, customer) for customer in CUSTOMERS}
        self._vendor = Vendor(
            seed=plan.seed, start_ns=self._plan.start_ns, bets_per_second=0.2, trader=TRADER, announce=self._announce
        )
        settings = Settings()
        rms = settings.rms.model_copy(update={"unanswered_s": plan.unanswered_s})
        settings = settings.model_copy(update={"rms": rms})
        names = ("rms.approvals", "rms.bets", "rms.join")
        self._hops = {name: Hop(PROCESSORS[name](settings), self._logs) for name in names}
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self._sequence = count()
        self._asked = 0
        self._asking = True
        self._deaf: dict[str, list[tuple[int, int]]] = {customer: [] for customer in CUSTOMERS}
        self._deaf_since: dict[str, int] = dict.fromkeys(CUSTOMERS, self._plan.start_ns)
        self._unknown: set[int] = set()
        self._unanswered: set[int] = set()

    def run(self) -> Afternoon:
        self._schedule()
        while self._vendor.now_ns < self._plan.start_ns + self._plan.end_s * S:
            now_ns = self._vendor.now_ns + STEP_NS
            bets = self._vendor.advance(STEP_NS, placing=now_ns < self._plan.start_ns + BETS_UNTIL_S * S)
            for bet in bets:
                self._log(bet)
            while self._later and self._later[0][0] <= now_ns:
                heapq.heappop(self._later)[2]()
            work_all(self._hops)
            self._ask(now_ns)
        return Afternoon(
            bets=list(self._vendor.bets),
            deaf=self._deaf,
            unknown=frozenset(self._unknown),
            unanswered=frozenset(self._unanswered),
            logs=self._logs,
            told=told_by(self._logs.all_of("rms.decisions")),
        )

    # -- what happens when -------------------------------------------------------------------------------------------

    def _at(self, at_ns: int, happen: Callable[[], None]) -> None:
        heapq.heappush(self._later, (at_ns, next(self._sequence), happen))

    def _schedule(self) -> None:
        for place in self._places:
            self._at(self._plan.start_ns, partial(self._open, place))
        for asker in self._askers.values():
            self._at(self._plan.start_ns, partial(asker.start, self._plan.start_ns))
        first = [place for place in self._places if "@" not in place.line]
        for from_s, for_s in self._plan.cuts:
            for place in first:
                self._at(self._plan.start_ns + from_s * S, partial(self._cut, place))
                self._at(self._plan.start_ns + (from_s + for_s) * S, partial(self._open, place))
        for at_ns in range(self._plan.start_ns, self._plan.start_ns + self._plan.end_s * S, TICK_NS):
            self._at(at_ns, self._tick)
        stop = self._plan.stop
        if stop is not None:
            self._at(self._plan.start_ns + stop.from_s * S, lambda: self._stop(stop))
            self._at(self._plan.start_ns + stop.until_s * S, lambda: self._start(stop))

    def _stop(self, stop: Stop) -> None:
        if stop.part != "connector":
            self._hops[stop.part].stop()
            return
        for place in self._of(stop):
            place.die()
            self._note_hearing(place.customer)
        self._asking = bool(stop.replica)  # the first replica's process asks

    def _start(self, stop: Stop) -> None:
        if stop.part != "connector":
            self._hops[stop.part].start()
            return
        for place in self._of(stop):
            self._open(place)
        if not stop.replica:
            for asker in self._askers.values():
                asker.start(self._vendor.now_ns)
        self._asking = True

    def _of(self, stop: Stop) -> list[Place]:
        return [place for place in self._places if place.line.partition("@")[2] == stop.replica]

    def _is_dead(self, place: Place) -> bool:
        stop = self._plan.stop
        elapsed_s = (self._vendor.now_ns - self._plan.start_ns) / S
        return (
            stop is not None
            and stop.part == "connector"
            and place in self._of(stop)
            and stop.from_s <= elapsed_s < stop.until_s
        )

    # -- sockets -----------------------------------------------------------------------------------------------------

    def _open(self, place: Place) -> None:
        if not place.is_open and not self._is_dead(place):
            place.open(self._vendor.now_ns)
            self._note_hearing(place.customer)

    def _cut(self, place: Place) -> None:
        if place.is_open:
            place.close(self._vendor.now_ns)
            self._note_hearing(place.customer)

    def _tick(self) -> None:
        for place in self._places:
            if not self._is_dead(place):
                place.tick(self._vendor.now_ns)

    def _announce(self, customer: str, platform: int, packet: str, decision: int) -> int:
        del platform, decision
        open_places = [place for place in self._places if place.customer == customer and place.is_open]
        for place in open_places:
            place.hear(packet, self._vendor.now_ns)
        return len(open_places)

    def _note_hearing(self, customer: str) -> None:
        now_ns = self._vendor.now_ns
        hears = any(place.is_open for place in self._places if place.customer == customer)
        if hears and customer in self._deaf_since:
            self._deaf[customer].append((self._deaf_since.pop(customer), now_ns))
        elif not hears:
            self._deaf_since.setdefault(customer, now_ns)

    # -- the bet platform, and look-ups ------------------------------------------------------------------------------

    def _log(self, bet: Bet) -> None:
        """Write a bet at once, and its answer some time later: sometimes after the decision, sometimes never."""
        self._write_bet(placed(bet))
        draw = self._chance.random()
        if draw < 0.03:
            self._unanswered.add(bet.number)
            return
        unknown = draw < 0.08
        if unknown:
            self._unknown.add(bet.number)
        late_ns = int((0.3 if draw < 0.9 else 45.0) * S)
        at_ns = self._vendor.now_ns + late_ns
        self._at(at_ns, lambda: self._write_bet(answered(bet, at_ns, unknown=unknown)))

    def _write_bet(self, value: dict[str, Any]) -> None:
        key = f"{value['customer']}/{value['bet_slip_id']}".encode()
        self._logs.append("rms.bets", key, json.dumps(value).encode(), (), self._vendor.now_ns // 1_000_000)

    def _ask(self, now_ns: int) -> None:
        if not self._asking or self._plan.look_ups == "unheard":
            return
        asked = self._logs.read("rms.lookups", 0, self._asked)
        self._asked += len(asked)
        for record in asked:
            value = json.loads(record.value or b"{}")
            if value["until_ns"] >= now_ns:
                self._at(now_ns + LOOK_UP_NS, partial(self._look_up, value, now_ns))

    def _look_up(self, value: dict[str, Any], requested_ns: int) -> None:
        customer, code = value["customer"], value["bet_code"]
        status, body = self._vendor.detail(customer, code)
        if self._plan.look_ups == "failing":
            status, body = 500, b'{"result":false,"message":"Internal error"}'
        if self._asking:
            self._askers[customer].answer(
                value["bet_slip_id"], code, status, body, requested_ns=requested_ns, at_ns=self._vendor.now_ns
            )


def told_by(records: Iterable[SourceRecord]) -> Told:
    """Return what these records of ``rms.decisions`` say."""
    told = Told()
    for record in records:
        kind = dict(record.headers)["ce_type"].decode().removeprefix("tricast.rms.").removesuffix(".v1")
        value = json.loads(record.value or b"{}")
        if kind != "decision":
            told.others.setdefault(kind, []).append(value)
            continue
        place = (value["customer"], value["bet_slip_id"])
        if place in told.decisions:
            told.again.append(value)
        told.decisions.setdefault(place, value)
    return told
