"""When to look at what again, without walking over all that waits: heaps, made anew from the store when they are lost.

To look once too often does nothing, so entries that were overtaken are left in the heaps.
"""

from dataclasses import dataclass, field
from heapq import heappop, heappush

import msgspec

Name = tuple[bool, str]
"""Whether it is a code, and slip or code."""


class Wake(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a slip or a code waits for beside its own records; the first that comes true wakes it.

    Attributes:
        at_ns: The customer's time reaches this.
        passed: All approvals by code up to this one have passed.
        proven_ns: Coverage is proven beyond this, or changes after this.
    """

    at_ns: int | None = None
    passed: int | None = None
    proven_ns: int | None = None


@dataclass(slots=True)
class Wakes:
    """What one customer's slips and codes wait for."""

    _times: list[tuple[int, Name]] = field(default_factory=list)
    _next: dict[Name, int] = field(default_factory=dict)
    """When each is looked at next; other entries of the heap are old."""
    _passed: list[tuple[int, Name]] = field(default_factory=list)
    _proven: list[tuple[int, Name]] = field(default_factory=list)

    def put(self, name: Name, wake: Wake) -> None:
        """Note what ``name`` waits for."""
        at_ns = wake.at_ns
        if at_ns is not None:
            known = self._next.get(name)
            if known is None or at_ns < known:
                self._next[name] = at_ns
                heappush(self._times, (at_ns, name))
        if wake.passed is not None:
            heappush(self._passed, (wake.passed, name))
        if wake.proven_ns is not None:
            heappush(self._proven, (wake.proven_ns, name))

    def take_due(self, now_ns: int) -> set[Name]:
        """Return whose time has come."""
        due: set[Name] = set()
        while self._times and self._times[0][0] <= now_ns:
            at_ns, name = heappop(self._times)
            if self._next.get(name) == at_ns:
                del self._next[name]
                due.add(name)
        return due

    def take_passed(self, mark: int) -> set[Name]:
        """Return who waited for approvals by code up to ``mark``."""
        passed: set[Name] = set()
        while self._passed and self._passed[0][0] <= mark:
            passed.add(heappop(self._passed)[1])
        return passed

    def take_proven(self, before_ns: int) -> set[Name]:
        """Return who waited for proof up to less than ``before_ns``."""
        proven: set[Name] = set()
        while self._proven and self._proven[0][0] < before_ns:
            proven.add(heappop(self._proven)[1])
        return proven

    def forget(self, name: Name) -> None:
        """``name`` is gone."""
        self._next.pop(name, None)
