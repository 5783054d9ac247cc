"""The upstream rule of the fact sheet's §7: the vendor's worked example and every further one."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.fastpath.upstream import CONNECTED, DISCONNECTED, Change, Collectors

S = 1_000_000_000


def told(packets_s, until_s=200, start_ns=0):
    """Return what a client sees: (second, state or "packet"), in order."""
    collectors = Collectors(start_ns=start_ns)
    seen = []
    for at_s in [*packets_s, None]:
        at_ns = start_ns + int((until_s if at_s is None else at_s) * S)
        seen.extend(((change.at_ns - start_ns) / S, change.state) for change in collectors.advance(at_ns))
        if at_s is None:
            return seen
        change = collectors.heard("f", at_ns)
        if change is not None:
            seen.append(((change.at_ns - start_ns) / S, change.state))
        seen.append((at_s, "packet"))
    return seen


@pytest.mark.parametrize(
    ("packets_s", "states"),
    [
        pytest.param([5], [(40, DISCONNECTED)], id="the vendor's worked example"),
        pytest.param([9.99], [(40, DISCONNECTED)], id="9.99"),
        pytest.param([10], [(40, DISCONNECTED)], id="10: exactly 30 s count"),
        pytest.param([11], [(50, DISCONNECTED)], id="11"),
        pytest.param([0], [(30, DISCONNECTED)], id="0"),
        pytest.param([5, 52], [(40, DISCONNECTED), (52, CONNECTED), (90, DISCONNECTED)], id="5 and 52"),
        pytest.param([5, 37, 61], [(100, DISCONNECTED)], id="37 comes before the check at 40"),
        pytest.param([], [], id="an unknown feed is never disconnected"),
    ],
)
def test_examples_of_the_sheet(packets_s, states):
    seen = told(packets_s)
    assert [entry for entry in seen if entry[1] != "packet"] == states
    assert [at_s for at_s, what in seen if what == "packet"] == packets_s


def test_connected_comes_right_before_the_packet():
    assert told([5, 52]) == [
        (5, "packet"),
        (40, DISCONNECTED),
        (52, CONNECTED),
        (52, "packet"),
        (90, DISCONNECTED),
    ]


def test_the_grid_is_the_servers_whenever_a_feed_began():
    collectors = Collectors(start_ns=0)
    list(collectors.advance(3 * S))
    collectors.heard("a", 3 * S)
    list(collectors.advance(8 * S))
    collectors.heard("b", 8 * S)
    assert list(collectors.advance(60 * S)) == [
        Change(feed="a", state=DISCONNECTED, at_ns=40 * S),
        Change(feed="b", state=DISCONNECTED, at_ns=40 * S),
    ]


@given(st.lists(st.floats(0, 300, allow_nan=False), max_size=20).map(sorted))
def test_detection_takes_30_to_40_seconds_and_states_are_told_once(packets_s):
    seen = told(packets_s, until_s=400)
    states = [what for _, what in seen if what != "packet"]
    assert all(one != other for one, other in pairwise(states))
    assert states[:1] in ([], [DISCONNECTED])
    heard_s = None
    for at_s, what in seen:
        if what == "packet":
            heard_s = at_s
        elif what == DISCONNECTED:
            assert at_s % 10 == 0
            assert 30 - 1e-6 <= at_s - heard_s < 40
    silences = [b - a for a, b in zip(packets_s, [*packets_s[1:], 400.0], strict=False)]
    assert sum(silence >= 40 for silence in silences) <= states.count(DISCONNECTED)
    assert states.count(DISCONNECTED) <= sum(silence >= 30 - 1e-6 for silence in silences)


def test_a_state_the_upstream_names_holds_until_it_names_another():
    collectors = Collectors(start_ns=0)
    assert collectors.heard("f", 0) is None
    assert collectors.tell("f", "Delayed", S) == Change(feed="f", state="Delayed", at_ns=S)
    assert collectors.tell("f", "Delayed", 2 * S) is None
    assert collectors.heard("f", 3 * S) is None
    assert collectors.state("f") == "Delayed"
    assert list(collectors.advance(40 * S)) == [Change(feed="f", state=DISCONNECTED, at_ns=40 * S)]


def test_a_feed_that_ended_is_not_told_to_be_silent():
    collectors = Collectors(start_ns=0)
    collectors.heard("f", 0)
    collectors.forget("f")
    assert list(collectors.advance(100 * S)) == []
    assert collectors.state("f") is None
