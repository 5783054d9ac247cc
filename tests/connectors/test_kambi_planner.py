"""The planner against a server that grants what it grants: a model checked after every step of any history."""

from functools import cache

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from connectors.kambi import keys
from connectors.kambi.planner import Planner, Subscribe, Unsubscribe

EVENTS = st.integers(1, 30)


def planner(max_keys=40, max_connections=50, *, extended=False, replica=""):
    return Planner(
        offering="kambi",
        language="en",
        extended=extended,
        shard=0,
        replica=replica,
        max_keys=max_keys,
        max_lines=max_connections - 1,
    )


@cache
def pair(event):
    return keys.event_pair("kambi", "en", event)


def test_general_keys_have_a_line_of_their_own():
    plan = planner()
    assert plan.general_line == "kambi-0-general"
    assert plan.keys_of("kambi-0-general") == ("v2018.kambi.en.ev.json", "v2018.kambi.ev.json")
    assert plan.want([7]) == [Subscribe(line="kambi-0-events-0", keys=pair(7))]


def test_twenty_pairs_fill_a_line_and_the_next_event_opens_another():
    plan = planner()
    lines = [action.line for action in plan.want(range(1, 42))]
    assert [lines.count(f"kambi-0-events-{number}") for number in range(3)] == [20, 20, 1]


def test_a_new_event_takes_its_place_before_an_old_one_leaves():
    plan = planner()
    plan.want(range(20))
    assert plan.want(range(1, 21)) == [
        Subscribe(line="kambi-0-events-1", keys=pair(20)),
        Unsubscribe(line="kambi-0-events-0", keys=pair(0)),
    ]


def test_without_room_the_old_one_leaves_first_and_its_place_is_used_again():
    plan = planner(max_keys=4, max_connections=2)
    plan.want([1, 2])
    assert plan.want([2, 3]) == [
        Unsubscribe(line="kambi-0-events-0", keys=pair(1)),
        Subscribe(line="kambi-0-events-0", keys=pair(3)),
    ]


def test_events_past_all_room_wait_for_it():
    plan = planner(max_keys=4, max_connections=2)
    plan.want([1, 2, 3, 4])
    assert plan.unplaced == (3, 4)
    assert plan.coverage == {1: "full", 2: "full", 3: "main", 4: "main"}
    assert plan.want([2, 3, 4]) == [
        Unsubscribe(line="kambi-0-events-0", keys=pair(1)),
        Subscribe(line="kambi-0-events-0", keys=pair(3)),
    ]
    assert plan.unplaced == (4,)


def test_a_refused_key_moves_its_pair_and_the_old_place_is_kept_until_the_new_one_is_emitted():
    plan = planner(max_keys=6)
    plan.want([1, 2, 3])
    assert plan.refused("kambi-0-events-0", pair(3)[1]) == [Subscribe(line="kambi-0-events-1", keys=pair(3))]
    assert plan.keys_of("kambi-0-events-0") == (*pair(1), *pair(2), *pair(3))
    assert plan.subscribed("kambi-0-events-1", pair(2)) == []
    assert plan.subscribed("kambi-0-events-1", pair(3)) == [Unsubscribe(line="kambi-0-events-0", keys=pair(3))]
    assert plan.subscribed("kambi-0-events-1", pair(3)) == []
    # The line has learned its limit, until it connects again.
    assert plan.want([1, 2, 3, 4]) == [Subscribe(line="kambi-0-events-1", keys=pair(4))]
    plan.connected("kambi-0-events-0")
    assert plan.want([1, 2, 3, 4, 5])[0].line in {"kambi-0-events-0", "kambi-0-events-1"}


def test_a_place_that_is_being_left_is_not_given_away():
    plan = planner(max_keys=6)
    plan.want([1, 2, 3])
    plan.refused("kambi-0-events-0", pair(3)[0])
    plan.connected("kambi-0-events-0")
    assert [action.line[-1] for action in plan.want([1, 2, 3, 4, 5, 6])] == ["1", "1", "2"]
    plan.subscribed("kambi-0-events-1", pair(3))
    assert [action.line[-1] for action in plan.want([1, 2, 3, 4, 5, 6, 7, 8, 9])] == ["2", "0", "2"]


def test_a_second_refusal_of_the_same_pair_moves_nothing():
    plan = planner(max_keys=6)
    plan.want([1, 2, 3])
    plan.refused("kambi-0-events-0", pair(3)[0])
    assert plan.refused("kambi-0-events-0", pair(3)[1]) == []


def test_a_refused_foreign_key_moves_nothing():
    plan = planner()
    plan.want([1])
    foreign = ("v2018.kambi.ev.99.json", "v2018.kambi.sv.ev.1.json", "v2018.ub.ev.1.json", "nonsense", "")
    for topic in foreign:
        assert plan.refused("kambi-0-general", topic) == []
        assert plan.refused("kambi-0-events-0", topic) == []
    assert plan.refused("no-such-line", pair(1)[0]) == []
    assert plan.retry() == []


def test_a_refused_general_key_has_no_other_place_and_is_tried_again():
    plan = planner()
    neutral = "v2018.kambi.ev.json"
    assert plan.refused("kambi-0-general", neutral) == []
    assert plan.retry() == [Subscribe(line="kambi-0-general", keys=(neutral,))]
    assert plan.retry() == []
    plan.refused("kambi-0-general", neutral)
    plan.connected("kambi-0-general")  # emits it again by itself
    assert plan.retry() == []


def test_where_nothing_more_is_granted_a_little_more_is_tried_now_and_then():
    plan = planner(max_keys=6, max_connections=2)
    plan.want([1, 2, 3])
    assert plan.refused("kambi-0-events-0", pair(3)[0]) == [Unsubscribe(line="kambi-0-events-0", keys=pair(3))]
    assert plan.refused("kambi-0-events-0", pair(2)[0]) == [Unsubscribe(line="kambi-0-events-0", keys=pair(2))]
    assert plan.want([1, 2, 3]) == []
    assert plan.retry() == [Subscribe(line="kambi-0-events-0", keys=pair(2))]
    assert plan.refused("kambi-0-events-0", pair(2)[0]) == [Unsubscribe(line="kambi-0-events-0", keys=pair(2))]
    assert plan.unplaced == (2, 3)


def test_an_event_that_comes_back_to_the_place_it_is_leaving_keeps_its_keys_there():
    plan = planner(max_keys=4)
    plan.want([1, 2])
    assert plan.refused("kambi-0-events-0", pair(2)[0]) == [Subscribe(line="kambi-0-events-1", keys=pair(2))]
    plan.connected("kambi-0-events-0")
    plan.want([2])
    assert plan.refused("kambi-0-events-1", pair(2)[0]) == [Subscribe(line="kambi-0-events-0", keys=pair(2))]
    assert plan.subscribed("kambi-0-events-0", pair(2)) == [Unsubscribe(line="kambi-0-events-1", keys=pair(2))]
    assert plan.keys_of("kambi-0-events-0") == pair(2)


def test_an_event_that_has_moved_on_keeps_its_old_places_until_the_last_one_is_in_force():
    plan = planner(max_keys=2)
    plan.want([1])
    plan.refused("kambi-0-events-0", pair(1)[0])
    plan.refused("kambi-0-events-1", pair(1)[0])
    assert plan.subscribed("kambi-0-events-1", pair(1)) == []
    assert plan.subscribed("kambi-0-events-2", pair(1)) == [
        Unsubscribe(line="kambi-0-events-0", keys=pair(1)),
        Unsubscribe(line="kambi-0-events-1", keys=pair(1)),
    ]


def test_a_key_denied_for_good_leaves_the_event_to_the_general_line_until_its_line_connects_again():
    plan = planner()
    plan.want([1, 2])
    plan.denied(pair(1)[0])
    plan.denied(pair(99)[0])
    plan.denied("nonsense")
    assert plan.coverage == {1: "main", 2: "full"}
    plan.connected("kambi-0-events-0")
    assert plan.coverage == {1: "full", 2: "full"}


def test_events_given_twice_are_followed_once():
    plan = planner()
    assert plan.want([7, 7, 8, 7]) == [
        Subscribe(line="kambi-0-events-0", keys=pair(7)),
        Subscribe(line="kambi-0-events-0", keys=pair(8)),
    ]
    assert plan.want([8, 7, 8]) == []


def test_extended_keys_replace_the_general_ones_and_a_standby_has_names_of_its_own():
    plan = planner(extended=True, replica="b")
    assert plan.keys_of("kambi-0-general.b") == ("v2018.kambi.en.ext.ev.json", "v2018.kambi.ext.ev.json")
    assert plan.want([7]) == [Subscribe(line="kambi-0-events-0.b", keys=pair(7))]


class AgainstServers(RuleBasedStateMachine):
    """Lines connect, drop, are refused by servers of their own limit; the plan keeps its promises throughout."""

    @initialize(max_keys=st.integers(2, 9), connections=st.integers(1, 6), granted=st.integers(0, 9))
    def start(self, max_keys, connections, granted):
        self.max_keys, self.connections, self.granted = max_keys, connections, min(granted, max_keys)
        self.plan = planner(max_keys, connections)
        self.held = {}  # per line that is up: keys the server granted
        self.refusals = []
        self.desired = set()

    def emit(self, line, topics):
        for topic in topics:
            if topic in self.held[line]:
                continue
            if len(self.held[line]) < self.granted:
                self.held[line].add(topic)
            else:
                self.refusals.append((line, topic))

    def carry_out(self, actions):
        served = self.served()
        stay = {event for event in served if event in self.desired}
        for action in actions:
            if action.line not in self.held:
                continue
            match action:
                case Subscribe(line=line, keys=topics):
                    self.emit(line, topics)
                case Unsubscribe(line=line, keys=topics):
                    self.held[line] -= set(topics)
        return stay

    def served(self):
        every = set().union(*self.held.values()) if self.held else set()
        return {event for event in range(1, 31) if every >= set(pair(event))}

    @rule(events=st.sets(EVENTS, max_size=20))
    def want(self, events):
        self.desired = events
        stay = self.carry_out(self.plan.want(sorted(events)))
        assert stay <= self.served(), "an event still wanted lost its keys"

    def known_lines(self):
        return sorted(self.plan.lines)

    @rule(data=st.data())
    def line_connects(self, data):
        line = data.draw(st.sampled_from(self.known_lines()))
        self.refusals = [(at, topic) for at, topic in self.refusals if at != line]
        self.held[line] = set()
        self.emit(line, self.plan.keys_of(line))
        self.carry_out(self.plan.connected(line))

    @rule(data=st.data())
    def line_drops(self, data):
        if self.held:
            line = data.draw(st.sampled_from(sorted(self.held)))
            del self.held[line]
            self.refusals = [(at, topic) for at, topic in self.refusals if at != line]

    @rule(data=st.data())
    def move_is_in_force(self, data):
        line = data.draw(st.sampled_from(self.known_lines()))
        if line in self.held:
            stay = self.carry_out(self.plan.subscribed(line, self.plan.keys_of(line)))
            # While a 429 is on its way the new place may be worth nothing, and nobody can know it.
            assert self.refusals or stay <= self.served(), "a moved event lost its keys"

    @rule()
    def refusal_arrives(self):
        if self.refusals:
            self.carry_out(self.plan.refused(*self.refusals.pop(0)))

    @rule()
    def time_passes(self):
        self.carry_out(self.plan.retry())

    @invariant()
    def no_line_exceeds_the_limit(self):
        if hasattr(self, "plan"):
            assert len(self.plan.lines) <= max(1, self.connections)
            for line in self.plan.lines[1:]:
                assert len(self.plan.keys_of(line)) <= self.max_keys
                assert len(set(self.plan.keys_of(line))) == len(self.plan.keys_of(line))

    @invariant()
    def each_desired_event_has_one_place_or_waits(self):
        if hasattr(self, "plan"):
            placed = [event for line in self.plan._lines.values() for event in line.events]
            assert sorted([*placed, *self.plan.unplaced]) == sorted(self.desired)

    @invariant()
    def pairs_stay_together(self):
        if hasattr(self, "plan"):
            for line in self.plan.lines[1:]:
                topics = self.plan.keys_of(line)
                parsed = [key for topic in topics if (key := keys.parse(topic)) is not None]
                assert len(parsed) == len(topics)
                assert all({*pair(key.event)} <= {*topics} for key in parsed)


AgainstServers.TestCase.settings = settings(max_examples=150, stateful_step_count=30)
test_any_history = AgainstServers.TestCase
