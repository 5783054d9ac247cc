"""Where the gap between two connections of a line begins and ends."""

import pytest

from tricast.audit.frames import FrameNumbers
from tricast.audit.records import Raw
from tricast.audit.report import Report

SECOND_NS = 1_000_000_000


def raw(at_s, kind, frame, value=b"{}", connection="a"):
    return Raw(
        partition=0,
        offset=at_s,
        kind=kind,
        line="rms-1",
        connection=connection,
        frame=frame,
        received_ns=at_s * SECOND_NS,
        value=value,
    )


OPENED = raw(1, "opened", 0)
FRAME = raw(2, "frame", 1, b"2[]")
AGAIN = raw(90, "opened", 0, b'{"previous_connection":"a","previous_frame":1}', connection="b")


@pytest.mark.parametrize(
    ("between", "from_s"),
    [
        ([], 2),
        ([raw(5, "tick", 1, b'{"open":true}')], 5),
        ([raw(5, "tick", 1, b"not json")], 5),
        ([raw(5, "closed", 1)], 2),
        ([raw(5, "tick", 1), raw(6, "closed", 1), raw(60, "tick", 1, b'{"open":false}')], 5),
    ],
    ids=["frame", "tick", "tick of another form", "closed", "ticks without a connection"],
)
def test_a_gap_begins_with_the_last_sign_of_life(between, from_s):
    report = Report()
    numbers = FrameNumbers(report)
    for record in [OPENED, FRAME, *between, AGAIN]:
        assert not numbers.is_repeat(record)
    (gap,) = report.gaps
    assert (gap.from_ns, gap.until_ns) == (from_s * SECOND_NS, 90 * SECOND_NS)
    assert (gap.previous_connection, gap.connection) == ("a", "b")
