"""Rebalances are counted from what workers say, and waits from what brokers say."""

from datetime import UTC, datetime

from tests.chaos.rebalances import Rebalance, rebalances, standstills
from tests.chaos.recovery import SECOND_NS

GROUPS = {"c.kambi": ["c.kambi.raw"]}


def _opened(at_s: float, generation: int) -> str:
    at = datetime.fromtimestamp(at_s, UTC).astimezone()
    told = f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d}"
    return f"{told} INFO tasks.opened count=4 kept=0 generation={generation} entries=3 seconds=1.61\n"


def _sample(at_s: int, committed: int | None, high: int) -> dict:
    told = {} if committed is None else {"c.kambi": {"c.kambi.raw/0": committed}}
    return {"event": "sample", "at_ns": at_s * SECOND_NS, "committed": told, "high": {"c.kambi.raw/0": high, "x/0": 99}}


def _of(opened_s: float) -> Rebalance:
    return Rebalance(group="c.kambi", generation=3, opened_ns=round(opened_s * SECOND_NS))


def test_each_generation_in_which_somebody_opened_is_one_rebalance_but_for_the_first():
    lines = [
        _opened(1.5, 2),
        "2026-11-21 20:09:27,864 CRITICAL worker.stopped group refused offsets: Membership(generation=2)\n",
        _opened(9.25, 5),
        _opened(7.125, 5),
        _opened(20.0, 17),
        "Traceback (most recent call last):\n",
    ]
    assert rebalances({"c.kambi": lines, "c.rms.join": [_opened(3.0, 1)], "c.rms.bets": []}) == [
        Rebalance(group="c.kambi", generation=5, opened_ns=7_125_000_000),
        Rebalance(group="c.kambi", generation=17, opened_ns=20 * SECOND_NS),
    ]


def test_a_group_stands_still_from_the_first_sample_with_work_to_the_first_with_progress():
    history = [_sample(1, 5, 5), _sample(2, 5, 9), _sample(3, None, 12), _sample(6, 5, 12), _sample(8, 7, 12)]
    assert standstills([_of(7.0)], history, GROUPS) == [6.0]
    assert standstills([_of(40.0)], history, GROUPS) == []


def test_a_group_with_nothing_to_do_but_markers_does_not_stand_still():
    history = [_sample(1, 5, 7), _sample(9, 5, 7), _sample(10, 5, 20), _sample(11, 8, 20)]
    assert standstills([_of(9.5)], history, GROUPS) == [1.0]
