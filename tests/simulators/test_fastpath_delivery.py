"""What becomes of packets between a feed's list and one connection: pure, drawn by seed, feed and connection."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.fastpath.channel import Channel, Scope, StatusPacket
from simulators.fastpath.config import FastpathFaultSettings, FaultSwitch
from simulators.fastpath.delivery import Delivery
from simulators.fastpath.faults import JUNK, ODD_NUMBERS
from tests.simulators.fastpath_stage import ACTIONS, STATISTICS, TENNIS, S, number_of, packet_of


def delivery(path=ACTIONS, *, scope: Scope = "fixture", seed: str | int = "1", ordinal=1, faults=None, **more: Any):
    channel = Channel(path)
    switch = FaultSwitch(FastpathFaultSettings(**(faults or {}), **more))
    return channel, Delivery(channel, scope=scope, faults=switch, random=Random(seed), ordinal=ordinal)


def put(channel, target, count, *, kept_by=None):
    frames = []
    for _ in range(count):
        packet = channel.publish(packet_of(channel.feed.path, len(channel.events)), 0)
        frames += list(target.put(packet, 0, kept_by=kept_by))
    return frames


def sent(frames):
    return [frame for frame in frames if not frame.lost]


def numbers(frames):
    return [frame.number for frame in frames]


def test_without_faults_every_packet_goes_out_in_order():
    frames = put(*delivery(), 50)
    assert numbers(frames) == list(range(1, 51))
    assert all(frame.faults == () and not frame.lost and not frame.binary for frame in frames)
    assert [number_of(frame.payload) for frame in frames] == numbers(frames)


@given(
    st.integers(0, 1 << 32),
    st.fixed_dictionaries(
        {
            "hole_every": st.integers(0, 5),
            "hole_run": st.integers(1, 4),
            "swap_every": st.integers(0, 5),
            "swap_within": st.integers(1, 8),
            "duplicate_every": st.integers(0, 5),
            "conflict_every": st.integers(0, 5),
            "binary_every": st.integers(0, 5),
            "junk_every": st.integers(0, 5),
        }
    ),
    st.sampled_from([ACTIONS, STATISTICS, TENNIS]),
)
def test_every_packet_is_sent_or_written_down_as_lost_and_what_is_other_says_why(seed, faults, path):
    channel, target = delivery(path, seed=seed, faults=faults)
    frames = put(channel, target, 60)
    frames += list(target.due(S))
    assert target.waiting == 0
    plain = [frame for frame in frames if not {"duplicate", "conflict", "junk"} & set(frame.faults)]
    assert sorted(frame.index for frame in plain) == list(range(60))  # each exactly once, lost or not
    for frame in sent(plain):
        assert frame.payload == channel.events[frame.index].text(frame.number)
    assert numbers([frame for frame in plain if not frame.faults]) == sorted(
        numbers([frame for frame in plain if not frame.faults])
    )
    for frame in frames:
        if "conflict" in frame.faults:
            assert number_of(frame.payload) == frame.number
            assert frame.payload != channel.events[frame.index].text(frame.number)
        if "duplicate" in frame.faults:
            assert frame.payload == channel.events[frame.index].text(frame.number)


def test_the_same_seed_strikes_the_same_packets_and_another_connection_others():
    faults = {"hole_every": 4, "swap_every": 5, "duplicate_every": 6}
    first, again, other = (put(*delivery(seed=seed, faults=faults), 100) for seed in ("1/a/1", "1/a/1", "1/a/2"))
    assert first == again
    assert first != other


def test_a_hole_takes_packets_in_a_row_and_their_numbers_with_them():
    frames = put(*delivery(hole_every=10, hole_run=3), 300)
    lost = numbers(frame for frame in frames if frame.lost)
    assert {frame.faults for frame in frames if frame.lost} == {("hole",)}
    assert len(lost) % 3 == 0
    assert all(lost[at : at + 3] == list(range(lost[at], lost[at] + 3)) for at in range(0, len(lost), 3))
    assert numbers(sent(frames)) == [number for number in range(1, 301) if number not in lost]


@pytest.mark.parametrize(("of", "ordinal", "missing"), [(1, 1, [3, 5]), (1, 2, []), (2, 2, [3, 5]), (0, 9, [3, 5])])
def test_scripted_holes_are_those_of_the_first_connections_or_of_all(of, ordinal, missing):
    frames = put(*delivery(hole_numbers=(3, 5), hole_connections=of, ordinal=ordinal), 6)
    assert numbers(frame for frame in frames if frame.lost) == missing


def test_a_hole_takes_a_number_where_connections_count_for_themselves_too():
    channel, target = delivery(scope="connection", hole_numbers=(3,))
    assert numbers(sent(put(channel, target, 4))) == [1, 2, 4]


@pytest.mark.parametrize("within", [1, 3, 20])
def test_a_swapped_packet_slips_no_further_than_allowed(within):
    channel, target = delivery(swap_every=3, swap_within=within)
    order = numbers(put(channel, target, 400))
    order += numbers(target.due(S))
    assert order != sorted(order)
    newest = 0
    slips = []
    for place, number in enumerate(order):
        slips.append(sum(later < number for later in order[place:]))  # swapped ones that it overtook
        assert sum(earlier > number for earlier in order[:place]) <= within
        newest = max(newest, number)
    assert max(slips) >= 1


def test_what_waits_for_followers_goes_out_after_half_a_second_or_is_lost_with_the_connection():
    channel, target = delivery(swap_every=1)
    assert put(channel, target, 1) == []
    assert list(target.due(S // 2 - 1)) == []
    assert numbers(target.due(S // 2)) == [1]
    put(channel, target, 1)
    (left,) = target.left()
    assert (left.number, left.lost, left.faults) == (2, True, ("swapped",))
    assert target.waiting == 0


def test_numbers_begin_again_and_count_on_until_the_connection_ends():
    channel, target = delivery()
    before = put(channel, target, 5)
    target._faults.replace(FastpathFaultSettings(reset_every=1))
    (begun,) = put(channel, target, 1)
    target._faults.replace(FastpathFaultSettings())
    after = put(channel, target, 3)
    assert numbers([*before, begun, *after]) == [1, 2, 3, 4, 5, 1, 2, 3, 4]
    assert begun.faults == ("reset",)


def test_odd_numbers_come_by_turns_and_in_the_numbers_place():
    frames = put(*delivery(odd_number_every=1), len(ODD_NUMBERS))
    written = [json.loads(frame.payload)["fixtureAction"]["fixtureSeqNum"] for frame in frames]
    assert written == ["1", 2.0, 3.5, -5, True, None, 1 << 63, "8 th", {"value": 9}]
    assert numbers(frames) == list(range(1, len(ODD_NUMBERS) + 1))
    assert {frame.faults for frame in frames} == {("odd-number",)}


def test_junk_comes_by_turns_beside_the_packets():
    frames = put(*delivery(junk_every=1), len(JUNK) + 1)
    junk = [frame for frame in frames if frame.sort == "other"]
    assert [frame.payload for frame in junk] == [*JUNK, JUNK[0]]
    assert numbers(frame for frame in frames if frame.sort == "event") == list(range(1, len(JUNK) + 2))


def test_oversized_frames_have_their_size_and_are_json():
    frames = put(*delivery(oversized_every=1, oversized_bytes=100_000), 1)
    assert (len(frames[1].payload), frames[1].faults) == (100_000, ("oversized",))
    json.loads(frames[1].payload)


def status(state):
    return StatusPacket(state=state, told_ns=0, packet=json.dumps({"state": state}).encode())


def test_connected_comes_late_and_disconnected_in_time():
    channel, target = delivery(late_connected=2)
    order = list(target.put(status("Disconnected"), 0))
    order += target.put(status("Connected"), 0)
    order += put(channel, target, 3)
    told = [frame.number if frame.sort == "event" else json.loads(frame.payload)["state"] for frame in order]
    assert told == ["Disconnected", 1, 2, "Connected", 3]
    assert order[3].faults == ("late",)


def test_a_status_is_repeated():
    _, target = delivery(repeat_status_every=1)
    assert [frame.faults for frame in target.put(status("Disconnected"), 0)] == [(), ("duplicate",)]


@pytest.mark.parametrize("kept_by", ["stalled", "half-open", "mute"])
def test_what_is_kept_from_a_connection_takes_its_number_and_says_by_what(kept_by):
    channel, target = delivery()
    frames = put(channel, target, 2, kept_by=kept_by)
    assert [(frame.number, frame.lost, frame.faults) for frame in frames] == [
        (1, True, (kept_by,)),
        (2, True, (kept_by,)),
    ]
    assert numbers(put(channel, target, 1)) == [3]
    (told,) = target.put(status("Disconnected"), 0, kept_by=kept_by)
    assert (told.lost, told.faults) == (True, (kept_by,))


def test_faults_are_those_of_the_first_pattern_that_fits_and_can_be_replaced():
    everywhere, soccer, late = (FastpathFaultSettings(hole_every=n) for n in (1, 2, 3))
    switch = FaultSwitch(everywhere, {"soccer/*": soccer})
    assert (switch.of(ACTIONS), switch.of(TENNIS)) == (soccer, everywhere)
    switch.replace(late, "*/actions")
    assert (switch.of(ACTIONS), switch.of(STATISTICS)) == (late, soccer)
    assert list(switch.groups()) == [("*/actions", late), ("soccer/*", soccer), ("*", everywhere)]
    switch.replace(FastpathFaultSettings())
    assert switch.of(ACTIONS) == switch.of(TENNIS) == FastpathFaultSettings()


@pytest.mark.parametrize("name", ["stall", "silence", "offline"])
def test_a_pause_that_does_not_fit_into_its_period_is_refused(name):
    with pytest.raises(ValueError, match="must exceed"):
        FastpathFaultSettings.model_validate({f"{name}_every_s": 5, f"{name}_for_s": 5})
