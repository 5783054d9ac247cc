"""Bugs to plant: in the rules of the oracle itself, and in what was written. Comparing must notice each."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.oracle import planting
from tests.oracle.rms import bet, oracle
from tests.oracle.rms.said import Told


@dataclass(frozen=True, slots=True)
class Bug(planting.Bug):
    """In the oracle. ``is_seen``: the second judge notices it on his own."""

    is_seen: bool = False


BUGS = (
    Bug("J1 every window is prematch's", oracle, "Oracle._bet_record", 'message.context == "prematch"', "True", True),
    Bug(
        "J1 the window begins with the bet", oracle, "Oracle._bet_record",
        "message.slip, message.logged_ns, window_s", "message.slip, at_ns, window_s", True,
    ),
    Bug("J2 an equal bet differs", bet, "Bet.placed_by", "self.placed.content == message.content", "False"),
    Bug("J2 another bet is equal", bet, "Bet.placed_by", "self.placed.content == message.content", "True"),
    Bug(
        "J2 unknown stays", bet, "Bet.answered_by",
        'held.disposition == "unknown" != message.disposition', "False",
    ),
    Bug(
        "J2 the last answer holds", bet, "Bet.answered_by",
        'held.disposition == "unknown" != message.disposition', "held.disposition != message.disposition",
    ),
    Bug("J2 other answers are equal", bet, "Bet.answered_by", "if differs:", "if False:"),
    Bug("J3 in the order of arrival", bet, "Bet.add", "evidence.raw)", "0)"),
    Bug(
        "J4 the window's last ns is late", bet, "Bet._by_evidence",
        "one.after_ns() <= self.deadline_ns", "one.after_ns() < self.deadline_ns", True,
    ),
    Bug(
        "J4 read late is said late", bet, "Bet._by_evidence",
        "one.after_ns() <= self.deadline_ns", "one.message.received_ns <= self.deadline_ns", True,
    ),
    Bug(
        "J4 said after it was read", bet, "Evidence.after_ns",
        "min(message.after_ns, message.received_ns)", "message.after_ns",
    ),
    Bug("J4 no answer is contradicted", bet, "Bet._contradiction", "if message.said == opposite", "if False"),
    Bug("J5 codes take part in no order", bet, "Bet.is_ordered", "if number == 0", "if True", True),
    Bug("J5 passed is enough", bet, "Bet.is_ordered", "self.code in self.known and", "", True),
    Bug("J5 known is enough", bet, "Bet.is_ordered", "and customer.has_passed(number)", "", True),
    Bug("J5 one that passed is enough", oracle, "Customer.has_passed", "return all(", "return any(", True),
    Bug(
        "J5 waits for an answer for hours", bet, "Bet.is_ready",
        "self.patience_ns if self.answered is None else", "",
    ),
    Bug("J6 nothing has to be proven", bet, "Bet._by_time", "if self.is_proven(customer)", "if True", True),
    Bug("J6 proven to the ns is enough", bet, "Bet.is_proven", "proven_ns > self", "proven_ns >= self"),
    Bug("J6 no gap is seen", oracle, "Customer.has_gap", "return any(", "return False and any(", True),
    Bug("J6 all gaps are seen", oracle, "Customer.has_gap", "ended > from_ns", "True", True),
    Bug("J6 a gap has no end", oracle, "Customer.take_time", "begun, _ = self.gaps.pop()", "begun, _ = self.gaps[-1]"),
    Bug("J6 a hole is no gap", oracle, "Customer.take_time", "elif before != time.since_ns:", "elif False:"),
    Bug("J6 unknown is referred", bet, "Bet.is_in_doubt", 'self.disposition == "unknown" and', "False and"),
    Bug("J6 the deadline does not wait for codes", bet, "Bet._by_time", "if not is_ordered and", "if False and"),
    Bug("J6 it waits for codes that came later", bet, "Bet.judge", "if self.need is None and", "if"),
    Bug(
        "J6 codes that came after its time are late", bet, "Bet.judge",
        "if not self.is_need_proven and", "if False and", True,
    ),
    Bug("J6 unanswered at once", bet, "Bet._by_time", "rules.unanswered_s * SECOND_NS", "0"),
    Bug("J6 accepted bets expire", bet, "Bet._by_time", 'in {"accepted", "rejected"} or', "== 0 or", True),
    Bug("J7 no look-up after a gap", bet, "Bet.judge", "if waits and ended is not None", "if False"),
    Bug("J7 any number of look-ups after a gap", oracle, "Oracle.process", "if left > 0", "if True"),
    Bug("J7 look-ups for who came first", oracle, "Oracle.process", "(one.deadline_ns, one.slip)", "0"),
    Bug("J7 a look-up after any gap", bet, "Bet.judge", "and self.has_gap(customer, ended)", "", True),
    Bug(
        "J7 no look-up at the end", bet, "Bet._by_time",
        "elif self.asked_ns is None:", "elif setattr(self, 'asked_ns', self.asked_ns or now_ns):",
    ),
    Bug(
        "J7 until the look-up, not the end", oracle, "Oracle._judge",
        "max(bet.deadline_ns, customer.now_ns)", "customer.now_ns",
    ),
    Bug("J7 nobody waits for the look-up", bet, "Bet._by_time", "+ rules.verify_s * SECOND_NS", ""),
    Bug("J7 none yet clears nothing", bet, "Bet.has_gap", "if self.cleared_ns is not None:", "if False:"),
    Bug("J7 none yet is none ever", bet, "Bet._says_nobody", "requested_ns >= self.deadline_ns", "True", True),
    Bug("J7 not found is an error", bet, "Bet._by_time", "one.status == 404", "False"),
    Bug("J7 errors are no reason", bet, "Bet._by_time", "if errors:", "if False:"),
    Bug("J8 late is in time", bet, "Bet._by_evidence", "if is_in_time or takes_late:", "if True:", True),
    Bug("J8 late waits for time", bet, "Bet._by_evidence", "if too_late is not None:", "if False:"),
    Bug("J8 late expires what is not proven", bet, "Bet._by_evidence", "or self.is_proven(customer)", "or True", True),
    Bug("J8 late in doubt is late", bet, "Bet._by_evidence", "or (is_doubtful and is_ordered)", ""),
    Bug(
        "J8 late in whatever order", bet, "Bet._by_evidence",
        "is_ordered = self.is_ordered(customer, one.message.by_code_before)", "is_ordered = True",
    ),
    Bug("J8 each is late", bet, "Bet._after", "self.late = one", "pass", True),
    Bug("J8 equal is opposite", bet, "Bet._after", "stands.message.said == one.message.said", "False", True),
    Bug("J8 opposite is equal", bet, "Bet._after", "stands.message.said == one.message.said", "True", True),
    Bug("J9 ids never disagree", bet, "Bet._disagreement", "if others:", "if False:"),
    Bug("J10 what was parked stays", oracle, "Oracle._alias", "in code.parked:", "in ():", True),
    Bug("J10 parked in the order of arrival", oracle, "Oracle._alias", "in code.parked:", "in reversed(code.parked):"),
    Bug("J10 the last alias holds", oracle, "Oracle._alias", "if code.slip is None:", "if True:"),
    Bug("J10 passed to one task only", oracle, "Oracle._by_code", "key in EVERYWHERE:", "key in EVERYWHERE[:1]:"),
    Bug("J11 orphans at once", oracle, "Oracle._orphans", "self.rules.orphan_s * SECOND_NS", "0"),
    Bug("J11 orphans are told again", oracle, "Oracle._orphans", "parked.is_told = True", "pass", True),
    Bug("J11 orphans go to no bet", oracle, "Oracle._bet_record", "customer.waiting.pop(message.slip, [])", "()", True),
    Bug(
        "J12 too old bets are opened", oracle, "Oracle._bet_record",
        "if customer.now_ns > 0 and", "if False and", True,
    ),
    Bug("J12 any number is kept", oracle, "Oracle._evident", "and len(said) >= MOST_EVIDENCE", "and False"),
    Bug("J12 nothing is forgotten", oracle, "Oracle._forget", "if (bet.final and", "if (False and"),
    Bug("J13 what was amended is not told", bet, "Bet._decide", "amended=self._amended(message)", "amended=None"),
    Bug(
        "J13 1.950 is not 1.95", bet, "Bet._amended",
        "Decimal(message.odds) == Decimal(self.placed.odds[0])", "message.odds == self.placed.odds[0]",
    ),
)  # fmt: skip


def _first(
    kind: str, change: Callable[[Told], list[Told]], *, only: Callable[[Told], bool] | None = None
) -> Callable[[list[Told]], bool]:
    def lie(said: list[Told]) -> bool:
        for place, one in enumerate(said):
            if one.kind == kind and (only is None or only(one)):
                said[place : place + 1] = change(one)
                return True
        return False

    return lie


def _with(one: Told, **facts: object) -> Told:
    return one._replace(facts=tuple(sorted((dict(one.facts) | facts).items())))


def _flipped(one: Told) -> list[Told]:
    other = {"accepted": "rejected", "rejected": "accepted"}[str(one.fact("outcome"))]
    return [_with(one, outcome=other)]


def _is_decided(one: Told) -> bool:
    return one.fact("outcome") in {"accepted", "rejected"}


def _is_approved(one: Told) -> bool:
    return _is_decided(one) and one.fact("evidence") == "approval"


def _expired(one: Told) -> list[Told]:
    return [_with(one, outcome="expired", evidence="deadline", raw=None)]


def _is_opposite(one: Told) -> bool:
    return one.fact("why") == "opposite"


LIES: dict[str, Callable[[list[Told]], bool]] = {
    "no outcome": _first("decision", lambda _: []),
    "two outcomes": _first("decision", lambda one: [one, one]),
    "the other outcome": _first("decision", _flipped, only=_is_decided),
    "rests on another record": _first("decision", lambda one: [_with(one, raw=4711)], only=_is_decided),
    "expired instead": _first("decision", _expired, only=_is_approved),
    "another bet's outcome": _first("decision", lambda one: [one._replace(key=one.key + "9")]),
    "late lost": _first("late", lambda _: []),
    "late twice": _first("late", lambda one: [one, one]),
    "conflict lost": _first("conflict", lambda _: [], only=_is_opposite),
    "conflict of another record": _first("conflict", lambda one: [_with(one, raw=4711)], only=_is_opposite),
    "orphan twice": _first("orphan", lambda one: [one, one]),
    "orphan of another record": _first("orphan", lambda one: [_with(one, raw=4711)]),
    "look-up of another bet": _first("lookup", lambda one: [one._replace(key=one.key + "9")]),
    "a dead letter": _first("decision", lambda one: [one, Told("dead", "", (("code", "rms.bad-message"),))]),
}  # fmt: skip
"""What may go wrong on the way out: changes what was said in place; false where there is nothing to change."""
