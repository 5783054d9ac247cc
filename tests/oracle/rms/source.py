"""The approvals hop of one customer, as its contract says: what a raw record makes of itself in ``rms.pending``."""

import heapq
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from schemas.rms.pending import AnyMessage, Evident, Time, encode
from tests.oracle.rms.course import Course, Raw
from tests.oracle.rms.customer import Choice, Covered, Customer
from tests.oracle.rms.keys import keys_of


class Source:
    """The approvals hop of one customer, as its contract says."""

    def __init__(self, customer: Customer, random: Random, *, dedupes: bool, tells_end: bool) -> None:
        self.customer, self._random = customer, random
        self._dedupes, self._tells_end = dedupes, tells_end
        self.now_ns = 0
        self.by_code = 0
        self._since: int | None = None
        self._proven = 0
        self._current: Covered | None = None
        self._seen: set[tuple[str | None, str | None, str]] = set()
        self.agenda: list[tuple[int, int, int, object]] = []
        self._serial = 0
        for choice in customer.choices:
            if customer.hears(choice.at_ns):
                self.at(choice.at_ns, choice)
        for at_ns in customer.ticks:
            self.at(at_ns, None)
        for covered in customer.covered:
            self.at(covered.since_ns, ("begin", covered), 1)
            if covered.told_ns < 2**61:
                self.at(covered.told_ns, ("end", covered), 1)

    def at(self, at_ns: int, what: object, rank: int = 0) -> None:
        self._serial += 1
        # The end of what was covered before comes before what begins with the same record.
        rank = 0 if isinstance(what, tuple) and what[0] == "end" else rank
        heapq.heappush(self.agenda, (at_ns, rank, self._serial, what))

    def next(self, course: Course) -> list[tuple[str, bytes]]:
        """Return what the next of its agenda makes of itself in ``rms.pending``: keys and messages."""
        at_ns, _, _, what = heapq.heappop(self.agenda)
        self.now_ns = max(self.now_ns, at_ns)
        return self._messages(at_ns, what, course)

    def _messages(self, at_ns: int, what: object, course: Course) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        for message in self._happens(at_ns, what, next(course.offsets), course):
            value = encode(message)
            found += [(key, value) for key in keys_of(message)]
        return found

    def _happens(self, at_ns: int, what: object, offset: int, course: Course) -> Sequence[AnyMessage]:
        match what:
            case Choice():
                return self._choice(what, offset, course)
            case Raw():
                return [self._looked_up(replace(what, offset=offset), course)]
            case ("begin", Covered() as covered):
                self._current, self._since, self._proven = covered, at_ns, at_ns
                return [self._time(course)]
            case ("end", Covered() as covered):
                return self._end(covered, course)
            case _:
                if self._current is not None:
                    lag_ns = self._random.choice((0, 0, 1, 700_000_000))
                    self._proven = max(self._proven, min(self.customer.read_by(at_ns) - lag_ns, self._current.until_ns))
                return [self._time(course)]

    def _end(self, covered: Covered, course: Course) -> list[AnyMessage]:
        messages: list[AnyMessage] = []
        if self._tells_end:
            self._proven = max(self._proven, covered.proven_ns)
            messages.append(self._time(course))
        self._current = self._since = None
        if not (covered.is_our_hole and self._random.random() < 0.5):
            messages.append(self._time(course))
        return messages

    def _time(self, course: Course) -> Time:
        since = self._since
        time = Time(
            customer=self.customer.name,
            now_ns=self.now_ns,
            since_ns=since,
            proven_ns=None if since is None else self._proven,
            by_code=self.by_code,
        )
        course.times.setdefault(self.customer.name, []).append(time)
        return time

    def _choice(self, choice: Choice, offset: int, course: Course) -> Sequence[AnyMessage]:
        ids = (choice.slip, choice.code, choice.said)
        if self._dedupes and ids in self._seen:
            course.contents["repeats that the approvals hop drops"] += 1
            return []
        self._seen.add(ids)
        course.raw.append(course.heard(Raw(self.customer.name, offset, choice.at_ns, choice, said=choice.said)))
        before = self.by_code
        self.by_code += choice.slip is None
        # A hop that was reset reads on from where it had been and says some of it again.
        times = 2 if self._random.random() < 0.02 else 1
        course.contents["said again after a reset"] += times - 1
        return times * [
            Evident(
                customer=self.customer.name,
                slip=choice.slip,
                code=choice.code,
                evidence="approval",
                said="accept" if choice.said == "accept" else "reject",
                raw=(0, offset, 0),
                received_ns=choice.at_ns,
                decided_ns=choice.at_ns - 30_000_000,
                stake=choice.stake,
                odds=choice.odds,
                ordinal=self.by_code if choice.slip is None else 0,
                by_code_before=before,
                after_ns=choice.after_ns,
            )
        ]

    def _looked_up(self, raw: Raw, course: Course) -> Evident:
        course.raw.append(raw)
        request = raw.request
        assert request is not None
        return Evident(
            customer=raw.customer,
            slip=request.slip,
            code=request.code,
            evidence="looked_up",
            said={"accept": "accept", "reject": "reject"}.get(raw.said or ""),  # type: ignore[arg-type]  # one of two
            status=raw.status,
            raw=(0, raw.offset, 0),
            received_ns=self.now_ns,
            requested_ns=raw.requested_ns,
            by_code_before=self.by_code,
        )
