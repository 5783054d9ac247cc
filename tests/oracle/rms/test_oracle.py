"""The join's output equals the oracle's over random histories; ``python -m tests.oracle --feed rms`` runs more."""

from collections import Counter

import pytest

from tests.oracle.rms.core import CoreTask
from tests.oracle.rms.play import compare, course_of, random_chain

HISTORIES = 400
_PARTS = 8


@pytest.mark.parametrize("part", range(_PARTS))
def test_core_says_what_the_oracle_says(part: int):
    for seed in range(part, HISTORIES, _PARTS):
        is_wrong, _ = compare(seed)
        assert not is_wrong, f"python -m tests.oracle --feed rms --seed {seed}"


def test_a_restart_before_each_record_changes_no_byte():
    for seed in range(40):
        course = course_of(seed)
        for log in course.logs.values():
            steady, restarted = CoreTask(course.world.rules), CoreTask(course.world.rules)
            for offset, (key, value) in enumerate(log):
                restarted.restart()
                steady.process(offset, key, value)
                restarted.process(offset, key, value)
                assert steady.written == restarted.written, f"seed {seed}, {key}, record {offset}"


def test_chains_hold_what_can_befall_a_connector():
    contents: Counter[str] = Counter()
    for seed in range(80):
        contents += random_chain(seed).contents
    assert contents.keys() >= {
        "frames lost by us",
        "frames read after a stall",
        "restarts of the approvals hop",
        "restarts",
        "stopped for hours",
    }
