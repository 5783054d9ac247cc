"""One task of the join as its rules state it: reads its records, keeps lists, and looks at all bets after each.

Written from the rules of the join alone; slow and plain on purpose. It imports nothing from the processors. It plays a
task, too, so that histories can be made without the core.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from schemas.rms.pending import Alias, Answered, AnyMessage, Evident, Known, Passed, Placed, Time, decode, encode
from tests.oracle.rms.bet import Bet
from tests.oracle.rms.course import Request, Step
from tests.oracle.rms.keys import EVERYWHERE, partition_of
from tests.oracle.rms.said import SECOND_NS, Rules, Told, told

MOST_EVIDENCE: Final = 16


@dataclass(slots=True)
class Parked:
    """Evidence that waits for a bet, of a slip or of a code."""

    message: Evident
    is_told: bool = False


@dataclass(slots=True)
class Code:
    """A bet code in its task."""

    slip: str | None = None
    position: str = ""
    told: set[str] = field(default_factory=set)
    """Slips that were told to be others."""
    parked: list[Parked] = field(default_factory=list)
    used_ns: int = 0


@dataclass(slots=True)
class Customer:
    """What a task knows of a customer."""

    name: str
    now_ns: int = 0
    since_ns: int | None = None
    proven_ns: int | None = None
    """Last that was told, also while nothing is covered."""
    gaps: list[tuple[float, float]] = field(default_factory=lambda: [(float("-inf"), float("inf"))])
    """The last one is open while nothing is covered."""
    by_code: int = 0
    passed: set[int] = field(default_factory=set)
    bets: dict[str, Bet] = field(default_factory=dict)
    waiting: dict[str, list[Parked]] = field(default_factory=dict)
    """By slip."""
    codes: dict[str, Code] = field(default_factory=dict)

    def take_time(self, time: Time) -> tuple[float, float] | None:
        """Take a Time; return the gap that ends with it, if one does."""
        self.now_ns = max(self.now_ns, time.now_ns)
        self.by_code = max(self.by_code, time.by_code)
        before, self.since_ns = self.since_ns, time.since_ns
        if time.since_ns is None or time.proven_ns is None:
            if before is not None:
                assert self.proven_ns is not None
                self.gaps.append((self.proven_ns, float("inf")))
            return None
        ended = None
        if before is None:
            begun, _ = self.gaps.pop()
            if time.since_ns > begun:
                ended = (begun, time.since_ns)
        elif before != time.since_ns:
            assert self.proven_ns is not None
            if time.since_ns > self.proven_ns:
                ended = (self.proven_ns, time.since_ns)
        if ended is not None:
            self.gaps.append(ended)
        self.proven_ns = time.proven_ns if before != time.since_ns else max(time.proven_ns, self.proven_ns or 0)
        return ended

    def has_gap(self, from_ns: float, to_ns: float) -> bool:
        """Tell whether something may have been missed between the two."""
        return any(begun <= to_ns and ended > from_ns for begun, ended in self.gaps)

    def has_passed(self, number: int) -> bool:
        """Tell whether all approvals by code up to that one went through their tasks."""
        return all(ordinal in self.passed for ordinal in range(1, number + 1))


class Oracle:
    """One task.

    Args:
        rules: Settings.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._customers: dict[str, Customer] = {}
        self._told: list[Told] = []
        self._messages: list[tuple[str, bytes]] = []
        self._requests: list[Request] = []

    def restart(self) -> None:
        """It has no memory but its state."""

    def process(self, offset: int, key: str, value: bytes) -> Step:
        """Take one record; where it stands and what its key is says nothing."""
        del offset, key
        self._told, self._messages, self._requests = [], [], []
        message = decode(value)
        customer = self._customers.setdefault(message.customer, Customer(message.customer))
        ended = self._take(customer, message)
        left = self.rules.look_ups
        for bet in sorted(customer.bets.values(), key=lambda one: (one.deadline_ns, one.slip)):
            left -= self._judge(customer, bet, ended if left > 0 else None)
        self._orphans(customer)
        self._forget(customer)
        return Step(self._told, self._messages, self._requests)

    def _take(self, customer: Customer, message: AnyMessage) -> tuple[float, float] | None:
        match message:
            case Placed() | Answered():
                self._bet_record(customer, message)
            case Alias():
                self._alias(customer, message)
            case Evident(slip=None):
                self._by_code(customer, message)
            case Evident():
                self._evident(customer, message)
            case Known():
                bet = customer.bets.get(message.slip)
                if bet is None or bet.answered is None:
                    self._count("rms.no-bet")
                else:
                    bet.known.add(message.code)
            case Passed():
                customer.passed.add(message.ordinal)
            case Time():
                return customer.take_time(message)
        return None

    # Bets.

    def _bet_record(self, customer: Customer, message: Placed | Answered) -> None:
        bet = customer.bets.get(message.slip)
        at_ns = message.placed_ns if isinstance(message, Placed) else message.answered_ns
        oldest_ns = min(message.logged_ns, at_ns)
        if bet is None:
            if customer.now_ns > 0 and customer.now_ns - oldest_ns > self.rules.remember_s * SECOND_NS:
                self._told.append(told("dead", "", code="rms.bet-too-old"))
                return
            prematch = isinstance(message, Answered) or message.context == "prematch"
            window_s = self.rules.prematch_s if prematch else self.rules.live_s
            bet = Bet(customer.name, message.slip, message.logged_ns, window_s, customer.now_ns)
            customer.bets[message.slip] = bet
            for parked in customer.waiting.pop(message.slip, []):
                bet.add(parked.message, was_orphan=parked.is_told)
        bet.used_ns = max(bet.used_ns, customer.now_ns, message.logged_ns, at_ns)
        self._told += bet.placed_by(message) if isinstance(message, Placed) else bet.answered_by(message)

    def _evident(self, customer: Customer, message: Evident) -> None:
        assert message.slip is not None
        bet = customer.bets.get(message.slip)
        if bet is None:
            if message.said is None:
                self._count("rms.no-bet")
                return
            self._park(customer.waiting.setdefault(message.slip, []), message)
            return
        said = [evidence for evidence in bet.evidence if evidence.message.said is not None]
        if message.said is not None and any(message.raw == evidence.raw for evidence in said):
            self._count("rms.repeat")
            return
        if message.said is not None and len(said) >= MOST_EVIDENCE:
            self._told.append(told("dead", "", code="rms.too-much-evidence"))
            return
        bet.used_ns = max(bet.used_ns, customer.now_ns, message.received_ns)
        bet.add(message, was_orphan=message.was_orphan)

    def _park(self, parked: list[Parked], message: Evident) -> None:
        if any(message.raw == other.message.raw for other in parked):
            self._count("rms.repeat")
        elif len(parked) >= MOST_EVIDENCE:
            self._told.append(told("dead", "", code="rms.too-much-evidence"))
        else:
            parked.append(Parked(message, message.was_orphan))
            parked.sort(key=lambda one: one.message.raw)

    def _count(self, what: str) -> None:
        self._told.append(told("count", "", what=what))

    def _judge(self, customer: Customer, bet: Bet, ended: tuple[float, float] | None) -> int:
        """Judge a bet; return how often it was asked about because of the gap that ended."""
        said, asked = bet.judge(customer, self.rules, ended)
        self._told += said
        for why in asked:
            assert bet.code is not None
            until_ns = max(bet.deadline_ns, customer.now_ns) + self.rules.verify_s * SECOND_NS
            request = Request(customer.name, bet.slip, bet.code, why, customer.now_ns, until_ns)
            self._requests.append(request)
            facts: dict[str, Any] = {"code": bet.code, "why": why, "asked_ns": customer.now_ns, "until_ns": until_ns}
            self._told.append(told("lookup", f"{customer.name}/{bet.slip}", **facts))
        return asked.count("gap")

    # Codes.

    def _by_code(self, customer: Customer, message: Evident) -> None:
        assert message.code is not None
        code = customer.codes.setdefault(message.code, Code())
        code.used_ns = max(code.used_ns, customer.now_ns, message.received_ns)
        if code.slip is not None:
            self._forward(customer, message, code.slip, was_orphan=False)
        else:
            self._park(code.parked, message)
        if message.ordinal:
            for key in EVERYWHERE:
                self._send(key, Passed(customer=customer.name, ordinal=message.ordinal), "all")

    def _alias(self, customer: Customer, message: Alias) -> None:
        code = customer.codes.setdefault(message.code, Code())
        code.used_ns = max(code.used_ns, customer.now_ns)
        if code.slip is None:
            code.slip, code.position = message.slip, message.position
            for parked in code.parked:
                self._forward(customer, parked.message, message.slip, was_orphan=parked.is_told)
            code.parked = []
        elif code.slip == message.slip or message.slip in code.told:
            self._count("rms.repeat")
        else:
            code.told.add(message.slip)
            self._told.append(
                told(
                    "conflict",
                    f"{customer.name}/{message.slip}",
                    why="code-of-two-bets",
                    stands="",
                    raw=message.position,
                    earlier_raw=code.position,
                )
            )
        self._send(
            f"{customer.name}/{message.slip}", Known(customer=customer.name, slip=message.slip, code=message.code)
        )

    def _forward(self, customer: Customer, message: Evident, slip: str, *, was_orphan: bool) -> None:
        known = {name: getattr(message, name) for name in message.__struct_fields__}
        self._send(f"{customer.name}/{slip}", Evident(**known | {"slip": slip, "was_orphan": was_orphan}))

    def _send(self, key: str, message: AnyMessage, to: str = "") -> None:
        value = encode(message)
        self._messages.append((key, value))
        self._told.append(told("pending", f"{to or key} {partition_of(key)}", value=value))

    # Time.

    def _orphans(self, customer: Customer) -> None:
        lists = [*customer.waiting.values(), *(code.parked for code in customer.codes.values())]
        for parked in (one for listed in lists for one in listed):
            message = parked.message
            if not parked.is_told and customer.now_ns > message.received_ns + self.rules.orphan_s * SECOND_NS:
                parked.is_told = True
                known = message.slip if message.slip is not None else f"code:{message.code}"
                facts = {"slip": message.slip, "code": message.code, "said": message.said, "raw": message.raw[1]}
                self._told.append(told("orphan", f"{customer.name}/{known}", received_ns=message.received_ns, **facts))

    def _forget(self, customer: Customer) -> None:
        remember_ns, now_ns = self.rules.remember_s * SECOND_NS, customer.now_ns
        for slip, bet in list(customer.bets.items()):
            is_said = any(evidence.message.said is not None for evidence in bet.evidence)
            idle = bet.disposition in {"accepted", "rejected"} and not is_said and not bet.final
            is_ordered = bet.is_ready(customer, self.rules, bet.need or 0)
            is_over = idle and now_ns > bet.forgotten_ns(self.rules) and is_ordered
            if (bet.final and now_ns > bet.used_ns + remember_ns) or is_over:
                del customer.bets[slip]
        for waiting in (customer.waiting, {name: code.parked for name, code in customer.codes.items()}):
            for slip, listed in list(waiting.items()):
                listed[:] = [one for one in listed if now_ns <= one.message.received_ns + remember_ns]
                if not listed and waiting is customer.waiting:
                    del customer.waiting[slip]
        for name, code in list(customer.codes.items()):
            code.used_ns = code.used_ns or now_ns
            if not code.parked and now_ns > code.used_ns + remember_ns:
                del customer.codes[name]
