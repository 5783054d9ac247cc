"""The plan: pure, from its seed; every kind strikes, none overlaps in its lane."""

from itertools import pairwise

import pytest

from tests.chaos.fault import Kind
from tests.chaos.plan import CALM_S, of_feeds, plan
from tests.chaos.strikes import KINDS, Kill


def test_the_same_seed_is_the_same_plan_and_another_is_not():
    assert plan(KINDS, 3, 750) == plan(KINDS, 3, 750)
    assert plan(KINDS, 3, 750) != plan(KINDS, 4, 750)


@pytest.mark.parametrize("seed", range(5))
def test_strikes_of_a_lane_do_not_overlap_and_leave_the_end_calm(seed):
    strikes = plan(KINDS, seed, 750)
    for lane in {strike.kind.lane for strike in strikes}:
        of_lane = [strike for strike in strikes if strike.kind.lane == lane]
        assert all(first.at_s + first.lasts_s <= then.at_s for first, then in pairwise(of_lane))
        assert of_lane[-1].at_s + of_lane[-1].lasts_s <= 750 - CALM_S
    assert [strike.number for strike in strikes] == list(range(1, len(strikes) + 1))


def test_750_seconds_strike_as_often_as_an_hour_over_five_seeds_needs():
    strikes = plan(KINDS, 1, 750)

    def count(name: str, lane: str) -> int:
        return sum(1 for strike in strikes if (strike.kind.name, strike.kind.lane) == (name, lane))

    assert count("kill", "workers") >= 20
    assert count("kill", "connectors") >= 20
    assert count("kill", "brokers") >= 8
    assert count("stop", "workers") + count("stop", "connectors") + count("stop", "brokers") >= 6
    assert count("kill-all", "brokers") == count("roll", "brokers") == 1
    assert {strike.kind for strike in strikes} == set(KINDS)


def test_every_target_is_struck_once_before_one_is_struck_again():
    kind = Kind(name="kill", make=Kill, targets=("a", "b", "c"), lane="workers", per_seed=6)
    targets = sorted(strike.target for strike in plan([kind], 1, 750))
    assert targets == ["a", "a", "b", "b", "c", "c"]


def test_a_short_run_strikes_once_with_each_kind_for_which_there_is_room():
    rare = Kind(name="rare", make=Kill, targets=("a",), lane="workers", per_seed=1)
    often = Kind(name="often", make=Kill, targets=("a",), lane="workers", per_seed=100)
    struck = [strike.kind.name for strike in plan([often, rare], 1, 60)]
    assert struck.count("rare") == 1
    assert 2 <= struck.count("often") <= 8


def test_where_there_is_no_room_nothing_strikes():
    assert plan(KINDS, 1, 5) == ()


def test_a_product_of_one_feed_is_struck_where_it_is():
    struck = {strike.target for strike in plan(of_feeds(KINDS, {"rms"}), 1, 750)}
    assert {"worker:rms.join:2", "connector:rms", "controller", "broker:1"} <= struck
    assert not [target for target in struck if "kambi" in target or "fastpath" in target]
