"""Each part of the way stopped for ten minutes and started again: no other outcome, and never a guess."""

from collections import Counter
from functools import cache

import pytest

from tests.integration.rms.judge import in_doubt, wrong
from tests.integration.rms.story import Afternoon, Asked, Part, Plan, Stop, spend

pytestmark = pytest.mark.timeout(120)

CUTS = ((300, 20), (1_350, 40))
"""Every afternoon has these; what they leave in doubt is looked up."""
HOPS: tuple[Part, ...] = ("rms.approvals", "rms.bets", "rms.join")


@cache
def undisturbed(look_ups: Asked = "answered") -> Afternoon:
    return spend(Plan(cuts=CUTS, look_ups=look_ups))


def differences(afternoon: Afternoon, other: Afternoon) -> list[str]:
    """Return in words which outcomes are not those of another run, for bets about which nothing was missed."""
    found = []
    for bet in afternoon.bets:
        place = (bet.customer, bet.slip_id or "")
        ours, theirs = (told.decisions.get(place) for told in (afternoon.told, other.told))
        if ours is None or theirs is None:
            found += [f"bet {bet.number}: {ours} instead of {theirs}"] * (ours is not theirs)
        # Whose answer did not say what came of it is in doubt whatever was heard.
        elif ours["outcome"] != theirs["outcome"] and not (
            in_doubt(bet, ours, afternoon) or bet.number in afternoon.unknown
        ):
            found.append(f"bet {bet.number}: {ours} instead of {theirs}")
    return found


def test_an_undisturbed_afternoon_has_every_outcome():
    afternoon = undisturbed()
    assert wrong(afternoon) == []
    outcomes = Counter(
        (value["outcome"], value["evidence"], value.get("why")) for value in afternoon.told.decisions.values()
    )
    assert {outcome for outcome, _, _ in outcomes} == {"accepted", "rejected", "expired", "expired_unverified"}
    assert {evidence for _, evidence, _ in outcomes} == {"approval", "looked_up", "deadline"}
    assert {"late", "conflict"} <= afternoon.told.others.keys()
    assert afternoon.logs.all_of("rms.dead-letters") == []


@pytest.mark.parametrize("part", HOPS)
def test_a_stopped_hop_changes_no_outcome(part: Part):
    afternoon = spend(Plan(cuts=CUTS, stop=Stop(part=part)))
    assert wrong(afternoon) == []
    assert differences(afternoon, undisturbed()) == []
    rests = [
        (place, value["positions"].get("decided"), theirs["positions"].get("decided"))
        for place, value in afternoon.told.decisions.items()
        if (theirs := undisturbed().told.decisions[place])["evidence"] == value["evidence"] == "approval"
        and value["positions"].get("decided") != theirs["positions"].get("decided")
    ]
    assert rests == []  # nor what it rests on: first in rms.raw is first, whatever comes late


@pytest.mark.parametrize("look_ups", ["answered", "failing"])
def test_what_a_stopped_connector_missed_is_looked_up_or_unverified(look_ups: Asked):
    afternoon = spend(Plan(cuts=CUTS, stop=Stop(part="connector"), look_ups=look_ups))
    assert wrong(afternoon) == []
    assert differences(afternoon, undisturbed(look_ups)) == []
    missed = [
        decision
        for bet in afternoon.bets
        if bet.disposition == "referred"
        and bet.number not in afternoon.unanswered | afternoon.unknown
        and (decision := afternoon.told.decisions[bet.customer, bet.slip_id or ""])
        and any(one.outcome != "ignore" and one.at_ns <= decision["deadline_ns"] for one in bet.decisions)
        and not any(one.reached for one in bet.decisions)
    ]
    assert len(missed) > 20
    came_to = {(value["outcome"], value["evidence"]) for value in missed}
    if look_ups == "answered":
        assert came_to == {("accepted", "looked_up"), ("rejected", "looked_up")}
    else:
        assert came_to == {("expired_unverified", "deadline")}


def test_a_hot_standby_makes_up_for_a_stopped_connector():
    afternoon = spend(Plan(stop=Stop(part="connector"), replicas=("", "b")))
    assert wrong(afternoon) == []
    assert all(intervals[1:] == [] for intervals in afternoon.deaf.values())  # but before the beginning
    assert not any(value.get("why") == "feed-down" for value in afternoon.told.decisions.values())
