"""Every packet of family A, in every sport and version, keeps the sheet's rules."""

import json
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.fastpath.config import FastpathFaultSettings, FastpathSimulatorSettings, FaultSwitch
from simulators.fastpath.timeline import timeline_sequence
from simulators.fastpath.world import World
from tests.simulators.fastpath_sheet import ActionsChecker, found, parse, stamp_ns

START_NS = 1_790_000_000_000_000_000
STEP_NS = 100_000_000
SPORTS = ["soccer", "basketball", "ice-hockey", "american-football", "cricket", "snooker", "volleyball"]
VERSIONS = (3, 2, 1)


def played(sport, seconds, *, seed=1, fixtures=1, faults=None, **settings):
    """Return a world in which ``seconds`` have passed."""
    world = World(
        FastpathSimulatorSettings(
            **(
                {"seed": seed, "fixtures": {sport: fixtures}, "actions_per_second": 10, "match_duration_s": 60}
                | settings
            )
        ),
        FaultSwitch(faults or FastpathFaultSettings()),
        START_NS,
    )
    for step in range(1, int(seconds * 10) + 1):
        world.advance(START_NS + step * STEP_NS, STEP_NS)
    return world


def check(world):
    """Check every actions feed; return checkers of those that have begun."""
    checkers = []
    for fixture in world.fixtures:
        checker = ActionsChecker(fixture.id, fixture.sport, VERSIONS[fixture.number % 3])
        for packet in found(world, fixture.paths["actions"]).events:
            checker.check(packet.text(packet.number), packet.number)
        if checker.names:
            checkers.append(checker)
    return checkers


@pytest.mark.parametrize("sport", SPORTS)
def test_three_matches_in_three_versions(sport):
    world = played(sport, 200)
    checkers = check(world)
    assert len(checkers) >= 3
    over = [checker for checker in checkers if checker.finished]
    assert len(over) >= 2
    for checker in over:
        assert {"Start Fixture", "Start Period", "End Period", "End Fixture", "Status Updated"} <= checker.names
        assert checker.collection == [1, 5]
    lives = Counter(life for checker in checkers for life in map(tuple, checker.lives.values()))
    seen = {send_type for life in lives for send_type in life}
    assert seen == {"Pending", "Updated", "Cancelled", "Deleted", "Confirmed", "Restored"}
    assert lives["Pending", "Confirmed"] > 0


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1 << 32), rate=st.sampled_from([2, 7, 40]), sport=st.sampled_from(SPORTS))
def test_any_seed_and_pace(seed, rate, sport):
    check(played(sport, 70, seed=seed, fixtures=2, actions_per_second=rate))


def test_soccer_has_what_makes_it_hard():
    world = played("soccer", 120, fixtures=12, actions_per_second=60)
    names = {name for checker in check(world) for name in checker.names}
    assert {
        "Penalty Awarded", "Possible Video Check", "Video Check Underway", "Goal Disallowed", "Goal", "Yellow Card",
        "Red Card", "Penalty Missed",
    } <= names  # fmt: skip
    periods = [
        period
        for channel in world.channels
        if channel.feed.kind == "actions" and channel.events
        for period in parse(channel.events[-1].text(1))["fixtureSummary"]["periods"]
    ]
    assert {"Regular", "Shootout"} == {period["type"] for period in periods}


def test_statistics_say_what_the_sheet_says():
    world = played("soccer", 150)
    counts = []
    for fixture in world.fixtures:
        for packet in found(world, fixture.paths["statistics"]).events:
            body = parse(packet.text(packet.number))
            fields = {"seqNum", "version", "fixtureId", "timestamp", "teamActionAggregates"}
            assert set(body) == (fields if body["version"] == 1 else fields | {"traceId", "finished"})
            assert body["seqNum"] == packet.number == packet.index + 1
            assert body["fixtureId"] == fixture.id
            stamp_ns(body["timestamp"], 3)
            counts.append(packet.index)
    assert len(counts) > 50


@pytest.mark.parametrize(
    ("period", "elapsed_s", "number", "exact", "text"),
    [
        pytest.param(3, 0, 687, True, "3.0000000000000687", id="as a decimal"),
        pytest.param(3, 0, 687, False, "3.000000000000069", id="through a double"),
        pytest.param(0, 0, 91, True, "0.0000000000000091", id="plain"),
        pytest.param(0, 0, 91, False, "9.1e-15", id="as writers print small doubles"),
        pytest.param(1, 512, 41, True, "1.0000005120000041", id="the sheet's sample"),
        pytest.param(1, 512, 41, False, "1.0000005120000042", id="the sheet's sample as a double"),
    ],
)
def test_timeline_sequence_is_as_lossy_as_the_vendors(period, elapsed_s, number, exact, text):
    written = bytes(timeline_sequence(period, elapsed_s, number, exact=exact)).decode()
    assert written == text
    if not exact:
        assert float(text) == float(Decimal(period) + elapsed_s * Decimal("1e-9") + number * Decimal("1e-16"))


def test_the_same_seed_and_start_give_the_same_packets():
    def texts(seed):
        world = played("soccer", 20, seed=seed)
        return [packet.text(packet.number) for channel in world.channels for packet in channel.events]

    assert texts(5) == texts(5)
    assert texts(5) != texts(6)


def test_a_suspension_ends_in_a_burst_of_what_was_collected_meanwhile():
    faults = FastpathFaultSettings(offline_every_s=20, offline_for_s=8)
    world = played("soccer", 40, faults=faults, match_duration_s=300)
    (fixture,) = [fixture for fixture in world.fixtures if fixture.status == "Live"]
    channel = found(world, fixture.paths["actions"])
    checker = ActionsChecker(fixture.id, "soccer", 3)
    bodies = [checker.check(packet.text(packet.number), packet.number) for packet in channel.events]
    assert checker.collection == [1, 3, 1, 3, 1]
    suspended, back = (
        next(
            n
            for n, body in enumerate(bodies)
            if body["fixtureAction"].get("metadata", {}).get("collectionStatus") == c and n
        )
        for c in (3, 1)
    )
    burst = range(suspended + 1, back)
    assert len(burst) > 20
    for n in burst:
        action = bodies[n]["fixtureAction"]
        assert action["delayStatus"]
        assert stamp_ns(action["timestamp"], 6) < channel.events[n].published_ns
        assert channel.events[n].published_ns == channel.events[back].published_ns
    published_s = channel.events[back].published_ns - channel.events[suspended].published_ns
    assert published_s == 8_000_000_000
    assert all("delayStatus" not in body["fixtureAction"] for body in (*bodies[: suspended + 1], bodies[back]))
    assert checker.delayed >= len(burst)


def test_a_dropped_collection_ends_the_match():
    faults = FastpathFaultSettings(offline_every_s=20, offline_for_s=8, drop_collection_every=1)
    world = played("basketball", 30, faults=faults, match_duration_s=300)
    fixture = world.fixtures[0]
    channel = found(world, fixture.paths["actions"])
    checker = ActionsChecker(fixture.id, "basketball", 3)
    bodies = [checker.check(packet.text(packet.number), packet.number) for packet in channel.events]
    assert checker.collection == [1, 3, 4]
    assert [body["fixtureAction"]["metadata"]["collectionStatus"] for body in bodies[-2:]] == [3, 4]
    assert bodies[-1]["finished"] is bodies[-1]["fixtureSummary"]["finished"] is True
    assert channel.finished_ns is not None
    assert fixture.json()["collectionStatus"] == "CollectionDropped"
    assert json.loads(json.dumps(fixture.json()))["status"] == "Completed"
