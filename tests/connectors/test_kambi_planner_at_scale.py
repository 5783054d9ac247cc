"""Five hundred live events that come and go, servers that grant 40 keys or fewer: the plan over simulated hours.

Time is simulated; roster and planner are the real ones. Between them and the model server stand the delays and losses
of a network; what ``Shard`` does with timers is done here by :class:`Driver`.
"""

import heapq
from collections import defaultdict
from functools import cache
from itertools import count
from random import Random
from zlib import crc32

import pytest

from connectors.kambi import keys
from connectors.kambi.planner import Planner, Subscribe
from connectors.kambi.roster import LiveRoster

SHARDS = 4
LIST_S = 15.0
OVERLAP_S = 1.0
RETRY_S = 30.0


class Server:
    """What connections hold; refuses the key past ``granted`` of a connection."""

    def __init__(self, granted):
        self.granted = granted
        self.held = defaultdict(dict)  # by line that is up: key, since when
        self.most = 0

    def subscribe(self, line, key, now_s):
        if line not in self.held or key in self.held[line]:
            return True
        if len(self.held[line]) >= self.granted(line):
            return False
        self.held[line][key] = now_s
        self.most = max(self.most, len(self.held[line]))
        return True


class Driver:
    """Carries plans out with delays; keeps the book of what is served, when, and what is held too long."""

    def __init__(self, *, seed, granted, live, churn_s, drop_s, loses_ends, max_connections=60):
        self.chance = Random(seed)
        self.server = Server(granted)
        max_lines = (max_connections - SHARDS) // SHARDS
        self.plans = [
            Planner(
                offering="kambi", language="en", extended=False, shard=n, replica="", max_keys=40, max_lines=max_lines
            )
            for n in range(SHARDS)
        ]
        self.rosters = [LiveRoster() for _ in range(SHARDS)]
        self.now_s = 0.0
        self.agenda = []
        self.order = count()
        self.connection = {}  # by line: number of the open connection
        self.opened = set()
        self.ids = count(1_020_000_000)
        self.live = {}
        self.ended = {}
        self.gone_blind = []
        self.held_too_long = set()
        self.served = set()
        self.dropped_at = defaultdict(lambda: -1e9)
        self.refusals = 0
        self.short = False
        self.loses_ends = loses_ends
        self.churn_s, self.drop_s = churn_s, drop_s
        for _ in range(live):
            self.live[next(self.ids)] = 0.0
        for number, plan in enumerate(self.plans):
            self.connect(plan, plan.general_line, after_s=0.1 * number)
        self.at(0.2, self.list_live)
        self.at(churn_s, self.turn_over)
        self.at(RETRY_S, self.retry)
        if drop_s:
            self.at(drop_s, self.drop)

    # -- time --------------------------------------------------------------------------------------------------------

    def at(self, after_s, action, *arguments):
        heapq.heappush(self.agenda, (self.now_s + after_s, next(self.order), action, arguments))

    def run(self, until_s):
        steps = 0
        while self.agenda and self.agenda[0][0] <= until_s:
            self.now_s, _, action, arguments = heapq.heappop(self.agenda)
            action(*arguments)
            steps += 1
        return steps

    def delay(self):
        return self.chance.uniform(0.005, 0.3)

    # -- the offering ------------------------------------------------------------------------------------------------

    def list_live(self):
        asked_s, seen = self.now_s, list(self.live)
        self.chance.shuffle(seen)
        self.short = not self.short and self.chance.random() < 0.1
        if self.short:
            seen = seen[: len(seen) // 2]  # a short answer now and then; of two in a row nobody can know better
        self.at(self.chance.uniform(0.1, 2.0), self.listed, asked_s, seen + seen[:3])

    def listed(self, asked_s, events):
        for number, roster in enumerate(self.rosters):
            roster.listed([event for event in events if event % SHARDS == number], asked_s=asked_s)
            self.follow(number)
        doubt = any(roster.in_doubt for roster in self.rosters)
        self.at(5.0 if doubt else LIST_S, self.list_live)

    def turn_over(self):
        event = self.chance.choice(list(self.live))
        del self.live[event]
        self.ended[event] = self.now_s
        self.served.discard(event)
        if not self.loses_ends:
            self.at(self.delay(), self.say, "ended", event)
        new = next(self.ids)
        self.live[new] = self.now_s
        if self.chance.random() < 0.7:
            self.at(self.delay(), self.say, "started", new)
        if self.chance.random() < 0.1:  # said again, of what nobody knows
            self.at(self.delay(), self.say, "ended", self.chance.randrange(10**9))
        self.at(self.churn_s, self.turn_over)

    def say(self, what, event):
        number = event % SHARDS
        if self.plans[number].general_line in self.connection:
            getattr(self.rosters[number], what)(event, now_s=self.now_s)
            self.follow(number)

    def follow(self, number):
        plan = self.plans[number]
        self.carry_out(plan, plan.want(self.rosters[number].events))

    # -- lines -------------------------------------------------------------------------------------------------------

    def connect(self, plan, line, after_s=None):
        self.opened.add(line)
        self.at(self.delay() if after_s is None else after_s, self.connected, plan, line)

    def connected(self, plan, line):
        self.connection[line] = next(self.order)
        self.server.held[line] = {}
        self.emit(plan, line, plan.keys_of(line))
        self.carry_out(plan, plan.connected(line))

    def drop(self):
        line = self.chance.choice(sorted(self.connection))
        plan = self.plans[int(line.split("-")[1])]
        del self.connection[line], self.server.held[line]
        self.look()
        self.connect(plan, line, after_s=self.chance.uniform(0.1, 5.0))
        self.at(self.drop_s, self.drop)

    def carry_out(self, plan, actions):
        for action in actions:
            if isinstance(action, Subscribe):
                if action.line not in self.opened:
                    self.connect(plan, action.line)
                elif action.line in self.connection:
                    self.emit(plan, action.line, action.keys)
            elif action.line in self.connection:
                # One socket keeps its order, so nothing overtakes: all of a line's requests take the same time.
                self.at(self.lag(action.line), self.unsubscribe, action.line, self.connection[action.line], action.keys)

    def lag(self, line):
        return 0.01 + (crc32(line.encode()) % 29) / 100

    def emit(self, plan, line, topics):
        connection = self.connection[line]
        self.at(self.lag(line), self.subscribe, plan, line, connection, topics)
        self.at(OVERLAP_S, self.in_force, plan, line, connection, topics)

    def subscribe(self, plan, line, connection, topics):
        if self.connection.get(line) == connection:
            for topic in topics:
                if not self.server.subscribe(line, topic, self.now_s):
                    self.refusals += 1
                    self.at(self.lag(line), self.refused, plan, line, connection, topic)
            self.look(line)

    def unsubscribe(self, line, connection, topics):
        if self.connection.get(line) == connection:
            for topic in topics:
                self.server.held[line].pop(topic, None)
            self.look(None, topics)

    def in_force(self, plan, line, connection, topics):
        if self.connection.get(line) == connection:
            self.carry_out(plan, plan.subscribed(line, topics))

    def refused(self, plan, line, connection, topic):
        if self.connection.get(line) == connection:
            for _ in range(self.chance.choice((1, 1, 2))):  # said twice now and then
                self.carry_out(plan, plan.refused(line, topic))

    def retry(self):
        for plan in self.plans:
            self.carry_out(plan, plan.retry())
        self.at(RETRY_S, self.retry)

    # -- the book ----------------------------------------------------------------------------------------------------

    def everything_held(self):
        return {key for held in self.server.held.values() for key in held}

    def look(self, line=None, dropped=()):
        """Note what is served; an event that loses keys it had by a request of ours has gone blind."""
        if dropped:
            held = self.everything_held()
            for event in set(map(event_of, dropped)):
                if event in self.served and event in self.live and not set(pair(event)) <= held:
                    self.gone_blind.append((self.now_s, event))
        elif line is None:
            held = self.everything_held()
            self.served = {event for event in self.served if set(pair(event)) <= held}
        else:
            mine = self.server.held[line]
            events = {event for topic in mine if (event := event_of(topic)) is not None}
            self.served |= {event for event in events if event in self.live and set(pair(event)) <= mine.keys()}

    def overdue(self, grace_s=60.0):
        """Return events whose keys are held though they ended longer ago than ``grace_s``."""
        held = {event for key in self.everything_held() if (event := event_of(key)) is not None}
        return {event for event in held if event in self.ended and self.now_s - self.ended[event] > grace_s}

    def missing(self, grace_s):
        """Return live events, older than ``grace_s``, that lack a key."""
        held = self.everything_held()
        old = [event for event, since_s in self.live.items() if self.now_s - since_s > grace_s]
        return {event for event in old if not set(pair(event)) <= held}


@cache  # keys come again by the hundred thousand
def event_of(topic):
    key = keys.parse(topic)
    assert key is not None
    return key.event


@cache
def pair(event):
    return keys.event_pair("kambi", "en", event)


def grants_40(line):
    return 40


def grants_less_somewhere(line):
    return (40, 40, 31, 12, 1)[crc32(line.encode()) % 5] if "events" in line else 40


@pytest.mark.parametrize("loses_ends", [False, True], ids=["push says ends", "only the list says ends"])
@pytest.mark.parametrize("granted", [grants_40, grants_less_somewhere])
@pytest.mark.parametrize("drop_s", [0.0, 7.0], ids=["steady lines", "dropping lines"])
@pytest.mark.parametrize("seed", [1, 2])
def test_five_hundred_events_with_churn_are_followed(seed, drop_s, granted, loses_ends):
    driver = Driver(
        seed=seed, granted=granted, live=500, churn_s=1.0, drop_s=drop_s, loses_ends=loses_ends, max_connections=90
    )
    steps = 0
    for until_s in range(120, 1200, 5):
        steps += driver.run(until_s)
        assert not driver.overdue(), f"held after the end at {until_s} s"
        if not drop_s:
            assert not driver.missing(grace_s=60.0), f"keys lost at {until_s} s"
    assert steps > 5000
    assert driver.gone_blind == []
    assert driver.server.most <= 40
    if granted is grants_40:
        assert driver.refusals == 0, "the plan asks for no more than 40"
    # When lines drop no more, nothing is missing.
    driver.drop_s = 1e9
    driver.run(1400)
    assert driver.missing(grace_s=60.0) == set()
    for plan in driver.plans:
        assert not plan.unplaced
        for line in plan.lines:
            parsed = [key for topic in plan.keys_of(line) if (key := keys.parse(topic)) is not None]
            assert len(parsed) == len(plan.keys_of(line))
            assert {(key.offering, key.language) for key in parsed} <= {("kambi", "en"), ("kambi", None)}


def test_what_finds_no_room_is_placed_when_there_is_some():
    driver = Driver(seed=3, granted=grants_40, live=500, churn_s=1.0, drop_s=0.0, loses_ends=False, max_connections=24)
    driver.run(300)
    for plan in driver.plans:
        assert list(plan.coverage.values()).count("full") == 5 * 20
        assert list(plan.coverage.values()).count("main") == len(plan.unplaced) > 0
    driver.churn_s = 1e9
    for event in list(driver.live)[:150]:
        del driver.live[event]
    driver.run(400)
    assert driver.missing(grace_s=60.0) == set()
