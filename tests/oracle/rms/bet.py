"""One bet in its slip's task, as the rules of the join state it (docs/rms-join.md, J1 to J9)."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from schemas.rms.pending import Answered, Evident, Placed
from tests.oracle.rms.said import SECOND_NS, Rules, Told, told

if TYPE_CHECKING:
    from tests.oracle.rms.oracle import Customer

_MEANS = {"accept": "accepted", "reject": "rejected"}


@dataclass(slots=True)
class Evidence:
    """Something that the vendor said of the bet."""

    message: Evident
    was_orphan: bool
    is_judged: bool = False

    @property
    def raw(self) -> tuple[int, int, int]:
        return self.message.raw

    def after_ns(self) -> int:
        """The vendor said it after this, as far as is known."""
        message = self.message
        return message.received_ns if message.after_ns is None else min(message.after_ns, message.received_ns)


@dataclass(slots=True)
class Bet:
    """A bet: what was placed and answered, what was said of it, and how it ended."""

    customer: str
    slip: str
    start_ns: int
    window_s: int
    opened_ns: int
    placed: Placed | None = None
    answered: Answered | None = None
    code: str | None = None
    known: set[str] = field(default_factory=set)
    """Codes of which all that came for them stands before."""
    evidence: list[Evidence] = field(default_factory=list)
    final: str = ""
    late: Evidence | None = None
    winner: Evidence | None = None
    need: int | None = None
    """Number of approvals by code that have to be through before the deadline counts."""
    is_need_proven: bool = False
    """Whether no earlier one can come any more that was said in time."""
    asked_ns: int | None = None
    """When it was asked for because the deadline had come."""
    is_contradiction_told: bool = False
    is_disagreement_told: bool = False
    used_ns: int = 0

    @property
    def key(self) -> str:
        return f"{self.customer}/{self.slip}"

    @property
    def deadline_ns(self) -> int:
        return self.start_ns + self.window_s * SECOND_NS

    @property
    def patience_ns(self) -> int:
        return max(self.start_ns, self.opened_ns) + self.window_s * SECOND_NS

    @property
    def disposition(self) -> str | None:
        return None if self.answered is None else self.answered.disposition

    # Records of the bet (J2).

    def placed_by(self, message: Placed) -> list[Told]:
        """Take a placed record."""
        if self.placed is None:
            self.placed = message
            return []
        if self.placed.content == message.content:
            return [told("count", "", what="rms.repeat")]
        return [self._conflict("placed-differs", raw=message.position, earlier_raw=self.placed.position)]

    def answered_by(self, message: Answered) -> list[Told]:
        """Take an answer of place-bet."""
        held = self.answered
        if held is None:
            self.answered, self.code = message, message.code
            return []
        differs = message.disposition != held.disposition and held.disposition != "unknown"
        differs = differs or (message.code is not None and self.code is not None and message.code != self.code)
        changes = False
        if held.disposition == "unknown" != message.disposition:
            self.answered, changes = message, True
        if self.code is None and message.code is not None:
            self.code, changes = message.code, True
        if differs:
            return [self._conflict("answer-differs", raw=message.position, earlier_raw=held.position)]
        return [] if changes else [told("count", "", what="rms.repeat")]

    def _conflict(self, why: str, *, raw: str | int, earlier_raw: str | int | None, said: str | None = None) -> Told:
        return told("conflict", self.key, why=why, stands=self.final, raw=raw, earlier_raw=earlier_raw, said=said)

    def add(self, message: Evident, *, was_orphan: bool) -> None:
        """Take what the vendor said (J3)."""
        self.evidence.append(Evidence(message, was_orphan))
        self.evidence.sort(key=lambda evidence: evidence.raw)

    # Order and doubt (J5, J6).

    def escape_ns(self, rules: Rules) -> int:
        """Return when order is waited for no more."""
        return self.patience_ns + rules.remember_s * SECOND_NS // 2

    def forgotten_ns(self, rules: Rules) -> int:
        """Return how long it is kept at least when no trader has to decide it."""
        return self.patience_ns + rules.orphan_s * SECOND_NS

    def is_ordered(self, customer: "Customer", number: int) -> bool:
        """Tell whether all that was said by code before is here."""
        if number == 0:
            return True
        if self.answered is None:
            return False
        return self.code is None or (self.code in self.known and customer.has_passed(number))

    def is_ready(self, customer: "Customer", rules: Rules, number: int) -> bool:
        """Tell whether nothing of an earlier place can come any more, or it was waited for long enough."""
        waited_ns = self.patience_ns if self.answered is None else self.escape_ns(rules)
        return self.is_ordered(customer, number) or customer.now_ns > waited_ns

    @property
    def cleared_ns(self) -> int | None:
        """Until when bet/detail said that nobody had decided."""
        found = [
            one.message.requested_ns
            for one in self.evidence
            if one.message.said is None and one.message.status == 200 and one.message.requested_ns is not None
        ]
        return max(found, default=None)

    def has_gap(self, customer: "Customer", gap: tuple[float, float] | None = None) -> bool:
        """Tell whether a decision may have been missed (in ``gap``)."""
        known = [self.placed.placed_ns] if self.placed is not None else []
        known += [self.answered.answered_ns] if self.answered is not None else []
        from_ns = min([self.start_ns, *known])
        if self.cleared_ns is not None:
            from_ns = max(from_ns, self.cleared_ns)
        if from_ns >= self.deadline_ns:
            return False
        if gap is not None:
            return gap[0] <= self.deadline_ns and gap[1] > from_ns
        return customer.has_gap(from_ns, self.deadline_ns)

    def is_in_doubt(self, customer: "Customer") -> bool:
        """Tell whether a decision may have been missed, or the answer did not say."""
        return self.has_gap(customer) or (self.disposition == "unknown" and self.cleared_ns is None)

    def is_proven(self, customer: "Customer") -> bool:
        """Tell whether nothing that was said by the end can come any more."""
        return customer.proven_ns is not None and customer.proven_ns > self.deadline_ns

    # Judging.

    def judge(
        self, customer: "Customer", rules: Rules, ended: tuple[float, float] | None
    ) -> tuple[list[Told], list[str]]:
        """Return what is to be told now, and which look-ups are to be asked for."""
        said: list[Told] = []
        asked: list[str] = []
        is_idle = self.disposition in {"accepted", "rejected"}
        ends_ns = self.forgotten_ns(rules) if is_idle else self.deadline_ns
        if self.need is None and customer.now_ns > ends_ns:
            self.need = customer.by_code
        if not self.is_need_proven and self.is_proven(customer) and not is_idle:
            # What was said by the end may have come after its time, but not after its proof.
            self.need, self.is_need_proven = customer.by_code, True
        if not self.final:
            said += self._by_evidence(customer, rules)
        if not self.final:
            asked += self._by_time(customer, rules, said)
        waits = not self.final and self.disposition in {"referred", "unknown"} and self.code is not None
        if waits and ended is not None and not asked and self.has_gap(customer, ended):
            asked.append("gap")
        said += self._contradiction()
        if self.final:
            said += self._after()
        said += self._disagreement()
        return said, asked

    def _by_evidence(self, customer: "Customer", rules: Rules) -> list[Told]:
        ready = [one for one in self.evidence if self.is_ready(customer, rules, one.message.by_code_before)]
        is_doubtful = self.is_in_doubt(customer)
        too_late = None
        for one in ready:
            if one.message.said is None:
                continue
            is_in_time = one.message.evidence == "looked_up" or one.after_ns() <= self.deadline_ns
            is_ordered = self.is_ordered(customer, one.message.by_code_before)
            takes_late = self.disposition in {"accepted", "rejected"} or (is_doubtful and is_ordered)
            if is_in_time or takes_late:
                self.winner, one.is_judged = one, True
                return [self._decide(_MEANS[one.message.said], one.message.evidence, customer, one)]
            if is_ordered:
                too_late = too_late or one
        nobody = [one for one in self.evidence if self._says_nobody(one)]
        nobody = sorted(nobody, key=lambda one: one.message.requested_ns or 0, reverse=True)[:1]
        if self.disposition in {"accepted", "rejected"}:
            return []
        if nobody and nobody[0] in ready:
            return [self._decide("expired", "looked_up", customer, nobody[0])]
        if too_late is not None:
            by = nobody[0] if nobody else None
            if by is not None or self.is_proven(customer):
                return [self._decide("expired", "looked_up" if by else "deadline", customer, by)]
        return []

    def _says_nobody(self, one: Evidence) -> bool:
        requested_ns = one.message.requested_ns
        is_none = one.message.said is None and one.message.status == 200
        return is_none and requested_ns is not None and requested_ns >= self.deadline_ns

    def _by_time(self, customer: "Customer", rules: Rules, said: list[Told]) -> list[str]:
        now_ns, why = customer.now_ns, ""
        if self.answered is None:
            silent_ns = max(self.start_ns + rules.unanswered_s * SECOND_NS, self.patience_ns)
            if now_ns > silent_ns:
                said.append(self._decide("expired_unverified", "deadline", customer, why="unanswered"))
            return []
        if self.disposition in {"accepted", "rejected"} or self.need is None:
            return []
        if (self.cleared_ns or 0) >= self.deadline_ns:
            return []
        is_ordered = self.is_ordered(customer, self.need)
        if not is_ordered and now_ns <= self.escape_ns(rules):
            return []
        if is_ordered and not self.is_in_doubt(customer):
            if self.is_proven(customer):
                said.append(self._decide("expired", "deadline", customer))
            return []
        errors = [one.message for one in self.evidence if one.message.said is None and one.message.status != 200]
        gone = [
            one
            for one in errors
            if one.status == 404 and one.requested_ns is not None and one.requested_ns > self.deadline_ns
        ]
        if self.code is None:
            why = "no-code"
        elif gone:
            why = "not-found"
        elif self.asked_ns is None:
            self.asked_ns = now_ns
            return ["deadline"]
        elif now_ns > max(self.deadline_ns, self.asked_ns) + rules.verify_s * SECOND_NS:
            why = "unknown-disposition"
            if errors:
                why = "no-answer"
            elif self.has_gap(customer):
                why = "feed-down"
            elif not is_ordered:
                why = "unordered"
        if why:
            said.append(self._decide("expired_unverified", "deadline", customer, why=why))
        return []

    def _decide(
        self, outcome: str, evidence: str, customer: "Customer", by: Evidence | None = None, *, why: str | None = None
    ) -> Told:
        del customer
        self.final = outcome
        message = None if by is None else by.message
        return told(
            "decision",
            self.key,
            outcome=outcome,
            evidence=evidence,
            why=why,
            code=self._code_of(message),
            context=None if self.placed is None else self.placed.context,
            disposition=self.disposition,
            stake=None if self.placed is None else Decimal(self.placed.stake),
            amended=self._amended(message),
            placed_ns=None if self.placed is None else self.placed.placed_ns,
            answered_ns=None if self.answered is None else self.answered.answered_ns,
            deadline_ns=self.deadline_ns,
            decided_ns=None if message is None else message.decided_ns,
            received_ns=None if message is None or message.said is None else message.received_ns,
            raw=None if message is None else message.raw[1],
            after_orphan=True if by is not None and by.was_orphan and outcome != "expired" else None,
            latency=self._latency(message),
            placed_at=None if self.placed is None else self.placed.position,
            answered_at=None if self.answered is None else self.answered.position,
        )

    def _code_of(self, message: Evident | None) -> str | None:
        return message.code if self.code is None and message is not None and message.said is not None else self.code

    def _latency(self, message: Evident | None) -> tuple[tuple[str, int], ...]:
        if message is not None and message.said is None:
            message = None
        ends = {
            "placed": None if self.placed is None else self.placed.placed_ns,
            "answered": None if self.answered is None else self.answered.answered_ns,
            "decided": None if message is None else message.decided_ns,
            "received": None if message is None else message.received_ns,
        }
        found = {}
        for first, last in (
            ("placed", "answered"),
            ("answered", "decided"),
            ("decided", "received"),
            ("placed", "received"),
        ):
            begun, ended = ends[first], ends[last]
            if begun is not None and ended is not None:
                found[f"{first}_to_{last}_ms"] = (ended - begun) // 1_000_000
        return tuple(sorted(found.items()))

    def _amended(self, message: Evident | None) -> tuple[Decimal | None, Decimal | None] | None:
        if message is None or self.placed is None:
            return None
        stake = odds = None
        if message.stake is not None and Decimal(message.stake) != Decimal(self.placed.stake):
            stake = Decimal(message.stake)
        if message.odds is not None and len(self.placed.odds) == 1:
            odds = None if Decimal(message.odds) == Decimal(self.placed.odds[0]) else Decimal(message.odds)
        return None if stake is odds is None else (stake, odds)

    # After the end (J8), and what cannot both be right (J4, J9).

    def _after(self) -> list[Told]:
        said: list[Told] = []
        for one in self.evidence:
            if one.is_judged or one.message.said is None:
                continue
            one.is_judged = True
            stands = self.winner or self.late
            raw = one.message.raw[1]
            if stands is None:
                self.late = one
                said.append(self._late(one))
            elif stands.message.said == one.message.said:
                said.append(told("count", "", what="rms.duplicate"))
            else:
                earlier = stands.message.raw[1]
                said.append(self._conflict("opposite", raw=raw, earlier_raw=earlier, said=one.message.said))
        return said

    def _late(self, one: Evidence) -> Told:
        message = one.message
        return told(
            "late",
            self.key,
            code=self._code_of(message),
            said=message.said,
            evidence=message.evidence,
            earlier=self.final,
            received_ns=message.received_ns,
            after_deadline_ms=(message.received_ns - self.deadline_ns) // 1_000_000,
            raw=message.raw[1],
        )

    def _contradiction(self) -> list[Told]:
        said: list[Told] = []
        if self.winner is not None and self.answered is not None and not self.is_contradiction_told:
            message = self.winner.message
            opposite = {"accepted": "reject", "rejected": "accept"}.get(self.answered.disposition)
            if message.said == opposite:
                self.is_contradiction_told = True
                earlier = self.answered.position
                raw = message.raw[1]
                said.append(self._conflict("answer-contradicts", raw=raw, earlier_raw=earlier, said=message.said))
        return said

    def _disagreement(self) -> list[Told]:
        said: list[Told] = []
        if self.code is not None and self.answered is not None and not self.is_disagreement_told:
            others = [one.message for one in self.evidence if one.message.code not in {None, self.code}]
            if others:
                self.is_disagreement_told = True
                raw, earlier = others[0].raw[1], self.answered.position
                said.append(self._conflict("ids-disagree", raw=raw, earlier_raw=earlier, said=others[0].said))
        return said
