"""When somebody listened, by records that may come twice: a block that was sent again brings nobody back."""

import json
from typing import Any

from tricast.audit.records import Raw
from tricast.audit.rms.coverage import Coverage

S = 1_000_000_000
LINE = "rms-90210"


def observe(coverage: Coverage, kind: str, connection: str, at_s: float, joins: bool = False, **said: Any) -> None:
    raw = Raw(
        partition=0,
        offset=0,
        kind=kind,
        line=LINE,
        connection=connection,
        frame=0,
        received_ns=int(at_s * S),
        value=json.dumps(said).encode(),
    )
    coverage.observe(raw, joins=joins, hole=False, is_settled=True)


def tick(coverage: Coverage, connection: str, at_s: float, heard_s: float) -> None:
    observe(coverage, "tick", connection, at_s, open=True, joined=True, heard_ns=int(heard_s * S))


def closed(coverage: Coverage, connection: str, at_s: float, heard_s: float) -> None:
    observe(coverage, "closed", connection, at_s, heard_ns=int(heard_s * S))


def joined(coverage: Coverage, connection: str, at_s: float) -> None:
    observe(coverage, "opened", connection, at_s)
    observe(coverage, "frame", connection, at_s, joins=True)


def gaps(coverage: Coverage) -> list[tuple[float, float]]:
    return [(gap.from_ns / S, gap.until_ns / S) for gap in coverage.line_gaps]


def test_the_last_block_of_a_connection_that_came_again_is_no_return():
    coverage = Coverage()
    joined(coverage, "a", 1)
    for _ in range(2):
        tick(coverage, "a", 10, 8)
        closed(coverage, "a", 11, 9)
        observe(coverage, "tick", "a", 12, open=False, joined=False, heard_ns=None)
    joined(coverage, "b", 15)
    assert gaps(coverage) == [(9.0, 15.0)]


def test_the_end_of_a_connection_that_came_again_ends_none_after_it():
    coverage = Coverage()
    joined(coverage, "a", 1)
    closed(coverage, "a", 11, 9)
    joined(coverage, "b", 15)
    closed(coverage, "a", 11, 9)
    observe(coverage, "opened", "b", 15)
    tick(coverage, "b", 20, 18)
    assert gaps(coverage) == [(9.0, 15.0)]
    assert coverage.is_covered(16 * S, 17 * S)
