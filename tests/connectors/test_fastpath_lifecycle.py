"""Which feeds run: what lists, single answers and the feeds themselves say, in every order that costs coverage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fastpath.fixtures import Fixture, Listing
from connectors.fastpath.lifecycle import MOST_FIXTURES, STILL_LIVE_S, Lifecycle, Start, Stop

GRACE_S = 300.0


def feed(identity, kind="actions", sport="soccer"):
    return f"{sport}/fixtures/{identity}/{kind}"


class Process:
    """The feeds of a process, and a lifecycle that steers them; time passes by hand."""

    def __init__(self, *chosen, kinds=("actions",), media=False):
        self.lifecycle = Lifecycle(chosen=chosen, kinds=kinds, media=media, grace_s=GRACE_S)
        self.feeds = {}
        self.now_s = 1000.0
        self.started = []
        self.step()

    def step(self):
        steps = self.lifecycle.steps(self.feeds, now_s=self.now_s)
        for step in steps:
            match step:
                case Start(path):
                    assert self.feeds.get(path) in {None, "finished"}
                    self.feeds[path] = "open"
                    self.started.append(path)
                case Stop(path):
                    del self.feeds[path]

    def listed(self, *fixtures, whole=True, sport="soccer"):
        self.now_s += 30
        read = tuple(each if isinstance(each, Fixture) else Fixture(id=each, life="live") for each in fixtures)
        waiting = self.lifecycle.listed(Listing(sport=sport, fixtures=read, whole=whole), now_s=self.now_s)
        self.step()
        return waiting

    def answered(self, path, life):
        self.now_s += 30
        fixture = Fixture(id="-", life=life) if life else None
        self.lifecycle.answered(path, fixture, now_s=self.now_s)
        self.step()

    def finish(self, path):
        self.feeds[path] = "finished"
        self.step()

    def pass_by(self, seconds):
        self.now_s += seconds
        self.step()

    @property
    def running(self):
        return {path for path, state in self.feeds.items() if state != "finished"}


def ended(identity):
    return Fixture(id=identity, life="ended")


def quiet(identity):
    return Fixture(id=identity, life="quiet")


def test_what_lists_show_live_is_followed_by_all_kinds():
    process = Process(kinds=("actions", "statistics"))
    process.listed("a", quiet("b"), ended("c"))
    assert process.running == {feed("a"), feed("a", "statistics")}


def test_media_feeds_in_place_of_betting_feeds():
    process = Process(media=True)
    process.listed("a")
    assert process.running == {"media/" + feed("a")}


def test_gone_from_two_lists_in_a_row_it_stops_after_the_grace():
    process = Process()
    process.listed("a", "b")
    process.listed("b")
    process.pass_by(2 * GRACE_S)
    assert process.running == {feed("a"), feed("b")}
    process.listed("b")
    assert process.lifecycle.due_s() == process.now_s + GRACE_S
    process.pass_by(GRACE_S - 1)
    assert process.running == {feed("a"), feed("b")}
    process.pass_by(1)
    assert process.running == {feed("b")}
    assert process.lifecycle.due_s() == float("inf")


def test_a_list_that_has_it_again_forgives():
    process = Process()
    process.listed("a", "b")
    for _ in range(5):
        process.listed("b")
        process.listed("a", "b")
    process.listed("b")
    process.listed("b")
    process.listed("a", "b")
    process.pass_by(2 * GRACE_S)
    assert process.running == {feed("a"), feed("b")}


@pytest.mark.parametrize("whole", [True, False], ids=["empty", "empty-in-part"])
def test_empty_lists_end_nothing(whole):
    process = Process()
    process.listed("a")
    for _ in range(50):
        process.listed(whole=whole)
    assert process.running == {feed("a")}


def test_a_list_that_was_read_in_part_ends_nothing():
    process = Process()
    process.listed("a", "b")
    for _ in range(50):
        process.listed("b", whole=False)
    assert process.running == {feed("a"), feed("b")}


def test_the_list_of_another_sport_ends_nothing():
    process = Process()
    process.listed("a")
    for _ in range(50):
        process.listed("b", sport="basketball")
    assert process.running == {feed("a"), feed("b", sport="basketball")}


def test_where_lists_are_empty_the_fixture_itself_says_that_it_is_over():
    process = Process()
    process.listed("a", "b")
    process.listed()
    process.answered(feed("a"), "ended")
    process.answered(feed("b"), None)
    process.answered(feed("b"), None)
    process.pass_by(GRACE_S)
    assert process.running == set()


def test_one_404_is_not_enough():
    process = Process()
    process.listed("a")
    process.answered(feed("a"), None)
    process.pass_by(2 * GRACE_S)
    process.answered(feed("a"), "live")
    process.answered(feed("a"), None)
    process.pass_by(2 * GRACE_S)
    assert process.running == {feed("a")}


def test_an_ended_fixture_stops_after_the_grace_and_a_scheduled_one_is_left_alone():
    process = Process()
    process.listed("a", "b")
    process.listed(ended("a"), quiet("b"))
    process.pass_by(GRACE_S - 1)
    assert process.running == {feed("a"), feed("b")}
    process.listed(ended("a"), quiet("b"))
    assert process.running == {feed("b")}


def test_an_ended_fixture_that_is_live_again_within_the_grace_goes_on():
    process = Process()
    process.listed("a")
    process.listed(ended("a"))
    process.listed("a")
    process.pass_by(2 * GRACE_S)
    assert process.running == {feed("a")}
    assert process.started == [feed("a")]


def test_a_fixture_taken_out_by_lists_is_not_taken_in_by_its_own_word():
    process = Process()
    process.listed("a", "b")
    process.listed("b")
    process.listed("b")
    process.answered(feed("a"), "live")
    process.pass_by(GRACE_S)
    assert process.running == {feed("b")}


def test_a_stopped_fixture_that_is_live_again_is_followed_again():
    process = Process()
    process.listed("a", "b")
    process.listed(ended("a"), "b")
    process.pass_by(GRACE_S)
    process.listed("a", "b")
    assert process.running == {feed("a"), feed("b")}


# -- feeds that say that they are finished ---------------------------------------------------------------------------


def test_a_finished_feed_stays_closed_while_the_list_lags():
    process = Process()
    process.listed("a")
    process.finish(feed("a"))
    for _ in range(20):
        process.listed("a")
    assert process.running == set()


@pytest.mark.parametrize("between", [[quiet("a")], [ended("a")], [quiet("a"), quiet("a")]])
def test_a_finished_feed_is_opened_again_when_the_list_shows_it_live_again(between):
    process = Process()
    process.listed("a", "b")
    process.finish(feed("a"))
    process.listed("a", "b")
    process.listed(*between, "b")
    assert process.running == {feed("b")}
    process.listed("a", "b")
    assert process.running == {feed("a"), feed("b")}
    process.listed("a", "b")
    assert process.started.count(feed("a")) == 2


def test_gone_for_two_lists_counts_as_not_live_and_for_one_does_not():
    process = Process()
    process.listed("a", "b")
    process.finish(feed("a"))
    process.listed("b")
    process.listed("a", "b")
    assert process.running == {feed("b")}
    process.listed("b")
    process.listed("b")
    process.listed("a", "b")
    assert process.running == {feed("a"), feed("b")}


def test_a_list_that_shows_it_live_for_half_an_hour_is_right():
    process = Process()
    process.listed("a")
    process.finish(feed("a"))
    process.now_s += STILL_LIVE_S - 60
    process.listed("a")
    assert process.running == set()
    process.listed("a")
    assert process.running == {feed("a")}


def test_only_the_feed_that_finished_is_opened_again():
    process = Process(kinds=("actions", "statistics"))
    process.listed("a")
    process.finish(feed("a"))
    process.listed(quiet("a"))
    process.listed("a")
    assert process.started == [feed("a"), feed("a", "statistics"), feed("a")]


def test_a_feed_whose_token_was_refused_is_not_begun_again():
    process = Process()
    process.listed("a")
    process.feeds[feed("a")] = "unauthorised"
    for entry in ("a", quiet("a"), "a", ended("a"), "a"):
        process.listed(entry)
    assert process.started == [feed("a")]


# -- chosen feeds ----------------------------------------------------------------------------------------------------


def test_a_chosen_feed_runs_whatever_lists_say():
    process = Process(feed("a"), "multiplexer/?sport=golf")
    for entry in ("a", "b", "b", "b", ended("a"), ended("a")):
        process.listed(entry)
    process.answered(feed("a"), "ended")
    process.pass_by(10 * GRACE_S)
    assert process.running >= {feed("a"), "multiplexer/?sport=golf"}
    assert process.started.count(feed("a")) == 1


def test_feeds_found_beside_a_chosen_one_stop_and_the_chosen_one_does_not():
    process = Process("media/" + feed("a"), kinds=("actions", "statistics"))
    process.listed("a")
    assert process.running == {"media/" + feed("a"), feed("a"), feed("a", "statistics")}
    process.listed(ended("a"))
    process.pass_by(GRACE_S)
    assert process.running == {"media/" + feed("a")}


def test_a_chosen_feed_that_finished_is_opened_again_when_its_fixture_is_live_again():
    process = Process(feed("a"))
    process.finish(feed("a"))
    process.answered(feed("a"), "live")
    assert process.running == set()
    process.answered(feed("a"), "ended")
    process.answered(feed("a"), "live")
    assert process.running == {feed("a")}


# -- who is asked singly ---------------------------------------------------------------------------------------------


def test_fixtures_that_no_answer_told_of_are_named_the_longest_untold_first():
    process = Process(feed("c"))
    process.listed("a", "b")
    heard_s = process.now_s
    process.listed("b")
    assert process.lifecycle.untold(before_s=process.now_s - 30) == [feed("c"), feed("a")]
    process.answered(feed("c"), "live")
    assert process.lifecycle.untold(before_s=heard_s) == [feed("a")]
    assert process.lifecycle.untold(before_s=heard_s - 1) == []


# -- limits ----------------------------------------------------------------------------------------------------------


def test_more_fixtures_than_there_is_room_for_wait_and_are_told():
    process = Process()
    everyone = [f"f{number}" for number in range(MOST_FIXTURES + 5)]
    assert process.listed(*everyone) == 5
    assert len(process.running) == MOST_FIXTURES
    process.listed(*(ended(each) for each in everyone[:3]), *everyone[3:])
    process.pass_by(GRACE_S)
    assert process.listed(*everyone[3:]) == 2


LIVES = st.sampled_from(["live", "quiet", "ended", "absent"])
ROUNDS = st.lists(
    st.tuples(st.sampled_from(["list", "part", "empty", "single", "finish", "wait"]), LIVES, LIVES), max_size=40
)


@given(ROUNDS)
def test_in_any_history_what_is_shown_live_runs_or_said_that_it_finished(rounds):
    process = Process(feed("chosen"))
    for what, a, b in rounds:
        match what:
            case "list" | "part":
                shown = [Fixture(id=name, life=life) for name, life in (("a", a), ("b", b)) if life != "absent"]
                process.listed(*shown, whole=what == "list")
                for fixture in shown:
                    assert fixture.life != "live" or feed(fixture.id) in process.feeds
            case "empty":
                process.listed()
            case "single":
                process.answered(feed("a"), None if a == "absent" else a)
            case "finish" if feed("a") in process.feeds:
                process.finish(feed("a"))
            case "wait":
                process.pass_by(GRACE_S)
        assert feed("chosen") in process.running
        assert set(process.feeds) <= {feed("a"), feed("b"), feed("chosen")}
