"""What a fault cost, from times and offsets."""

import pytest

from tests.chaos.recovery import SECOND_NS, Recovery, longest_blocked, recoveries

GROUPS = {"c.kambi": ["c.kambi.raw"]}


def _sample(at_s: int, committed: int, high: int = 0, stable: int = 0) -> dict:
    return {
        "event": "sample",
        "at_ns": at_s * SECOND_NS,
        "committed": {"c.kambi": {"c.kambi.raw/0": committed}},
        "high": {"c.kambi.offers/0": high},
        "stable": {"c.kambi.offers/0": stable},
    }


def _fault(kind: str, target: str, began_s: int, struck_s: int, number: int = 1) -> dict:
    return {
        "event": "fault",
        "at_ns": struck_s * SECOND_NS,
        "began_ns": began_s * SECOND_NS,
        "number": number,
        "kind": kind,
        "target": target,
    }


def test_a_worker_costs_what_the_first_record_after_it_waited():
    arrivals = {"c.kambi.raw/0": [(9 * SECOND_NS, 4), (11 * SECOND_NS, 5)]}
    history = [_sample(9, 4), _fault("kill", "worker:kambi:1", 10, 10), _sample(14, 5), _sample(15, 6)]
    assert recoveries(history, arrivals, GROUPS, "c.") == [
        Recovery(number=1, kind="kill", target="worker:kambi:1", frame_s=None, output_s=4.0, alone=True)
    ]


def test_a_connector_costs_what_passes_until_the_first_frame_after_it_is_there_and_out():
    arrivals = {"c.kambi.raw/0": [(9 * SECOND_NS, 4), (13 * SECOND_NS, 5)]}
    history = [_sample(9, 5), _fault("kill", "connector:kambi", 10, 11), _sample(14, 6)]
    assert [(found.frame_s, found.output_s) for found in recoveries(history, arrivals, GROUPS, "c.")] == [(3.0, 4.0)]


def test_a_fault_after_which_nothing_came_says_nothing():
    history = [_sample(9, 5), _fault("kill", "connector:kambi", 10, 11), _sample(14, 5)]
    assert [
        (found.frame_s, found.output_s, found.alone)
        for found in recoveries(history, {"c.kambi.raw/0": []}, GROUPS, "c.")
    ] == [(None, None, False)]


def test_a_fault_that_met_nobody_alive_is_none():
    history = [_fault("kill", "worker:kambi:1", 10, 10) | {"parameters": {"pid": None}}]
    assert recoveries(history, {}, GROUPS, "c.") == []


@pytest.mark.parametrize(
    ("other", "alone"),
    [
        (_fault("kill", "worker:kambi:2", 13, 13, number=2), [False, False]),
        (_fault("kill", "broker:1", 13, 13, number=2), [False, False]),
        (_fault("kill", "connector:rms", 13, 13, number=2), [True, False]),
        (_fault("kill", "worker:kambi:2", 16, 16, number=2), [True, True]),
        (_fault("kill", "worker:kambi:2", 8, 8, number=2), [False, False]),
    ],
    ids=["before it was over", "of a broker", "of another feed", "after it", "not over yet"],
)
def test_a_fault_is_alone_while_no_other_touches_the_same_records(other, alone):
    arrivals = {"c.kambi.raw/0": [(second * SECOND_NS, second) for second in range(8, 18)]}
    history = [
        _sample(7, 8),
        _fault("kill", "worker:kambi:1", 10, 10),
        other,
        _sample(14, 8),
        _sample(15, 15),
        _sample(17, 18),
    ]
    assert [found.alone for found in recoveries(history, arrivals, GROUPS, "c.")] == alone


def test_a_reader_is_blocked_while_records_are_there_that_it_may_not_see():
    history = [
        _sample(1, 0, 10, 10),
        _sample(2, 0, 12, 11),
        _sample(3, 0, 15, 11),
        _sample(6, 0, 20, 11),
        _sample(7, 0, 20, 20),
    ]
    assert longest_blocked(history) == (4.0, "c.kambi.offers/0")


def test_a_reader_who_has_read_all_there_is_is_not_blocked():
    assert longest_blocked([_sample(1, 0, 10, 10), _sample(5, 0, 10, 10), _sample(9, 0, 10, 10)]) == (0.0, "")
