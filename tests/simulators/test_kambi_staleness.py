"""How old the state is that stale HTTP answers show."""

from simulators.kambi.config import FaultSwitch, KambiFaultSettings
from simulators.kambi.offering import Offering
from simulators.kambi.staleness import Shown, Staleness

START_MS = 1_790_000_000_000
STALE = KambiFaultSettings(http_stale_ms=1_000)


def small_offering() -> Offering:
    return Offering(seed=3, start_ms=START_MS, events_live=1, changes_per_second=50, match_duration_s=60)


def test_what_is_shown_is_between_once_and_twice_as_old_as_asked_for():
    offering = small_offering()
    staleness = Staleness(FaultSwitch(STALE), offering)
    states = {}
    for now_ms in range(0, 6_000, 250):
        offering.advance(250)
        states[now_ms] = offering.state()
        staleness.keep(now_ms)
        shown = staleness.shown()
        if now_ms >= 1_000:
            assert shown.age_s == 1
            assert shown.offering.state() == states[now_ms // 1_000 * 1_000 - 1_000]
    assert len({repr(state) for state in states.values()}) > 20


def test_without_the_fault_the_offering_itself_is_shown():
    offering = small_offering()
    staleness = Staleness(FaultSwitch(KambiFaultSettings()), offering)
    staleness.keep(0)
    assert staleness.shown() == Shown(offering=offering)


def test_switched_on_again_it_shows_nothing_from_before():
    faults = FaultSwitch(STALE)
    staleness = Staleness(faults, small_offering())
    staleness.keep(0)
    faults.current = KambiFaultSettings()
    staleness.keep(3_600_000)
    faults.current = STALE
    staleness.keep(3_600_250)
    assert staleness.shown().age_s == 0
