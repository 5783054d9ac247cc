"""Where to resume: what the vendor's list holds and what came of it decide, never a slip or a repeat."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fastpath.protocol import Event
from connectors.fastpath.resume import Resume
from schemas.fastpath.feed import feed_of

ACTIONS = feed_of("soccer/fixtures/1/actions")
TENNIS = feed_of("tennis/events/1/stream")
MMA = feed_of("mma/fights/1/details")
GOLF = feed_of("multiplexer/?sport=golf")


def came(resume, *numbers, stream=("action", "1")):
    for number in numbers:
        resume.event(Event(stream=stream, number=number))


def connected(feed, *numbers, events=None):
    resume = Resume(feed, events=events)
    resume.opened(resume.position)
    came(resume, *numbers)
    return resume


@pytest.mark.parametrize(
    ("feed", "events", "position"),
    [
        (ACTIONS, None, 0), (ACTIONS, 0, 0), (ACTIONS, 1, 0), (ACTIONS, 2, 0), (ACTIONS, 41, 39),
        (TENNIS, None, 0), (TENNIS, 0, 0), (TENNIS, 9, 9), (MMA, None, 0), (MMA, 0, 0), (MMA, 1, 0), (MMA, 9, 9),
        (GOLF, None, None), (GOLF, 9, None),
    ],
)  # fmt: skip
def test_the_first_position_of_a_process(feed, events, position):
    assert Resume(feed, events=events).position == position


def test_family_a_counts_distinct_events_over_connections():
    resume = connected(ACTIONS, 700, 701, 701, 702, 700)
    assert (resume.events, resume.position) == (3, 1)
    resume.opened(1)
    assert (resume.events, resume.position) == (1, 1)
    came(resume, 701, 702, 703)
    assert (resume.events, resume.position) == (4, 2)


def test_a_connection_on_which_nothing_came_changes_nothing():
    resume = connected(ACTIONS, *range(1, 11))
    for _ in range(5):
        assert resume.position == 8
        resume.opened(8)


def test_numbers_of_two_fixtures_and_of_two_kinds_are_told_apart():
    resume = connected(ACTIONS, 1, 2)
    came(resume, 1, 2, stream=("action", "2"))
    came(resume, 1, stream=("packet", "1"))
    assert resume.events == 5


def test_fixture_ids_made_of_rubbish_do_not_fill_memory():
    resume = connected(ACTIONS)
    for number in range(1000):
        came(resume, 1, stream=("action", f"x{number}"))
    assert resume.events == 16


@pytest.mark.parametrize("feed", [ACTIONS, MMA], ids=["a", "b"])
def test_a_slip_of_the_vendor_does_not_decide_where_to_go_on(feed):
    resume = connected(feed, 1, 2, 3, 2**62)
    before = resume.position
    assert before is not None
    assert before <= 3
    came(resume, 4)
    assert resume.position == before + 1


@pytest.mark.parametrize("feed", [ACTIONS, MMA], ids=["a", "b"])
@pytest.mark.parametrize("events", [None, 40])
def test_a_slip_in_the_first_number_of_a_connection_does_not_either(feed, events):
    resume = Resume(feed, events=events)
    before = resume.position
    resume.opened(before)
    came(resume, 2**62)
    assert resume.position is not None
    assert resume.position <= (before or 0)
    came(resume, 41)
    assert resume.position <= 41


@pytest.mark.parametrize("feed", [ACTIONS, MMA], ids=["a", "b"])
def test_numbers_that_begin_again_mean_that_the_list_may_have(feed):
    resume = connected(feed, *range(1, 60), 1, 2, 3)
    assert resume.position == {"a": 1, "b": 3}[feed.family]


def test_family_b_takes_the_last_number_even_if_an_earlier_one_came_late():
    resume = connected(MMA, 1, 2, 4, 5, 3)
    assert (resume.events, resume.position) == (3, 3)


def test_a_repair_is_asked_for_once_and_the_earliest_wins():
    resume = connected(ACTIONS, *range(1, 101))
    assert resume.repair(50)
    assert resume.repair(40)
    assert resume.repair(60)
    assert resume.position == 40
    resume.opened(40)
    came(resume, *range(41, 51))
    assert resume.position == 48, "cut off during the replay it goes on there"
    came(resume, *range(51, 102))
    assert resume.position == 99


def test_a_repair_that_came_too_late_for_a_connection_stays():
    resume = connected(ACTIONS, *range(1, 101))
    resume.repair(10)
    resume.opened(98)
    assert resume.position == 10


def test_a_repair_never_skips_what_did_not_come():
    resume = connected(ACTIONS, 1, 2, 3)
    resume.repair(500)
    assert resume.position == 1


def test_a_feed_without_positions_takes_no_repair():
    resume = connected(GOLF, 1)
    assert not resume.repair(0)
    assert resume.position is None


def test_a_position_the_server_does_not_like_is_given_up_once():
    resume = connected(ACTIONS, *range(1, 101))
    assert resume.start_over()
    assert resume.position == 0
    assert not resume.start_over()


@given(
    history=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), min_size=1, max_size=12),
    skips=st.booleans(),
    per_connection=st.booleans(),
)
def test_no_event_is_ever_skipped_in_either_reading_and_numbering(history, skips, per_connection):
    """A server with an append-only list: every reconnect gets all that had not come, whatever the reading.

    ``skips``: position N skips N; otherwise it starts at the Nth. Each connection delivers so many new events, and
    every so often one twice.
    """
    resume, seen, length = Resume(ACTIONS), 0, 0
    for more, again in history:
        length += more
        position = resume.position
        assert position is not None
        resume.opened(position)
        begin = position if skips else max(0, position - 1)
        assert begin <= seen, f"{seen} came, and {position} was asked for"
        for index in range(begin, length):
            number = index - begin + 1 if per_connection else index + 1
            came(resume, *[number] * (1 + (index % 4 < again)))
        seen = max(seen, length)


def listed(position, *, reading, large, length=12):
    """Return what a list sends from ``position`` on before the event that is too large; and whether that came."""
    sent = [n for n in range(1, length + 1) if n >= (position + 1 if reading == "skip" else max(1, position))]
    return ([n for n in sent if n < large], True) if large in sent else (sent, False)


@pytest.mark.parametrize("feed", [ACTIONS, TENNIS, MMA], ids=["a", "tennis", "mma"])
@pytest.mark.parametrize("reading", ["skip", "from"])
@pytest.mark.parametrize("large", [1, 2, 3, 5, 12])
def test_an_event_that_is_too_large_is_passed_by_and_nothing_else(feed, reading, large):
    reading = "from" if feed is not ACTIONS else reading
    resume, seen = Resume(feed), set()
    for _ in range(6):
        asked = resume.position
        resume.opened(asked)
        numbers, stuck = listed(asked, reading=reading, large=large)
        came(resume, *numbers)
        seen.update(numbers)
        if not stuck:
            break
        resume.too_large()
    assert seen == set(range(1, 13)) - {large}


def test_one_that_comes_once_is_asked_for_again():
    resume = connected(ACTIONS, *range(1, 6))
    assert not resume.too_large()
    assert resume.position == 3
    assert not connected(GOLF).too_large()
