"""One bet as the audit sees it: its records, its window, what the vendor said, what came out."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tricast.audit.rms.coverage import Coverage
from tricast.audit.rms.facts import Answered, AnyFact, Arrival, Placed, Replayed, Told, Truth, Word

MARGIN_NS = 10 * 10**9
"""Near the end of a long time (``remember_s``) either side is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Settings of the join, in nanoseconds; seconds have the names of the settings."""

    prematch_ns: int
    live_ns: int
    orphan_ns: int
    verify_ns: int
    unanswered_ns: int
    remember_ns: int


@dataclass(slots=True, kw_only=True)
class Case:
    """All facts about one slip of a customer.

    Attributes:
        contested: Bet codes that several slips have: whose word is whose cannot be told.
    """

    customer: str
    slip: str
    coverage: Coverage
    windows: Windows
    placed: list[Placed] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    arrivals: dict[tuple[int, int], int | None] = field(default_factory=dict)
    truths: list[Truth] = field(default_factory=list)
    replays: list[Replayed] = field(default_factory=list)
    contested: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.customer}/{self.slip}"

    @property
    def is_settled(self) -> bool:
        """Whether nothing about it came after what the processors had committed."""
        return all(fact.is_settled for facts in (self.placed, self.answered, self.words) for fact in facts)

    def add(self, fact: AnyFact) -> None:
        """Take a fact in."""
        match fact:
            case Placed():
                self.placed.append(fact)
            case Answered():
                self.answered.append(fact)
            case Word():
                self.words.append(fact)
            case Told():
                self.told.append(fact)
            case Arrival():
                self.arrivals[fact.partition, fact.offset] = fact.seen_ns
            case Truth():
                self.truths.append(fact)
            case Replayed():
                self.replays.append(fact)

    def arrange(self) -> None:
        """Put everything in its order; call it once, when all is in."""
        self.placed.sort(key=lambda fact: (fact.partition, fact.offset))
        self.answered.sort(key=lambda fact: (fact.partition, fact.offset))
        self.words.sort(key=lambda word: word.place)
        self.truths.sort(key=lambda truth: truth.at_ns)

    @property
    def records(self) -> list[Placed | Answered]:
        """Bet records, by position."""
        return sorted([*self.placed, *self.answered], key=lambda fact: (fact.partition, fact.offset))

    @property
    def began_ns(self) -> int:
        """When there was first something about it, roughly; of outcomes alone nobody knows."""
        times = [record.logged_ns for record in self.records] + [word.received_ns for word in self.words]
        return min(times, default=self.coverage.newest_ns)

    @property
    def starts(self) -> dict[int, int]:
        """Deadline of each time at which the window may have begun: of one when all records are in one partition."""
        firsts: dict[int, Placed | Answered] = {}
        for record in self.records:
            firsts.setdefault(record.partition, record)
        return {record.logged_ns + self._window_ns(record): record.logged_ns for record in firsts.values()}

    def _window_ns(self, first: Placed | Answered) -> int:
        is_live = isinstance(first, Placed) and first.context != "prematch"
        return self.windows.live_ns if is_live else self.windows.prematch_ns

    def doubt_from(self, start_ns: int) -> int:
        """Return from when on something may have been missed."""
        return min([start_ns, *(placed.placed_ns for placed in self.placed[:1])])

    def is_doubted(self, deadline_ns: int, start_ns: int) -> bool:
        """Return whether it may have looked as if a word about it had been missed."""
        answered = [each.answered_ns for each in self.answered[:1]]
        return self.coverage.may_be_doubted(min([self.doubt_from(start_ns), *answered]), deadline_ns)

    @property
    def answer(self) -> Answered | None:
        """The answer that stands: the first, or what replaced ``unknown``."""
        standing = None
        for answered in self.answered:
            if standing is None or (standing.disposition == "unknown" != answered.disposition):
                standing = answered
        return standing

    @property
    def code(self) -> str | None:
        """The bet code that stands: the first known one."""
        return next((answered.code for answered in self.answered if answered.code is not None), None)

    def seen_ns(self, fact: Placed | Answered) -> int:
        """Return when the join had the record, by its customer's time; when it was written, if nobody knows."""
        return max(fact.logged_ns, self.arrivals.get((fact.partition, fact.offset)) or 0)

    @property
    def first_seen_ns(self) -> int:
        """When the join had the first of its records."""
        return min((self.seen_ns(record) for record in self.records), default=0)

    def patience_ns(self, deadline_ns: int, start_ns: int) -> int:
        """Return until when the join waits for an answer before it takes what it has: a platform may have been late."""
        return deadline_ns + max(0, self.first_seen_ns - start_ns)

    def code_seen_ns(self, code: str | None) -> int | None:
        """Return when the join knew that a bet code is this bet's."""
        return min((self.seen_ns(each) for each in self.answered if each.code == code), default=None)

    def sayings(self) -> Iterator[Word]:
        """Yield what the vendor said for or against the bet, in the order of raw, while the bet was known."""
        last_ns = None
        for word in self.words:
            if word.said is None:
                continue
            known_ns = max(self.first_seen_ns, last_ns or 0, *(self.seen_ns(record) for record in self.records), 0)
            is_forgotten = word.received_ns > known_ns + self.windows.remember_ns - MARGIN_NS
            was_forgotten = word.received_ns < self.first_seen_ns - self.windows.remember_ns + MARGIN_NS
            if not is_forgotten and not was_forgotten:
                last_ns = word.received_ns
                yield word

    def is_late(self, deadline_ns: int, start_ns: int) -> bool:
        """Return whether the join had the bet, or its answer, only when it was over: it may have had to guess."""
        late = [self.patience_ns(deadline_ns, start_ns) != deadline_ns]
        return any([*late, *(self.seen_ns(answered) > deadline_ns for answered in self.answered)])

    @property
    def is_lagging(self) -> bool:
        """Return whether a record of it reached the join much later than it was written."""
        return any(self.seen_ns(record) > record.logged_ns + MARGIN_NS for record in self.records)

    def could_be_known(self, word: Word, is_answered: bool, deadline_ns: int, start_ns: int) -> bool:
        """Return whether the join had to know that ``word`` is about this bet before it gave the bet up.

        What names the bet code only is known with the answer, for which nobody waits longer than the window.
        """
        if not self.is_certain(word):
            return False
        if word.slip is not None:
            return True
        known_ns = self.code_seen_ns(word.code)
        return is_answered and known_ns is not None and known_ns <= self.patience_ns(deadline_ns, start_ns)

    def is_certain(self, word: Word) -> bool:
        """Return whether it is this bet that ``word`` is about."""
        return word.slip is not None or word.code not in self.contested
