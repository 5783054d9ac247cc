import pytest

from connectors.kambi import roster
from connectors.kambi.roster import EMPTY_FOR_S, END_OUTRANKS_LISTS_S, FixedRoster, LiveRoster


@pytest.fixture
def live():
    events = LiveRoster()
    events.listed([1, 2], asked_s=0)
    return events


def test_what_is_listed_is_followed_whatever_its_order_and_repeats(live):
    live.listed([2, 2, 3, 1], asked_s=15)
    assert live.events == (1, 2, 3)


def test_an_event_missing_once_is_kept_and_missing_twice_is_gone(live):
    live.listed([2], asked_s=15)
    assert (live.events, live.in_doubt) == ((1, 2), True)
    live.listed([2], asked_s=20)
    assert (live.events, live.in_doubt) == ((2,), False)


def test_missing_has_to_be_in_a_row(live):
    for asked_s in range(15, 150, 15):
        live.listed([1, 2] if asked_s % 2 else [2], asked_s=asked_s)
        assert live.events == (1, 2)


def test_what_push_ended_is_gone_at_once_although_lists_still_have_it(live):
    live.ended(1, now_s=10)
    assert live.events == (2,)
    live.listed([1, 2], asked_s=15)
    assert live.events == (2,)


def test_lists_that_go_on_having_an_ended_event_are_believed_in_the_end(live):
    live.ended(1, now_s=10)
    live.listed([1, 2], asked_s=10 + END_OUTRANKS_LISTS_S - 0.1)
    assert live.events == (2,)
    live.listed([1, 2], asked_s=10 + END_OUTRANKS_LISTS_S)
    assert live.events == (2, 1)


def test_what_push_started_is_followed_at_once(live):
    live.started(3, now_s=10)
    assert live.events == (1, 2, 3)


def test_a_list_asked_for_before_an_event_started_does_not_count_against_it(live):
    live.started(3, now_s=10)
    for asked_s in (8, 9, 9.9):
        live.listed([1, 2], asked_s=asked_s)
        assert 3 in live.events
    live.listed([1, 2], asked_s=11)
    assert 3 in live.events
    live.listed([1, 2], asked_s=12)
    assert 3 not in live.events


def test_an_event_that_ended_and_started_again_is_followed(live):
    live.ended(1, now_s=10)
    live.started(1, now_s=11)
    live.listed([1, 2], asked_s=12)
    assert sorted(live.events) == [1, 2]


def test_an_end_said_again_counts_from_then(live):
    live.ended(1, now_s=10)
    live.ended(1, now_s=10 + END_OUTRANKS_LISTS_S - 1)
    live.listed([1, 2], asked_s=10 + END_OUTRANKS_LISTS_S)
    assert live.events == (2,)


def test_what_push_may_name_is_bounded(monkeypatch):
    monkeypatch.setattr(roster, "_MOST_SAID", 100)
    live = LiveRoster()
    for event in range(1000):
        live.started(event, now_s=event / 1000)
        live.ended(5000 + event, now_s=event / 1000)
    assert live.events == tuple(range(100))
    assert len(live._ended) == 100


def test_what_a_person_chose_is_followed_until_push_ends_it():
    fixed = FixedRoster([7, 8, 7])
    fixed.listed([], asked_s=0)
    assert fixed.events == (7, 8)
    fixed.ended(7, now_s=1)
    fixed.ended(99, now_s=1)
    fixed.started(100, now_s=1)
    assert (fixed.events, fixed.in_doubt) == ((8,), False)
    fixed.started(7, now_s=2)
    assert fixed.events == (7, 8)


def empty(live, *times_s):
    for asked_s in times_s:
        live.listed([], asked_s=asked_s, is_empty=True)


def test_lists_without_any_event_end_nothing_until_there_were_three_over_a_minute(live):
    empty(live, 15, 20)
    assert (live.events, live.in_doubt) == ((1, 2), True)
    empty(live, *range(25, 75, 5))
    assert (live.events, live.in_doubt) == ((1, 2), True)
    empty(live, 15 + EMPTY_FOR_S)
    assert (live.events, live.in_doubt) == ((), False)


def test_two_empty_lists_far_apart_are_too_few(live):
    empty(live, 15, 15 + 2 * EMPTY_FOR_S)
    assert (live.events, live.in_doubt) == ((1, 2), True)
    empty(live, 20 + 2 * EMPTY_FOR_S)
    assert live.events == ()


def test_an_empty_list_is_none_of_those_that_have_to_be_in_a_row(live):
    empty(live, 15)
    live.listed([2], asked_s=20)
    assert live.events == (1, 2)
    live.listed([2], asked_s=25)
    assert live.events == (2,)


def test_a_list_with_an_event_of_any_shard_ends_the_doubt(live):
    empty(live, 15, 45)
    live.listed([], asked_s=60)
    live.listed([1, 2], asked_s=65)
    empty(live, 75, 76, 77)
    assert (live.events, live.in_doubt) == ((1, 2), True)


def test_who_delivers_messages_stays_however_many_lists_are_empty(live):
    empty(live, 15)
    assert live.listens
    for asked_s in range(20, 200, 5):
        live.heard(2, now_s=asked_s - 1)
        empty(live, asked_s)
    assert (live.events, live.in_doubt, live.listens) == ((2,), False, True)
    empty(live, 194 + EMPTY_FOR_S - 1)
    assert live.events == (2,)
    empty(live, 194 + EMPTY_FOR_S)
    assert (live.events, live.listens) == ((), False)


def test_what_push_started_while_lists_are_empty_has_its_minute(live):
    empty(live, 15, 30)
    live.started(3, now_s=40)
    empty(live, 75)
    assert (live.events, live.in_doubt) == ((3,), False)
    empty(live, 40 + EMPTY_FOR_S)
    assert live.events == ()


def test_nobody_listens_to_messages_while_lists_have_events(live):
    assert not live.listens
    live.heard(99, now_s=1)
    assert live.events == (1, 2)
    empty(live, 15)
    live.listed([1, 2], asked_s=20)
    assert not live.listens


def test_an_empty_list_does_not_change_what_a_person_chose():
    fixed = FixedRoster([7])
    for asked_s in (0, 60, 120, 180):
        fixed.listed([], asked_s=asked_s, is_empty=True)
    assert (fixed.events, fixed.listens) == ((7,), False)
