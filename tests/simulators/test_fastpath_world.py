"""The world as connections see it: lists that only grow, states before packets, the pace that was asked for."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.fastpath.channel import EventPacket, StatusPacket
from simulators.fastpath.config import FastpathFaultSettings, FastpathSimulatorSettings, FaultSwitch
from simulators.fastpath.match import Role
from simulators.fastpath.world import World
from tests.simulators.fastpath_sheet import found, parse, stamp_ns

START_NS = 1_790_000_000_000_000_000
S = 1_000_000_000
EVERY_SPORT = {
    "soccer": 2, "basketball": 1, "snooker": 1, "volleyball": 1, "tennis": 1, "golf": 1, "mma": 1, "tabletennis": 1,
}  # fmt: skip


class Watched:
    """A world whose every packet is written down as live clients would see it."""

    def __init__(self, *, faults=None, **settings):
        self.lines = []
        self.seen = defaultdict(list)
        self.world = World(
            FastpathSimulatorSettings(
                **({"fixtures": EVERY_SPORT, "actions_per_second": 20, "match_duration_s": 60} | settings)
            ),
            faults or FaultSwitch(FastpathFaultSettings()),
            START_NS,
            self.lines.append,
        )
        self.now_ns = START_NS
        self._watch()

    def run(self, seconds, *, step_s=0.1):
        for _ in range(round(seconds / step_s)):
            self.now_ns += int(step_s * S)
            self.world.advance(self.now_ns, int(step_s * S))
            self._watch()

    def _watch(self):
        """Listen to channels that are new; what they had before is no surprise but their replay."""
        for channel in self.world.channels:
            if channel.feed.path not in self.seen:
                self.seen[channel.feed.path].extend(channel.events)
                channel.subscribe(self.seen[channel.feed.path].append)

    def events(self, path):
        return [packet for packet in self.seen[path] if isinstance(packet, EventPacket)]

    def live_path(self, role: Role = "actions"):
        return next(fixture.paths[role] for fixture in self.world.fixtures if fixture.status == "Live")


FAULTS = st.builds(
    FastpathFaultSettings,
    skip_every=st.sampled_from([0, 5, 50]),
    skip_run=st.integers(1, 4),
    silence_every_s=st.sampled_from([0, 50, 90]),
    silence_for_s=st.sampled_from([10, 45]),
    offline_every_s=st.sampled_from([0, 30, 70]),
    offline_for_s=st.sampled_from([5, 20]),
    drop_collection_every=st.integers(0, 3),
)


@settings(max_examples=15, deadline=None)
@given(faults=FAULTS, seed=st.integers(0, 1 << 32), step_s=st.sampled_from([0.02, 0.7, 15.0]))
def test_lists_only_grow_and_their_replay_is_what_was_told_live(faults, seed, step_s):
    watched = Watched(faults=FaultSwitch(faults), seed=seed, fixtures={"soccer": 1, "tennis": 1, "golf": 1, "mma": 1})
    before = {}
    for _ in range(4):
        watched.run(30, step_s=step_s)
        for channel in watched.world.channels:
            path = channel.feed.path
            assert channel.events[: len(before.get(path, ()))] == before.get(path, [])
            before[path] = list(channel.events)
            assert watched.events(path) == before[path]
            assert [packet.index for packet in channel.events] == list(range(len(channel.events)))
            if channel.feed.sport != "golf" or "multiplexer" not in path:
                numbers = [packet.number for packet in channel.events]
                assert numbers == sorted(set(numbers))
    adds_up(watched)


def adds_up(watched):
    """What the ledger says of lists is what is in them, and every number that is in none is named as skipped."""
    published, skipped = defaultdict(list), defaultdict(set)
    for line in watched.lines:
        if line.kind == "published":
            published[line.feed].append((line.index, line.number, line.at_ns))
        else:
            assert line.kind == "skipped"
            skipped[line.feed].update(range(line.number, line.last + 1))
    for channel in watched.world.channels:
        path = channel.feed.path
        if path == "multiplexer/?sport=golf":
            continue  # a twin
        listed = [(packet.index, packet.number, packet.published_ns) for packet in channel.events]
        assert listed == published[path]
        if "multiplexer" not in path and listed:
            numbers = {number for _, number, _ in listed}
            every = range(channel.feed.first_number, max(numbers) + 1)
            assert set(every) - numbers == {number for number in skipped[path] if number in every}


def test_skipped_numbers_are_in_nobodys_list_and_named():
    watched = Watched(faults=FaultSwitch(FastpathFaultSettings(skip_every=10, skip_run=3)), fixtures={"soccer": 1})
    watched.run(30)
    adds_up(watched)
    assert sum(line.kind == "skipped" for line in watched.lines) > 20


def states(packets):
    return [(packet.state, packet.told_ns) for packet in packets if isinstance(packet, StatusPacket)]


def test_an_upstream_that_falls_silent_is_told_as_the_rule_says():
    faults = FaultSwitch(FastpathFaultSettings(silence_every_s=100, silence_for_s=60))
    watched = Watched(faults=faults, fixtures={"soccer": 1}, match_duration_s=1_000)
    watched.run(130)
    for role in ("actions", "statistics"):
        packets = watched.seen[watched.live_path(role)]
        (gone, gone_ns), (back, back_ns) = states(packets)
        assert (gone, back) == ("Disconnected", "Connected")
        assert gone_ns == START_NS + 70 * S  # silent from 40 on; the last packet or heartbeat came just before
        assert back_ns == START_NS + 100 * S
        place = packets.index(next(p for p in packets if isinstance(p, StatusPacket) and p.state == "Connected"))
        assert isinstance(packets[place + 1], EventPacket)
        assert packets[place + 1].published_ns == back_ns
        assert isinstance(packets[place - 1], StatusPacket)
        for packet in packets:
            if isinstance(packet, StatusPacket):
                body = parse(packet.packet)
                assert set(body) == {"eventElementType", "state", "timestamp"}
                assert body["eventElementType"] == "ConnectionStateChanged"
                assert stamp_ns(body["timestamp"], 3) == packet.told_ns
    burst = [
        parse(packet.text(1))["fixtureAction"]
        for packet in watched.events(watched.live_path())
        if packet.published_ns == START_NS + 100 * S
    ]
    assert len(burst) > 500
    assert all(action["delayStatus"] for action in burst)


def test_a_short_silence_is_not_told():
    faults = FaultSwitch(FastpathFaultSettings(silence_every_s=60, silence_for_s=25))
    watched = Watched(faults=faults, fixtures={"soccer": 1}, match_duration_s=1_000)
    watched.run(130)
    assert states(watched.seen[watched.live_path()]) == []


def test_a_quiet_match_is_kept_connected_by_upstream_heartbeats():
    watched = Watched(fixtures={"basketball": 1}, actions_per_second=0.01, match_duration_s=10_000)
    watched.run(400)
    assert states(watched.seen[watched.live_path()]) == []
    assert len(watched.events(watched.live_path())) < 10


def test_faults_can_be_set_for_one_feed_while_it_runs():
    switch = FaultSwitch(FastpathFaultSettings())
    watched = Watched(faults=switch, fixtures={"soccer": 1, "basketball": 1}, match_duration_s=1_000)
    watched.run(10)
    switch.replace(FastpathFaultSettings(silence_every_s=60, silence_for_s=50), "soccer/*")
    watched.run(80)
    for fixture in watched.world.fixtures:
        struck = fixture.sport == "soccer" and fixture.status == "Live"
        told = [state for state, _ in states(watched.seen[fixture.paths["actions"]])]
        assert told == (["Disconnected", "Connected"] if struck else [])


def test_a_finished_match_makes_room_for_the_one_that_was_announced():
    watched = Watched(fixtures={"soccer": 1}, match_duration_s=40)
    first, coming = watched.world.fixtures
    assert (first.status, coming.status) == ("Live", "Scheduled")
    assert not found(watched.world, coming.paths["actions"]).started
    watched.run(60)
    assert (first.status, coming.status) == ("Completed", "Live")
    assert first.json()["collectionStatus"] == "CollectionCompleted"
    channel = found(watched.world, first.paths["actions"])
    assert channel.finished_ns is not None
    assert parse(channel.events[-1].text(1))["fixtureSummary"]["finished"] is True
    assert states(watched.seen[first.paths["actions"]]) == []  # its silence means nothing
    assert found(watched.world, coming.paths["actions"]).started


def test_a_finished_match_is_forgotten_after_a_while():
    watched = Watched(fixtures={"soccer": 1}, match_duration_s=40, actions_per_second=1)
    first = watched.world.fixtures[0]
    media = f"media/{first.paths['actions']}"
    assert watched.world.channel(media) is not None
    watched.run(1_000, step_s=1)
    assert first not in watched.world.fixtures
    assert watched.world.channel(first.paths["actions"]) is watched.world.channel(media) is None


@pytest.mark.parametrize("path", ["/media/{path}", "/{path}", "{path}/"])
def test_paths_are_found_as_urls_have_them(path):
    world = Watched(fixtures={"soccer": 1}).world
    actions = world.fixtures[0].paths["actions"]
    assert found(world, path.format(path=actions)).feed.path == path.format(path=actions).strip("/")


def test_media_fights_have_paths_of_their_own():
    world = Watched(fixtures={"mma": 1}).world
    fight = world.fixtures[0]
    world.advance(START_NS + 10 * S, 10 * S)
    details = found(world, fight.paths["actions"]).events
    assert len(details) > 0
    for path in (
        f"media/mma/fights/{fight.id}/details",
        f"media/mma/fight-details/feed/{fight.id}",
        f"mma/fights/{fight.id}/actions",
    ):
        assert found(world, path).events == details
    livestats = found(world, f"media/mma/fight-livestats/feed/{fight.id}")
    assert livestats.events == found(world, fight.paths["statistics"]).events


def test_nothing_is_found_where_there_is_nothing():
    world = Watched(fixtures={"soccer": 1}).world
    assert world.channel("soccer/fixtures/99999999-2222-4333-8444-555555555555/actions") is None
    assert world.channel("") is None


@pytest.mark.parametrize("per_second", [3, 1_000])
def test_the_pace_is_what_was_asked_for_over_all_fixtures(per_second):
    watched = Watched(
        actions_per_second=per_second, match_duration_s=1_000, fixtures={"soccer": 4, "tennis": 3, "golf": 2, "mma": 1}
    )
    seconds = 100 if per_second < 10 else 10
    watched.run(seconds)
    channels = [channel for channel in watched.world.channels if channel.feed.kind == "actions"]
    assert sum(len(channel.events) for channel in channels) == pytest.approx(seconds * per_second, rel=0.1)


def test_speed_lets_matches_pass_faster_and_stamps_stay_real():
    watched = Watched(speed=10, match_duration_s=600, fixtures={"soccer": 1}, actions_per_second=2)
    first = watched.world.fixtures[0]
    watched.run(70)
    assert first.status == "Completed"
    channel = found(watched.world, first.paths["actions"])
    for packet in channel.events:
        at_ns = stamp_ns(parse(packet.text(1))["fixtureAction"]["timestamp"], 6)
        assert 0 <= packet.published_ns - at_ns < 1_000  # to the microsecond
        assert START_NS <= packet.published_ns <= START_NS + 60 * S
    halves = parse(channel.events[-1].text(1))["fixtureSummary"]["periods"]
    assert len(halves) >= 2


def test_a_pause_holds_the_match_and_not_the_stamps():
    watched = Watched(fixtures={"soccer": 1}, match_duration_s=1_000)
    watched.run(10)
    before = len(watched.events(watched.live_path()))
    watched.now_ns += 500 * S  # nobody advanced the world
    watched.run(1)
    packets = watched.events(watched.live_path())
    assert len(packets) - before < 40
    assert states(watched.seen[watched.live_path()]) == []
    assert packets[-1].published_ns > START_NS + 510 * S


def test_a_clock_that_goes_back_never_takes_stamps_back():
    watched = Watched(fixtures={"soccer": 1}, match_duration_s=1_000)
    watched.run(10)
    watched.now_ns -= 5 * S
    watched.run(3)
    times_ns = [packet.published_ns for packet in watched.events(watched.live_path())]
    assert times_ns == sorted(times_ns)
    assert times_ns[-1] == START_NS + 10 * S


def test_no_pace_no_packets():
    watched = Watched(fixtures={"soccer": 1}, actions_per_second=0)
    watched.run(100)
    assert watched.events(watched.live_path()) == []


@pytest.mark.parametrize(
    "faults",
    [
        FastpathFaultSettings(offline_every_s=30, offline_for_s=15),
        FastpathFaultSettings(silence_every_s=30, silence_for_s=15),
    ],
    ids=["offline", "silent"],
)
def test_a_match_that_ends_unseen_is_told_to_its_end(faults):
    watched = Watched(faults=FaultSwitch(faults), fixtures={"soccer": 1}, match_duration_s=30)
    first = watched.world.fixtures[0]
    watched.run(40)
    assert first.status == "Completed"
    told = [parse(packet.text(1)) for packet in watched.events(first.paths["actions"])]
    (end,) = [body for body in told if body["fixtureAction"]["fixtureActionType"] == "End Fixture"]
    assert end["fixtureAction"]["delayStatus"]
    assert told[-1]["fixtureSummary"]["finished"] is True
