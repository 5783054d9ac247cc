"""Planted in what was sampled meanwhile: each is named, and what is right is not."""

from typing import Any

from tests.chaos.checker.building import S
from tests.chaos.checker.group_offsets import Committed
from tests.chaos.checker.samples import judge_samples
from tests.chaos.checker.verdict import Verdict


def sample(at_s: int, committed: int, stable: int, high: int) -> dict[str, Any]:
    return {
        "at_ns": at_s * S,
        "event": "sample",
        "committed": {"g": {"t/0": committed}},
        "stable": {"t/0": stable},
        "high": {"t/0": high},
    }


def test_samples_as_they_should_be_hold_and_tell_how_long_readers_waited():
    verdict = Verdict()
    judge_samples([sample(1, 5, 5, 5), sample(2, 5, 5, 9), sample(5, 6, 5, 9), sample(6, 9, 9, 12)], verdict)
    assert verdict.held
    assert verdict.figures["longest time that a reader was held back, s"] == 3.0


def test_a_committed_offset_that_went_back_is_named():
    verdict = Verdict()
    judge_samples([sample(1, 5, 5, 5), sample(2, 4, 5, 5)], verdict, kept={Committed("g", "t", 0, 4)})
    assert set(verdict.found) == {"offset-went-back"}


def test_a_coordinator_that_shows_less_than_it_has_for_a_while_lost_nothing():
    verdict = Verdict()
    judge_samples([sample(1, 5, 5, 5), sample(2, 4, 5, 5)], verdict, kept={Committed("g", "t", 0, 5)})
    assert verdict.held
