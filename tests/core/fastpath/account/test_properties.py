"""What holds whatever comes: random histories of drops, repeats, swaps, reconnects, resets, losses and time."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.core.fastpath.account.effects import Counted, Found, Release
from tests.core.fastpath.account.lines import GOLF, SOCCER, STATISTICS, TENNIS
from tests.core.fastpath.account.world import ODD_STEPS, STEPS, World

LINES = st.sampled_from("ab")
AMOUNTS = st.integers(0, 5)


def histories(*kinds):
    return st.lists(st.tuples(st.sampled_from(kinds), LINES, AMOUNTS), max_size=60)


ANY = histories(*STEPS, *STEPS, *ODD_STEPS)
WORLDS = st.builds(
    dict,
    numbering=st.sampled_from(["fixture", "connection"]),
    path=st.sampled_from([SOCCER, SOCCER, TENNIS, GOLF, STATISTICS]),
)
PROFILE = settings(max_examples=400, deadline=None)


def releases(world):
    return [effect for effect in world.task.log if isinstance(effect, Release)]


def findings(world, *kinds):
    return [effect for effect in world.task.log if isinstance(effect, Found) and effect.kind in kinds]


def numbers(ranges):
    return [number for first, last in ranges or () for number in range(first, last + 1)]


def no_number_goes_out_twice(world):
    counts = Counter(one.sequence for one in releases(world) if not one.conflict)
    assert all(count == 1 for count in counts.values())


def what_is_not_marked_is_in_order(world):
    if world.path != STATISTICS:
        plain = [one.sequence for one in releases(world) if not (one.late or one.repaired or one.conflict)]
        assert plain == sorted(plain)


def every_packet_goes_out_or_is_accounted_for(world):
    accounted = len(releases(world)) + len(findings(world, "duplicate"))
    accounted += sum(isinstance(effect, Counted) for effect in world.task.log)
    silent = findings(world, "conflict")
    accounted += len(silent) - sum(one.conflict for one in releases(world))
    assert accounted == world.arrivals
    assert not list(world.task.store.items(b"ap"))


def what_is_missing_is_named_once(world):
    """Everything between the first and the last number is out, or on record as missing, and never both."""
    for account in world.task.accounts._accounts.values():
        out = {one.sequence for one in releases(world) if not one.conflict}
        silent = {number for gap in account.gaps.all() if gap.state == "silent" for number in numbers(gap.missing)}
        told = Counter(n for one in findings(world, "not_repairable") for n in numbers(one.missing))
        if world.path == STATISTICS:
            told = Counter(n for one in findings(world, "gap_suspected") for n in numbers(one.missing))
        assert all(count == 1 for count in told.values())
        came = Counter(
            n
            for one in findings(world, "gap_closed", "gap_repaired")
            for n in numbers(one.missing)
            if one.first == one.last and n in told
        )
        lost = {n for n in told if not came[n]}
        missing = set(range(account.state.low, account.state.last + 1)) - out - silent
        assert missing == lost
        assert not any(gap.state in ("waiting", "asked", "given-up") for gap in account.gaps.all())


@PROFILE
@given(WORLDS, ANY)
def test_nothing_is_lost_doubled_or_moved_without_a_word(given_world, steps):
    """Every history is judged in every way: making one costs more than judging it."""
    world = World(**given_world).run(steps).settle()
    no_number_goes_out_twice(world)
    what_is_not_marked_is_in_order(world)
    every_packet_goes_out_or_is_accounted_for(world)
    what_is_missing_is_named_once(world)


@PROFILE
@given(WORLDS, ANY)
def test_an_aggregate_that_is_not_marked_is_the_newest(given_world, steps):
    world = World(**given_world | {"path": STATISTICS}).run(steps).settle()
    plain = [one.sequence for one in releases(world) if not (one.late or one.repaired or one.conflict)]
    assert plain == sorted(plain)
    assert all(one.after_ms == 0 for one in releases(world))


@PROFILE
@given(WORLDS, ANY)
def test_restart_at_any_record_changes_nothing(given_world, steps):
    world = World(**given_world).run(steps).settle()
    other = World(**given_world, forgetful=True).run(steps).settle()
    assert other.task.log == world.task.log
    assert other.task.store.entries == world.task.store.entries


@PROFILE
@given(st.sampled_from([SOCCER, TENNIS]), histories(*STEPS))
def test_numbers_of_a_fixture_are_the_vendors_truth(path, steps):
    """Without resets nothing conflicts, nothing restarts, and what went out under a number is the vendor's item."""
    world = World(path=path).run(steps).settle()
    assert findings(world, "conflict", "restarted") == []
    assert all(one.payload == str(one.sequence).encode() for one in releases(world))


@pytest.mark.parametrize("path", [SOCCER, GOLF])
def test_world_can_do_all_that(path):
    """The histories above reach what they are for."""
    seen: Counter[str] = Counter()

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(st.sampled_from(["fixture", "connection"]), ANY)
    def look(numbering, steps):
        world = World(numbering=numbering, path=path).run(steps).settle()
        seen.update({one.why for one in releases(world)})
        seen.update({one.kind for one in world.task.log if isinstance(one, Found)})

    look()
    expected = {"in_order", "filled", "timeout", "late", "repaired", "conflict"}
    expected |= {"baseline", "gap_suspected", "gap_closed", "not_repairable", "reordered", "duplicate", "restarted"}
    assert expected <= set(seen)
