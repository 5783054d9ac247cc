"""What happens to the bets of a customer: slips, answers, traders, and a socket that is away now and then.

All of it by the customer's clock (ns). What is written to ``rms.pending`` for it is in ``flow.py``.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from tests.oracle.rms.customer import BetRecord, Choice, Covered, Customer
from tests.oracle.rms.keys import codes_on, partition_of, slips_on
from tests.oracle.rms.said import SECOND_NS, Rules
from tests.oracle.rms.stalls import awake, stand_still

START_NS: Final = 1_790_000_000 * SECOND_NS
MS_NS: Final = 1_000_000
CONTEXTS: Final = ("prematch", "prematch", "live", "live", "inplay", "tournament")


@dataclass(slots=True)
class World:
    """All of a history but the order in which it comes.

    Attributes:
        is_long: Hours pass at the end, and then some of it comes again.
        is_flooded: More is said of a bet than is kept.
        partitions: Partitions of ``rms.pending`` that any id of the history is on.
    """

    rules: Rules
    customers: list[Customer] = field(default_factory=list)
    is_long: bool = False
    is_flooded: bool = False
    contents: Counter[str] = field(default_factory=Counter)

    @property
    def partitions(self) -> list[int]:
        found = {
            partition_of(key)
            for customer in self.customers
            for slip, code in [
                *((bet.slip, bet.code) for bet in customer.bets),
                *((choice.slip, choice.code) for choice in customer.choices),
            ]
            for key in (f"{customer.name}/{slip}" if slip else "", f"{customer.name}/code:{code}" if code else "")
            if key
        }
        return sorted(found)


def random_world(random: Random) -> World:
    """Return a world."""
    rules = Rules(
        prematch_s=600,
        live_s=120,
        orphan_s=random.choice((60, 600)),
        verify_s=random.choice((30, 900)),
        unanswered_s=random.choice((700, 3600)),
        look_ups=random.choice((1, 50)),
    )
    world = World(rules, is_long=random.random() < 0.1)
    at = random.sample(range(4), random.choice((1, 2, 2, 3)))
    names = random.choice((("90210",), ("90210",), ("90210", "90211")))
    for name in names:
        world.customers.append(_Making(random, world, name, at).make())
    world.contents["histories"] += 1
    world.contents["customers"] += len(names)
    return world


class _Making:
    def __init__(self, random: Random, world: World, name: str, partitions: list[int]) -> None:
        self._random, self._world, self._at = random, world, partitions
        self._customer = Customer(name)
        self._span_ns = random.choice((150, 400, 900, 1500)) * SECOND_NS
        self._deadlines: dict[str, int] = {}
        self._is_calm = random.random() < 0.3
        """Nothing odd: each bet has one record of each kind."""

    def make(self) -> Customer:
        random, customer, count = self._random, self._customer, self._world.contents
        number = random.choice((1, 1, 2, 2, 3))
        slips = slips_on(self._at, customer.name)
        codes = codes_on(self._at, customer.name)
        pairs = [
            (random.choice(slips), random.choice(codes) if random.random() < 0.85 else None) for _ in range(number)
        ]
        if random.random() < 0.9:
            pairs = [
                (slip, code) for place, (slip, code) in enumerate(pairs) if slip not in [p[0] for p in pairs[:place]]
            ]
        if len(pairs) > 1 and random.random() < 0.05:
            pairs[1] = (pairs[1][0], pairs[0][1])
        for slip, code in pairs:
            self._bet(slip, code)
        if random.random() < 0.02:
            self._flood(*pairs[0])
        if random.random() < 0.15:  # of a bet that nobody placed
            is_code = random.random() < 0.5
            at_ns = self._some_time()
            customer.choices.append(
                Choice(
                    customer.name,
                    at_ns,
                    random.choice(("accept", "reject")),
                    None if is_code else "nobody",
                    "k-none" if is_code else None,
                )
            )
        self._cover()
        stand_still(random, customer, self._deadlines, count)
        ends = [choice.at_ns for choice in customer.choices] + [bet.logged_ns for bet in customer.bets]
        ends += [ended for _, ended in customer.stalls]
        customer.end_ns = max([*ends, START_NS + self._span_ns]) + SECOND_NS
        self._tick()
        count["bets"] += len({slip for slip, _ in pairs})
        count["traders' choices"] += len(customer.choices)
        return customer

    def _some_time(self) -> int:
        return START_NS + self._random.randrange(self._span_ns) // 1000 * 1000 + self._random.randrange(1, 1000)

    def _soon(self, *seconds: float) -> int:
        """Return a random length of time of about one of these."""
        return int(self._random.uniform(0.2, 1.8) * self._random.choice(seconds) * SECOND_NS)

    def _bet(self, slip: str, code: str | None) -> None:
        random, customer, count = self._random, self._customer, self._world.contents
        context = random.choice(CONTEXTS)
        placed_ns = START_NS + random.randrange(max(1, self._span_ns // 2))
        logged_ns = placed_ns + self._soon(0.05, 0.05, 1)
        answered_ns = placed_ns + self._soon(0.2, 2, 20)
        is_calm = self._is_calm
        if not is_calm and random.random() < 0.08:
            logged_ns += self._soon(60, 300, 900)
            count["records logged late"] += 1
        answer_logged_ns = max(logged_ns, answered_ns) + self._soon(0.05, 0.5)
        if not is_calm and random.random() < 0.08:
            answer_logged_ns += self._soon(60, 300, 900)
            count["records logged late"] += 1
        disposition = random.choices(("referred", "unknown", "accepted", "rejected"), (14, 3, 2, 2))[0]
        logged_ns, answer_logged_ns = _in_ms(logged_ns), _in_ms(answer_logged_ns)
        placed = BetRecord(customer.name, slip, logged_ns, placed_ns, context)
        if random.random() < 0.1:
            placed = _with(placed, odds=random.choice(((), ("2.10", "1.4"))))
        answered = BetRecord(customer.name, slip, answer_logged_ns, answered_ns, disposition=disposition, code=code)
        if random.random() < 0.93:
            customer.bets.append(placed)
        else:
            count["bets without placed"] += 1
        if random.random() < 0.9:
            customer.bets.append(answered)
        else:
            count["bets without answer"] += 1
        if not is_calm:
            self._odd_records(placed, answered)
        self._choices(placed, code)

    def _odd_records(self, placed: BetRecord, answered: BetRecord) -> None:
        random, customer, count = self._random, self._customer, self._world.contents
        again_ns = _in_ms(answered.logged_ns + self._soon(1, 30, 200))
        if random.random() < 0.06:
            stake = random.choice(("10", "11"))
            customer.bets.append(_with(placed, logged_ns=again_ns, stake=stake))
            count["placed again"] += 1
        if random.random() < 0.05:
            customer.bets.append(_with(answered, logged_ns=again_ns + 7 * MS_NS))
            count["answered again"] += 1
        if random.random() < 0.05:
            other = random.choice(("accepted", "rejected", "referred", "unknown"))
            code = random.choice((answered.code, answered.code, None))
            customer.bets.append(_with(answered, logged_ns=again_ns + 11 * MS_NS, disposition=other, code=code))
            count["answered otherwise"] += 1
        if random.random() < 0.05:  # the answer is logged before the bet
            customer.bets = [
                _with(bet, logged_ns=answered.logged_ns + 13 * MS_NS) if bet == placed else bet for bet in customer.bets
            ]
            count["placed after the answer"] += 1

    def _choices(self, placed: BetRecord, code: str | None) -> None:
        random, customer, count = self._random, self._customer, self._world.contents
        window = self._world.rules.prematch_s if placed.context == "prematch" else self._world.rules.live_s
        deadline_ns = self._deadlines[placed.slip] = placed.logged_ns + window * SECOND_NS
        first = random.choice(("accept", "reject"))
        for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
            at_ns = random.choice(
                (
                    placed.at_ns + self._soon(1, 10, 60),
                    placed.at_ns + random.randrange(window * SECOND_NS),
                    deadline_ns + random.randrange(-3, 4) * random.choice((SECOND_NS, 1)),
                    deadline_ns + self._soon(2, 60, 400),
                )
            )
            said = first if random.random() < 0.6 else random.choice(("accept", "reject"))
            form = random.choices(("slip", "code", "both", "wrong"), (9, 8, 3, 0 if self._is_calm else 1))[0]
            if code is None:
                form = "slip"
            named = {"slip": None, "wrong": "k-wrong"}.get(form, code)
            odd: dict[str, Any] = random.choice(
                ({}, {}, {}, {"stake": "5"}, {"odds": "1.9"}, {"odds": "1.950", "stake": "10.00"})
            )
            slip = None if form == "code" else placed.slip
            customer.choices.append(Choice(customer.name, at_ns, said, slip, named, meant=placed.slip, **odd))
            count[f"choices by {form}"] += 1

    def _flood(self, slip: str, code: str | None) -> None:
        """Say more of a bet than anybody keeps."""
        random, customer = self._random, self._customer
        by_code = code is not None and random.random() < 0.5
        for number in range(random.randrange(17, 21)):
            said = random.choice(("accept", "reject"))
            at_ns = self._some_time()
            name = code if by_code else f"k-wrong-{number}"
            slip_id = None if by_code else slip
            customer.choices.append(Choice(customer.name, at_ns, said, slip_id, name, meant=slip))
        self._world.is_flooded = True
        self._world.contents["floods"] += 1

    def _cover(self) -> None:
        random, customer = self._random, self._customer
        begin = START_NS - 50 * SECOND_NS
        if random.random() < 0.15:
            begin = self._some_time()
        gaps = random.choice((0, 0, 1, 1, 2)) if not self._is_calm else 0
        edges = sorted({self._edge() for _ in range(2 * gaps)})
        since = begin
        for down, up in zip(edges[::2], edges[1::2], strict=False):
            if down <= since or up - down < 10:
                continue
            is_hole = random.random() < 0.2
            told_ns = up if is_hole else min(up - 1, down + random.randrange(1, 2 * SECOND_NS))
            if not is_hole and random.random() < 0.4:  # its connector stood still, or nobody noticed the cut
                told_ns = random.randrange(down + 1, up)
            unproven_ns = random.choice((0, 0, SECOND_NS, 20 * SECOND_NS))
            customer.covered.append(Covered(since, down, told_ns, is_hole, unproven_ns))
            since = up
            self._world.contents["gaps"] += 1
        customer.covered.append(Covered(since, 2**62, 2**62))

    def _edge(self) -> int:
        """Return when a gap begins or ends: at any time, or about when a bet does."""
        if self._random.random() < 0.7:
            return self._some_time()
        return self._random.choice([*self._deadlines.values()]) + self._random.randrange(-3, 9) * SECOND_NS + 1

    def _tick(self) -> None:
        random, customer = self._random, self._customer
        ticks = {self._some_time() for _ in range(random.randrange(1, 6))}
        ticks |= {ended + random.choice((-1, 0, 1)) for _, ended in customer.stalls if random.random() < 0.7}
        for bet in customer.bets:
            for window in (self._world.rules.live_s, self._world.rules.prematch_s):
                if random.random() < 0.4:
                    deadline_ns = bet.logged_ns + window * SECOND_NS
                    ticks.add(deadline_ns + random.choice((0, 1, self._soon(2))))
        customer.ticks = sorted({awake(random, customer, at_ns) for at_ns in ticks if at_ns < customer.end_ns})


def _in_ms(at_ns: int) -> int:
    """Return a time as Kafka has it."""
    return at_ns // MS_NS * MS_NS


def _with(bet: BetRecord, **changes: object) -> BetRecord:
    return replace(bet, **changes)  # type: ignore[arg-type]  # fields by name
