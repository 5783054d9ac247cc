"""What is asked and when, with a clock moved by hand."""

import itertools
import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kambi.asks import Ask, Failed, Gone, Served, Skipped, Wait, position
from connectors.kambi.schedule import MOST_ANNOUNCED, Cadence, PollSchedule
from connectors.runner import Backoff

CADENCE = {
    "requests_per_minute": 600,
    "in_flight": 4,
    "ids_per_request": 5,
    "snapshot_s": 30.0,
    "discovery_s": 15.0,
    "prematch_s": 60.0,
    "prematch": (),
    "settle_s": 1.5,
    "backoff": Backoff(base_s=1.0, cap_s=20.0),
}


class Desk:
    """Drives a schedule: keeps the time, and answers each request at once as it is told to."""

    def __init__(self, shards=1, answer=lambda ask: Served(), random=None, **cadence):
        self.now = 100.0
        self.schedule = PollSchedule(
            shards=shards, cadence=Cadence(**(CADENCE | cadence)), random=random or Random(7), now_s=self.now
        )
        self.answer = answer
        self.asked: list[tuple[float, Ask]] = []

    def follow(self, *events):
        self.schedule.follow(events, self.now)

    def subscribe(self, *events):
        self.schedule.resubscribed(events, self.now)

    def run(self, seconds):
        """Let ``seconds`` pass; return what was asked meanwhile."""
        before, until = len(self.asked), self.now + seconds
        while True:
            match self.schedule.next(self.now):
                case Ask() as ask:
                    self.asked.append((self.now, ask))
                    self.schedule.done(ask, self.answer(ask), self.now)
                case Wait(until_s):
                    assert until_s > self.now, "a wait is a wait"
                    if until_s >= until:
                        self.now = until
                        return [ask for _, ask in self.asked[before:]]
                    self.now = until_s

    def take(self):
        """Return the next request, not answered yet; time passes until it is due."""
        while isinstance(asked := self.schedule.next(self.now), Wait):
            assert asked.until_s < math.inf
            self.now = asked.until_s
        return asked


def of_events(asks):
    return [(ask.what, ask.events) for ask in asks if ask.events]


# -- after a subscribe ---------------------------------------------------------------------------------------------


def test_subscribed_events_are_asked_for_together_soon_and_unconditionally():
    desk = Desk(ids_per_request=2)
    desk.follow(1, 2, 3)
    desk.subscribe(1, 2, 3)
    assert of_events(desk.run(1.4)) == []  # the subscription is not in force yet
    asks = [ask for ask in desk.run(2) if ask.events]
    assert of_events(asks) == [
        ("offers", (1, 2)),
        ("livedata", (1, 2)),
        ("offers", (3,)),
        ("livedata", (3,)),
    ]
    assert not any(ask.conditional for ask in asks)


def test_events_of_different_shards_are_never_asked_for_together():
    desk = Desk(shards=4)
    desk.follow(*range(20))
    desk.subscribe(*range(20))
    asks = [ask for ask in desk.run(100) if ask.events]
    assert asks
    assert all({event % 4 for event in ask.events} == {ask.shard} for ask in asks)


def test_what_is_subscribed_again_while_it_is_asked_for_is_asked_for_again():
    desk = Desk()
    desk.follow(1)
    desk.subscribe(1)
    desk.run(1)
    asks = [desk.take(), desk.take()]
    desk.subscribe(1)
    for ask in asks:
        desk.schedule.done(ask, Served(), desk.now)
    assert Counter(of_events(desk.run(2))) == Counter([("offers", (1,)), ("livedata", (1,))])


def test_what_was_subscribed_comes_before_the_rounds_when_the_budget_is_short():
    desk = Desk(requests_per_minute=6, discovery_s=1e9)  # six a minute, and the rounds alone want eight
    desk.follow(*range(20))
    desk.run(60)
    desk.subscribe(7)
    desk.run(1.5)
    asks = desk.run(40)
    assert {ask.events for ask in asks[:2]} == {(7,)}
    assert not any(ask.conditional for ask in asks[:2])
    assert all(ask.conditional and len(ask.events) == 5 for ask in asks[2:])


def test_a_new_connection_of_the_general_keys_has_the_listing_asked_for_unconditionally():
    desk = Desk()
    assert [ask.conditional for ask in desk.run(1)] == [True]
    desk.schedule.reopened(desk.now)
    assert desk.run(1.4) == []
    assert [(ask.what, ask.conditional) for ask in desk.run(0.2)] == [("live-open", False)]
    assert [(ask.what, ask.conditional) for ask in desk.run(15)] == [("live-open", True)]


@pytest.mark.parametrize("outcome", [Failed(everywhere=False), Failed(everywhere=True), Skipped()])
def test_an_unconditional_listing_stays_wanted_until_it_came(outcome):
    desk = Desk(answer=lambda ask: outcome)
    desk.schedule.reopened(desk.now)
    asks = desk.run(60)
    assert len(asks) > 2
    assert not any(ask.conditional for ask in asks)


# -- rounds --------------------------------------------------------------------------------------------------------


def test_every_followed_event_comes_round():
    desk = Desk(shards=4)
    desk.follow(*range(1, 100))
    desk.run(30)
    for _ in range(3):
        asks = desk.run(30.5)
        for what in ("offers", "livedata"):
            times = Counter(event for ask in asks if ask.what == what for event in ask.events)
            assert times.keys() == set(range(1, 100))
            assert set(times.values()) <= {1, 2}
        assert all(ask.conditional for ask in asks)


def test_groups_stay_as_they_are_so_that_requests_can_be_conditional():
    desk = Desk()
    desk.follow(*range(12))
    desk.run(30)
    first, second = set(of_events(desk.run(31))), set(of_events(desk.run(31)))
    assert first == second
    assert len(first) == 6


def test_ended_events_are_asked_for_no_more_and_their_places_are_used_again():
    desk = Desk()
    desk.follow(*range(10))
    desk.subscribe(*range(10))
    desk.answer = lambda ask: Gone() if set(ask.events) <= {0, 1, 2, 5, 6, 7} else Served()
    desk.follow(3, 4, 8, 9, 11)
    desk.run(31)  # each is asked for once more, and is gone
    assert {event for _, events in of_events(desk.run(1000)) for event in events} == {3, 4, 8, 9, 11}
    assert len(set(of_events(desk.run(31)))) == 2  # one group: offers and livedata


def test_an_event_that_is_followed_no_more_is_asked_for_alone_until_it_is_gone():
    """Push may have lost the message that it left; it would stay in everybody's books for good."""
    desk = Desk()
    desk.follow(1, 2)
    desk.subscribe(1, 2)
    desk.run(10)
    desk.follow(1)
    asks = [ask for ask in desk.run(200) if 2 in ask.events]
    assert [(ask.what, ask.events, ask.conditional) for ask in asks] == [("offers", (2,), False)] * 3
    desk.answer = lambda ask: Gone() if ask.events == (2,) else Served()
    assert sum(2 in ask.events for ask in desk.run(300)) == 1


def test_an_event_that_never_goes_is_let_go_of_and_one_that_comes_back_is_followed():
    desk = Desk()
    desk.follow(1, 2)
    desk.follow(1)
    assert sum(2 in ask.events for ask in desk.run(3000)) == 16  # for a quarter of an hour
    desk.follow(1, 2)
    assert any(ask.events == (1, 2) for ask in desk.run(31))


def test_after_a_gap_of_a_general_line_what_was_only_announced_is_asked_for_once():
    """Its removal, or that it opened, may have been told while nobody listened; nothing else would ever tell."""
    desk = Desk(answer=lambda ask: Gone() if ask.events == (2,) else Served())
    desk.follow(9)
    for event in (1, 2, 3, 9):
        desk.schedule.announced(event)
    desk.schedule.ended(3)
    assert not [ask for ask in desk.run(100) if ask.events not in {(), (9,)}], "no line was down"
    for expected in ([1, 2], [1], [1]):
        desk.schedule.reopened(desk.now)
        asks = [ask for ask in desk.run(300) if ask.events not in {(), (9,)}]
        assert [(ask.what, ask.events, ask.conditional) for ask in asks] == [
            ("offers", (event,), False) for event in expected
        ]


def test_what_an_earlier_process_left_is_asked_for_once_and_again_after_gaps_while_it_is_there():
    desk = Desk(answer=lambda ask: Gone() if ask.events == (2,) else Served())
    desk.follow(9)
    desk.schedule.recalled([1, 2, 9], desk.now)
    asks = [ask for ask in desk.run(300) if ask.events not in {(), (9,)}]
    assert [(ask.what, ask.events, ask.conditional) for ask in asks] == [
        ("offers", (1,), False),
        ("offers", (2,), False),
    ]
    desk.schedule.reopened(desk.now)
    assert [ask.events for ask in desk.run(300) if ask.events not in {(), (9,)}] == [(1,)]
    desk.schedule.recalled([3], desk.now)
    desk.follow(9, 3)
    assert {ask.events for ask in desk.run(300) if 3 in ask.events} == {(9, 3)}, "with its round, like any other"


def test_what_was_announced_and_is_followed_has_a_farewell_like_any_other():
    desk = Desk()
    desk.schedule.announced(1)
    desk.follow(1)
    desk.schedule.reopened(desk.now)
    desk.follow()
    assert sum(1 in ask.events for ask in desk.run(3000)) == 16


def test_only_the_newest_announcements_are_kept():
    desk = Desk(requests_per_minute=60_000)
    for event in range(1, MOST_ANNOUNCED + 11):
        desk.schedule.announced(event)
    desk.schedule.announced(11)  # anew
    desk.schedule.announced(20_000)
    desk.schedule.reopened(desk.now)
    asked = {event for ask in desk.run(600) for event in ask.events}
    assert asked == {11, *range(13, MOST_ANNOUNCED + 11), 20_000}


def test_with_events_coming_and_going_every_one_is_asked_for_in_time():
    events = list(range(500))
    desk = Desk(shards=4)
    desk.follow(*events)
    desk.subscribe(*events)
    desk.run(30)
    last = {}
    for second in range(120):
        events = [*events[1:], 500 + second]
        desk.follow(*events)
        desk.subscribe(events[-1])
        subscribed_s, seen = desk.now, len(desk.asked)
        desk.run(1)
        last |= {(what, events[-1]): subscribed_s for what in ("offers", "livedata")}
        for at, ask in desk.asked[seen:]:
            for event in {*ask.events} & {*events}:
                assert at - last.get((ask.what, event), at) < 35
                last[ask.what, event] = at
    kept = {(what, event) for event in events for what in ("offers", "livedata")}
    assert all(desk.now - last[key] < 35 for key in kept)


@pytest.mark.parametrize("seed", range(5))
def test_whose_group_is_dissolved_waits_no_longer(seed):
    desk = Desk(random=Random(seed))
    desk.follow(*range(20))
    desk.run(60)
    left = [event for event in range(20) if event % 5 < 2]
    desk.follow(*left)
    desk.run(60)
    for what in ("offers", "livedata"):
        for event in left:
            times = [at for at, ask in desk.asked if ask.what == what and event in ask.events]
            assert max(later - at for at, later in itertools.pairwise(times)) < 31


def test_what_is_not_followed_is_not_asked_for():
    desk = Desk()
    desk.follow(1)
    desk.subscribe(1, 2)
    assert {event for _, events in of_events(desk.run(100)) for event in events} == {1}


def test_when_the_budget_is_short_rounds_become_slower_and_none_starves():
    desk = Desk(requests_per_minute=12, discovery_s=1e9, ids_per_request=1)
    desk.follow(*range(50))  # a hundred requests a round, twelve a minute
    desk.run(30)
    asks = desk.run(600 * 60 / 12)
    times = Counter((ask.what, ask.events) for ask in asks)
    assert len(times) == 100
    assert max(times.values()) - min(times.values()) <= 1


def test_rounds_are_spread_over_the_interval():
    desk = Desk(discovery_s=1e9)
    desk.follow(*range(200))
    desk.run(60)
    begun = desk.now
    desk.run(30)
    per_second = Counter(int(at - begun) for at, _ in desk.asked if at >= begun)
    assert sum(per_second.values()) == 80
    assert max(per_second.values()) <= 10


def test_prematch_terms_are_asked_for_each_in_its_interval():
    desk = Desk(prematch=("football/all/all/all/matches", "tennis/all/all/all/matches"), prematch_s=60.0)
    asks = [ask for ask in desk.run(180) if ask.what == "list-view"]
    assert Counter(ask.term for ask in asks) == {"football/all/all/all/matches": 3, "tennis/all/all/all/matches": 3}


def test_a_listing_in_doubt_is_followed_by_another_soon():
    desk = Desk()
    desk.run(1)
    desk.schedule.doubt(desk.now)
    desk.run(21)
    assert [at for at, _ in desk.asked] == [100.0, 106.0, 121.0]


@given(
    budget=st.integers(1, 300),
    events=st.integers(0, 60),
    subscribes=st.lists(st.tuples(st.floats(0, 50), st.integers(0, 59)), max_size=20),
)
def test_no_minute_has_more_requests_than_the_budget(budget, events, subscribes):
    desk = Desk(requests_per_minute=budget, ids_per_request=1, snapshot_s=5.0)
    desk.follow(*range(events))
    for pause, event in subscribes:
        desk.run(pause)
        desk.subscribe(event)
    desk.run(120)
    at = [time for time, _ in desk.asked]
    assert all(later - time >= 60 - 1e-6 for time, later in zip(at, at[budget:], strict=False))


# -- when something fails ------------------------------------------------------------------------------------------


def test_no_more_requests_are_under_way_than_allowed():
    desk = Desk(in_flight=2)
    desk.follow(1)
    desk.subscribe(1)
    desk.run(0)
    desk.now += 2
    first, second = desk.take(), desk.take()
    desk.now += 20
    assert desk.schedule.next(desk.now) == Wait(math.inf)
    desk.schedule.answered(first)  # it may be a while until it is recorded
    third = desk.schedule.next(desk.now)
    assert isinstance(third, Ask)
    desk.now += 20
    assert desk.schedule.next(desk.now) == Wait(math.inf)
    for ask in (first, second, third):
        desk.schedule.done(ask, Served(), desk.now)
    assert isinstance(desk.schedule.next(desk.now), Ask)


def test_a_refusal_stops_everything_for_as_long_as_the_server_wishes():
    desk = Desk()
    desk.follow(*range(20))
    ask = desk.take()
    desk.schedule.done(ask, Failed(everywhere=True, retry_after_s=50.0), desk.now)
    desk.subscribe(1)
    assert desk.run(49.9) == []
    assert {event for _, events in of_events(desk.run(1)) for event in events} >= {1}


def test_failures_everywhere_are_backed_off_from_up_to_the_cap_and_forgotten_after_an_answer():
    desk = Desk(answer=lambda ask: Failed(everywhere=True), backoff=Backoff(base_s=1.0, cap_s=16.0), discovery_s=1e9)
    desk.follow(*range(20))
    desk.subscribe(*range(20))
    desk.run(1000)
    times = [at for at, _ in desk.asked]
    pauses = [later - at for at, later in itertools.pairwise(times)]
    assert max(pauses) <= 16.2
    assert max(pauses[:2]) <= 2.2
    assert 7 < sum(pauses[-60:]) / 60 < 9  # full jitter: half the cap
    desk.answer = lambda ask: Served()
    desk.run(30)
    assert len(desk.run(31)) == 8  # as if nothing had been


class Longest(Random):
    """Chance that always takes the longest."""

    def uniform(self, a, b):
        return b


def test_what_was_under_way_together_fails_as_one():
    desk = Desk(backoff=Backoff(base_s=1.0, cap_s=1000.0), discovery_s=1e9, random=Longest())
    desk.follow(*range(100))
    desk.subscribe(*range(100))
    desk.run(1)
    for pause_s in (1.0, 2.0, 4.0):
        asks = [desk.take() for _ in range(4)]
        for ask in asks:
            desk.schedule.done(ask, Failed(everywhere=True), desk.now)
        assert desk.schedule.next(desk.now) == Wait(desk.now + pause_s)
    desk.schedule.done(desk.take(), Served(), desk.now)
    desk.schedule.done(desk.take(), Failed(everywhere=True), desk.now)
    assert desk.schedule.next(desk.now) == Wait(desk.now + 1.0)  # one answer, and the past is forgotten


def test_an_answer_too_large_for_all_is_asked_for_one_by_one():
    desk = Desk(answer=lambda ask: Failed(everywhere=False) if 3 in ask.events else Served())
    desk.follow(*range(5))
    desk.subscribe(*range(5))
    asks = of_events(desk.run(10))
    for what in ("offers", "livedata"):
        assert {events for w, events in asks if w == what} == {(0, 1, 2, 3, 4), (0,), (1,), (2,), (3,), (4,)}


def test_an_event_that_breaks_every_answer_does_not_take_its_group_with_it():
    desk = Desk(answer=lambda ask: Failed(everywhere=True) if 3 in ask.events else Served(), discovery_s=1e9)
    desk.follow(*range(10))
    desk.subscribe(*range(10))
    desk.run(300)
    for event in (0, 1, 2, 4):
        served = [at for at, ask in desk.asked if event in ask.events and 3 not in ask.events and ask.what == "offers"]
        gaps = [later - at for at, later in itertools.pairwise(served)]
        assert served[0] < 130
        assert max(gaps) < 60
    three = [at for at, ask in desk.asked if 3 in ask.events]
    assert len(three) < 100


def test_while_nothing_is_answered_groups_stay_together():
    desk = Desk(answer=lambda ask: Failed(everywhere=True), discovery_s=1e9)
    desk.follow(*range(10))
    desk.subscribe(*range(10))
    assert {len(events) for _, events in of_events(desk.run(600))} == {5}


def test_a_404_for_several_is_asked_one_by_one_until_each_is_certain():
    gone = {1, 2}
    desk = Desk(answer=lambda ask: Gone() if set(ask.events) & gone else Served())  # one missing and none is answered
    desk.follow(1, 2, 3)
    desk.subscribe(1, 2, 3)
    asks = [ask for ask in desk.run(5) if ask.what == "offers"]
    assert [ask.events for ask in asks] == [(1, 2, 3), (1,), (2,), (3,)]
    assert [desk.schedule.is_certain(ask) for ask in asks[1:]] == [True, True, True]


def test_a_404_for_events_that_are_known_to_be_gone_is_certain():
    desk = Desk(answer=lambda ask: Gone())
    desk.follow(1, 2)
    desk.run(40)
    later = [ask for ask in desk.run(60) if ask.events]
    assert {ask.events for ask in later} == {(1, 2)}
    assert all(desk.schedule.is_certain(ask) for ask in later)
    desk.answer = lambda ask: Served()
    desk.run(31)
    assert not any(desk.schedule.is_certain(ask) for ask in desk.run(31) if ask.events)


def test_what_was_skipped_for_want_of_room_is_asked_for_again_soon():
    desk = Desk(answer=lambda ask: Skipped())
    desk.follow(1)
    desk.subscribe(1)
    desk.run(10)
    desk.answer = lambda ask: Served()
    asks = desk.run(1.1)
    assert Counter(of_events(asks)) == Counter([("offers", (1,)), ("livedata", (1,))])
    assert not any(ask.conditional for ask in asks)


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        ({"what": "offers", "events": (2**60, 3)}, "betoffer/event/1152921504606846976,3.json?lang=en_GB"),
        ({"what": "livedata", "events": (1,)}, "event/livedata/1.json?lang=en_GB"),
        ({"what": "live-open"}, "event/live/open.json?lang=en_GB"),
        (
            {"what": "list-view", "term": "football/all/all/all/matches"},
            "listView/football/all/all/all/matches.json?lang=en_GB",
        ),
    ],
    ids=lambda value: value.get("what") if isinstance(value, dict) else "",
)
def test_positions_name_the_request(ask, named):
    assert position(Ask(number=1, asked_s=0.0, **ask), "en_GB") == named
