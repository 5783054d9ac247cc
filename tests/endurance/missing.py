"""What the vendor handed over and push did not bring out: each must lie in a recorded gap of a line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulators.kambi.ledger import Fact, read_ledger

_KINDS = {
    6: ("offer.added",),
    8: ("offer.status-changed",),
    11: ("odds.changed",),
    22: ("outcomes.added",),
    23: ("outcomes.removed",),
    7: ("offer.removed",),
    34: ("event.state-changed",),
}
"""Types whose facts are compared, with the records that state them."""
DELIVERED = frozenset({"", "delayed", "duplicate", "reordered"})
"""Faults that leave what a frame says as the vendor meant it."""


def missing(ledger: Path, pushed: set[tuple[Any, ...]]) -> Iterator[tuple[Fact, int]]:
    """Yield facts of the ledger that no pushed record states, with when they were last handed over (UTC ns)."""
    said = {statement[:5] for statement in pushed}
    last: dict[tuple[Any, ...], tuple[Fact, int]] = {}
    for line in read_ledger(ledger):
        if line.kind == "frame" and DELIVERED.issuperset((line.fault or "").split(",")):
            for fact in line.facts:
                for kind in _KINDS.get(fact.mt, ()):
                    last[kind, fact.event, fact.offer, fact.outcome, fact.t] = (fact, line.sent_ns)
    for identity, found in last.items():
        if identity not in said:
            yield found


def outside(found: Iterator[tuple[Fact, int]], gaps: list[dict[str, Any]], slack_ns: int) -> tuple[int, list[str]]:
    """Return how many of ``found`` there are, and in words those that lie in no gap."""
    total, words = 0, []
    for fact, sent_ns in found:
        total += 1
        if not any((gap["from_ns"] or 0) - slack_ns <= sent_ns <= gap["until_ns"] + slack_ns for gap in gaps):
            words.append(f"{json.dumps({n: getattr(fact, n) for n in ('mt', 't', 'event', 'offer', 'outcome')})}")
    return total, words
