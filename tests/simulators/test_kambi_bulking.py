"""Bulking, load pacing, frames, keys: the pure parts between changes and sockets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.kambi.bulking import Bulk, Bulker
from simulators.kambi.config import FaultSwitch, KambiFaultSettings
from simulators.kambi.copies import Copy
from simulators.kambi.frames import JUNK, FrameBuilder
from simulators.kambi.ledger import Fact
from simulators.kambi.load import LoadPlan
from simulators.kambi.routing import HeldKeys, refusal


def message(number: int) -> Copy:
    facts = (Fact(child=0, change=number, mt=18, t=number, event=number),)
    return Copy(envelope=b'{"t":"%d","mt":18,"er":{"eventId":%d}}' % (number, number), facts=facts)


@given(
    arrivals=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), max_size=60),
    window_ms=st.integers(1, 150),
    most=st.integers(1, 6),
)
def test_bulks_keep_order_and_key_and_window_and_size(arrivals, window_ms, most):
    bulker = Bulker(window_ms=window_ms, most=most)
    now_ms = 0
    published: dict[str, list[int]] = {}
    received: dict[str, list[int]] = {}
    at: dict[int, int] = {}

    def receive(bulks):
        for bulk in bulks:
            assert len(bulk.messages) <= most
            for item in bulk.messages:
                number = item.facts[0].change
                assert now_ms - at[number] <= window_ms + 60  # the caller looks at most 60 ms late here
                received.setdefault(bulk.key, []).append(number)

    for number, (key, pause_ms) in enumerate(arrivals):
        now_ms += pause_ms
        receive(bulker.due(now_ms))
        published.setdefault(key, []).append(number)
        at[number] = now_ms
        full = bulker.add(key, message(number), now_ms)
        receive([full] if full else [])
    for _ in range(4):  # until every window has ended
        now_ms += 50
        receive(bulker.due(now_ms))
    assert received == published


def test_what_comes_within_the_window_leaves_together_when_it_ends():
    bulker = Bulker(window_ms=100, most=50)
    for number, now_ms in ((1, 0), (2, 60), (3, 99)):
        assert bulker.add("a", message(number), now_ms) is None
    assert bulker.due(99) == []
    (bulk,) = bulker.due(100)
    assert [item.facts[0].change for item in bulk.messages] == [1, 2, 3]
    assert bulker.due(10_000) == []


def test_no_window_sends_each_alone():
    bulker = Bulker(window_ms=0, most=50)
    assert bulker.add("a", message(1), 0) == Bulk(key="a", messages=(message(1),))


def test_flush_takes_what_waits_for_one_key():
    bulker = Bulker(window_ms=100, most=50)
    bulker.add("a", message(1), 0)
    bulker.add("b", message(2), 0)
    assert bulker.flush("a") == Bulk(key="a", messages=(message(1),))
    assert bulker.flush("a") is None
    assert [bulk.key for bulk in bulker.due(100)] == ["b"]


def test_a_frame_is_a_message_event_with_one_string_that_is_an_array():
    (frame,) = FrameBuilder(FaultSwitch(KambiFaultSettings())).build(
        Bulk(key="a", messages=(message(1), message(2))), 5
    )
    assert frame.packet.startswith('2["message","[{')
    name, argument = json.loads(frame.packet[1:])
    assert name == "message"
    assert [child["er"]["eventId"] for child in json.loads(argument)] == [1, 2]
    assert [(fact.child, fact.change) for fact in frame.facts] == [(0, 1), (1, 2)]
    assert frame.faults == ()


def test_there_and_back_again_at_one_time_stays_three_children_in_order():
    bulker = Bulker(window_ms=100, most=50)
    for odds in (1500, 1600, 1500):
        envelope = b'{"t":"7","mt":11,"boou":{"eventId":1,"outcomes":[{"id":2,"betOfferId":3,"odds":%d}]}}' % odds
        fact = Fact(child=0, change=odds, mt=11, t=7, event=1, offer=3, outcome=2, value=odds)
        bulker.add("a", Copy(envelope=envelope, facts=(fact,)), 7)
    (bulk,) = bulker.due(107)
    (frame,) = FrameBuilder(FaultSwitch(KambiFaultSettings())).build(bulk, 107)
    children = json.loads(json.loads(frame.packet[1:])[1])
    assert [child["boou"]["outcomes"][0]["odds"] for child in children] == [1500, 1600, 1500]
    assert [(fact.child, fact.value) for fact in frame.facts] == [(0, 1500), (1, 1600), (2, 1500)]


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        pytest.param({"duplicate_every": 2}, [None, None, "duplicate", None, None, "duplicate"], id="duplicate"),
        pytest.param({"unknown_mt_every": 2}, [None, "unknown-mt", None, "unknown-mt"], id="unknown mt"),
        pytest.param({"bare_object_every": 2}, [None, *["bare-object"] * 2, None, *["bare-object"] * 2], id="bare"),
        pytest.param({"junk_every": 3}, [None, None, None, "junk", None], id="junk"),
    ],
)
def test_faults_strike_each_nth_bulk(faults, expected):
    builder = FrameBuilder(FaultSwitch(KambiFaultSettings(**faults)))
    bulk = Bulk(key="a", messages=(message(1), message(2)))
    frames = [frame for _ in range(4) for frame in builder.build(bulk, 5)]
    assert [",".join(frame.faults) or None for frame in frames] == expected
    for frame in frames:
        if "bare-object" in frame.faults:
            assert isinstance(json.loads(json.loads(frame.packet[1:])[1]), dict)
        if "unknown-mt" in frame.faults:
            assert json.loads(json.loads(frame.packet[1:])[1])[-1]["mt"] == 99
        if "duplicate" in frame.faults:
            assert frame.packet == frames[1].packet


def test_junk_goes_round():
    builder = FrameBuilder(FaultSwitch(KambiFaultSettings(junk_every=1)))
    bulk = Bulk(key="a", messages=(message(1),))
    frames = [frame for _ in range(2 * len(JUNK)) for frame in builder.build(bulk, 5)]
    assert [frame.packet for frame in frames if "junk" in frame.faults] == [*JUNK, *JUNK]


def test_load_keeps_its_rate_and_goes_round_the_events():
    plan = LoadPlan()
    taken = [event for _ in range(1_000) for event in plan.take(5, [10, 20, 30], 2_000)]
    assert taken == [(10, 20, 30)[n % 3] for n in range(10_000)]


def test_load_owes_nothing_for_the_time_nobody_listened():
    plan = LoadPlan()
    assert plan.take(60_000, [], 1_000) == []
    assert plan.take(2, [1], 1_000) == [1, 1]


def test_the_41st_key_is_refused_until_one_is_let_go():
    held = HeldKeys(limit=40)
    assert {held.subscribe(f"k{n}") for n in range(40)} == {"added"}
    assert held.subscribe("k7") == "held"
    assert held.subscribe("k40") == "refused"
    held.unsubscribe("never held")
    assert held.subscribe("k40") == "refused"
    held.unsubscribe("k7")
    assert held.subscribe("k40") == "added"
    assert "k40" in held.keys
    assert len(held.keys) == 40


def test_the_refusal_is_the_vendors_object():
    assert refusal("v2018.kambi.ev.1020000099.json", 40) == {
        "code": 429,
        "message": "Subscription denied, max subscriptions 40 reached. Please unsubscribe to some topics",
        "topic": "v2018.kambi.ev.1020000099.json",
    }
