"""Health of lines and feeds: what each says, since when, and what outranks what."""

import pytest

from schemas.fastpath.codes import Count
from tests.core.driver import Output
from tests.core.fastpath.raw import (
    FEED,
    FIXTURE,
    START_NS,
    TENNIS,
    Line,
    Partition,
    Task,
    action,
    collection,
    findings,
    healths,
    heartbeat,
    line_healths,
    ns,
    status,
    values,
)


class Watched:
    """A partition that is played as it is written."""

    def __init__(self) -> None:
        self.partition = Partition()
        self.task = Task()
        self.line = self.partition.line()
        self._played = self._read = 0

    def at(self, now_s: float) -> "Watched":
        self.partition.at(now_s)
        return self

    def told(self) -> list[tuple[str, str]]:
        """Return what feeds turned to since the last call."""
        return healths(self.new())

    def new(self) -> list[Output]:
        self.task.play(self.partition.records[self._played :])
        self._played = len(self.partition.records)
        before, self._read = self._read, len(self.task.outputs)
        return self.task.outputs[before:]


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    watched.line.open()
    watched.line.say(action(1))
    assert watched.told() == [("live", "delivering")]
    return watched


def test_first_record_of_a_feed_says_all(watched: Watched):
    first = [output for output in watched.task.outputs if output.topic == "fastpath.health"]
    assert [output.key.decode() for output in first] == [f"line/{FEED}", f"feed/{FEED}"]
    line, feed = values(first, "health")
    assert line == {
        "line": FEED,
        "feed": FEED,
        "state": "live",
        "reason": "opened",
        "since_ns": START_NS,
        "connection": f"{FEED}-1",
    }
    assert feed == {
        "feed": FEED,
        "fixture_id": FIXTURE,
        "state": "live",
        "reason": "delivering",
        "since_ns": START_NS,
        "open_lines": 1,
    }


# Lines.


def test_only_line_down_is_a_feed_down_and_the_next_connect_ends_it(watched: Watched):
    watched.at(10).line.close("liveness", 1001)
    assert watched.told() == [("down", "liveness")]
    watched.at(12).line.open(1, "reconnect")
    assert watched.told() == [("live", "delivering")]
    assert line_healths(watched.task.outputs) == [("live", "opened"), ("down", "liveness"), ("live", "reconnected")]


def test_one_of_two_lines_down_leaves_the_feed_live(watched: Watched):
    standby = watched.partition.line(replica="b")
    standby.open()
    watched.line.close()
    assert watched.told() == []
    watched.at(1)
    standby.close("liveness", 1001)
    assert watched.told() == [("down", "liveness")]  # as the one that was the last to go
    watched.at(2).line.open(0)
    standby.open(0)
    watched.at(3)
    standby.close("liveness", 1001)
    watched.at(4).line.close()
    assert watched.told() == [("live", "delivering"), ("down", "closed")]


def test_connector_that_died_without_a_word_shows_with_the_next_opening(watched: Watched):
    watched.at(40).line.say(status("Delayed", 40))
    watched.at(100).line.open(1)
    new = watched.new()
    assert line_healths(new) == [("down", "died"), ("live", "reconnected")]
    died, live = [value for value in values(new, "health") if "fixture_id" not in value]
    assert (died["connection"], died["since_ns"]) == (f"{FEED}-1", START_NS + ns(40))
    assert (live["previous_connection"], live["previous_frame"]) == (f"{FEED}-1", 2)
    watched.line.say(action(2, 50))
    state = values(watched.new(), "actions")[0]["connection_state"]
    assert state == {"state": "unknown", "since_ns": START_NS + ns(40)}  # nobody listened meanwhile


def test_connector_that_is_dead_shows_when_others_go_on(watched: Watched):
    other = watched.partition.line(TENNIS)
    other.open()
    for second in range(1, 70):
        watched.at(second)
        other.tick()
    assert watched.told() == [("live", "delivering"), ("down", "silent")]
    watched.at(80).line.tick()
    assert watched.told() == [("live", "delivering")]
    assert line_healths(watched.task.outputs)[-2:] == [("down", "silent"), ("live", "resumed")]


def test_jump_of_the_time_is_nobodys_silence(watched: Watched):
    """All of it stood still, e.g. the broker: no line was silent while others went on."""
    standby = watched.partition.line(replica="b")
    standby.open()
    watched.new()
    watched.at(3_000).line.tick()
    standby.tick()
    assert watched.new() == []


def test_line_on_which_the_vendor_is_silent_is_suspect_while_the_other_delivers(watched: Watched):
    standby = watched.partition.line(replica="b")
    standby.open()
    for second in range(1, 60):
        watched.at(second)
        watched.line.tick()
        standby.tick()
        if second % 10 == 0:
            standby.say(heartbeat(second))
    assert watched.told() == [("suspect", "line-silent")]
    watched.line.say(heartbeat(60))
    assert watched.told() == [("live", "delivering")]
    assert line_healths(watched.task.outputs) == [
        ("live", "opened"),
        ("live", "opened"),
        ("suspect", "silent"),
        ("live", "resumed"),
    ]


def test_two_lines_both_silent_are_no_worse_than_one(watched: Watched):
    standby = watched.partition.line(replica="b")
    standby.open()
    for second in range(1, 100):
        watched.at(second)
        watched.line.tick()
        standby.tick()
    assert watched.told() == []


@pytest.mark.parametrize(
    ("reason", "code", "told"),
    [
        ("unauthorised", 401, "unauthorised"),
        ("not-started", 204, "not-started"),
        ("unknown-fixture", 404, "unknown-fixture"),
        ("Going away, see you", 1001, "closed"),
        ("", 1000, "closed"),
    ],
)
def test_refusal_of_a_line_that_never_opened_is_a_feed_down(reason: str, code: int, told: str):
    watched = Watched()
    watched.line.refuse(reason, code)
    new = watched.new()
    assert healths(new) == [("down", told)]
    line = values(new, "health")[0]
    assert (line["state"], line["reason"], line["close_code"], line["close_reason"]) == ("down", told, code, reason)


def test_end_of_an_older_connection_told_late_closes_nothing(watched: Watched):
    older = Line(watched.partition, FEED, FEED, connects=1, number=1, position=0)
    watched.line.open(1)
    watched.told()
    older.close()
    assert watched.new() == []
    assert watched.task.counts[Count.LATE_CONTROL] == 1


def test_opening_that_is_lost_is_made_up_by_the_first_record():
    watched = Watched()
    watched.line.connects = 1
    watched.at(100).line.say(action(1, 0), action(2, 100))
    new = watched.new()
    assert line_healths(new) == [("live", "opened")]
    assert [value["delivery"] for value in values(new, "actions")] == ["replayed", "live"]


def test_tick_that_says_not_open_makes_up_for_a_lost_closed(watched: Watched):
    watched.line.tick(is_open=False)
    assert watched.told() == [("down", "closed")]
    watched.line.tick(is_open=False)
    assert watched.new() == []


@pytest.mark.parametrize("how", ["hole", "overflow"])
def test_our_own_loss_is_on_record_and_told_apart_from_the_vendors(watched: Watched, how: str):
    if how == "hole":
        watched.line.lose(1)
    else:
        watched.line.overflow(1)
    watched.line.say(action(3))
    new = watched.new()
    gaps = [value for value in values(new, "health") if value["state"] == "gapped"]
    assert (how, 2, 2, True) in [
        (value["reason"], value["first_frame"], value["last_frame"], value["ours"]) for value in gaps
    ]
    assert line_healths(new)[-1] == ("live", "resumed")
    keys = [output.key.decode() for output in new if output.topic == "fastpath.health"]
    assert keys[0].startswith(f"line/{FEED}@")
    watched.at(2).line.tick()
    suspected = values(watched.new(), "sequence")
    assert [(value["finding"], value.get("ours")) for value in suspected] == [("gap_suspected", True)]


def test_loss_of_the_vendor_is_not_ours(watched: Watched):
    watched.line.lose(1)  # before the packets around the gap
    watched.line.say(action(2), action(4))
    watched.at(2).line.tick()
    assert [value.get("ours") for value in values(watched.new(), "sequence")] == [None]


# Feeds.


def test_suspension_and_its_backfill(watched: Watched):
    watched.line.say(collection(2, 3))
    assert watched.told() == [("suspended", "collection-suspended")]
    watched.at(60).line.say(collection(3, 1, 60), *[action(n, 10, delayStatus="DELAYED") for n in (4, 5)])
    assert watched.told() == [("live", "delivering"), ("backfilling", "late-burst")]
    watched.at(90).line.tick()
    assert watched.told() == []
    watched.at(91).line.tick()
    assert watched.told() == [("live", "delivering")]
    assert [value["delivery"] for value in values(watched.task.outputs, "actions")] == ["live"] * 3 + ["late_burst"] * 2


def test_dropped_collection_is_down(watched: Watched):
    watched.line.say(collection(2, 4))
    assert watched.told() == [("down", "collection-dropped")]


def test_suspension_that_was_repaired_into_the_past_changes_nothing(watched: Watched):
    watched.line.say(action(3))
    watched.at(2).line.tick()
    watched.at(3).line.say(collection(2, 3))
    assert watched.told() == [("repairing", "repair-asked"), ("live", "delivering")]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("Disconnected", ("stale", "upstream-disconnected")),
        ("Delayed", ("suspect", "upstream-doubtful")),
        ("Unstable", ("suspect", "upstream-doubtful")),
        ("PartiallyDisconnected", ("suspect", "upstream-doubtful")),
        ("Something new", ("suspect", "upstream-doubtful")),
    ],
)
def test_upstream(watched: Watched, state: str, told: tuple[str, str]):
    watched.at(40).line.say(status(state, 40))
    assert watched.told() == [told]
    health = values(watched.task.outputs, "health")[-1]
    assert (health["vendor_state"], health["vendor_time"]) == (state, status("", 40)["timestamp"])
    watched.at(50).line.say(status("Connected", 50))
    assert watched.told() == [("live", "delivering")]


def test_repair_is_on_record_from_the_asking_to_the_end(watched: Watched):
    watched.line.say(action(3))
    watched.at(2).line.tick()
    assert watched.told() == [("repairing", "repair-asked")]
    watched.line.close("repair", 1000)
    watched.line.open(0, "repair")
    assert watched.told() == [("down", "repair"), ("repairing", "repair-asked")]
    watched.line.say(action(1), action(2))
    assert watched.told() == [("live", "delivering")]


def test_what_is_not_repairable_is_told_and_left(watched: Watched):
    watched.line.say(action(3))
    watched.at(2).line.tick()
    watched.at(40).line.tick()
    watched.at(80).line.tick()
    new = watched.new()
    assert findings(new)[-1] == "not_repairable"
    assert healths(new) == [("repairing", "repair-asked"), ("live", "delivering")]


def test_worst_comes_first(watched: Watched):
    """All that can be wrong at once, taken away one by one."""
    line = watched.line
    watched.at(10)
    line.say(action(3, 10, delayStatus="DELAYED"), status("Disconnected", 10))
    watched.at(12).line.tick()  # gives up number 2, asks for a repair
    assert watched.told() == [("backfilling", "late-burst"), ("stale", "upstream-disconnected")]
    line.say(collection(4, 3, 9))
    assert watched.told() == [("suspended", "collection-suspended")]
    line.close()
    assert watched.told() == [("down", "closed")]
    line.open(0)
    assert watched.told() == [("suspended", "collection-suspended")]
    line.say(status("Disconnected", 10))
    line.say(action(1), action(3, 10, delayStatus="DELAYED"), collection(4, 3, 9), collection(5, 1, 9))
    assert watched.told() == [("stale", "upstream-disconnected")]
    line.say(status("Unstable", 12))
    assert watched.told() == [("repairing", "repair-asked")]
    line.say(action(2, 5))
    assert watched.told() == [("backfilling", "late-burst")]
    watched.at(41).line.tick()
    assert watched.told() == [("suspect", "upstream-doubtful")]
    line.say(status("Connected", 41))
    assert watched.told() == [("live", "delivering")]


def test_feed_of_a_line_long_closed_is_forgotten(watched: Watched):
    watched.line.close("finished", 1000)
    watched.told()
    other = watched.partition.line(TENNIS)
    watched.at(40 * 3600)
    other.open()
    watched.at(40 * 3600 + 1)
    other.tick()
    watched.new()
    assert not [key for key in watched.task.store.entries if FEED.encode() in key]
    assert watched.task.tombstones == [
        ("fastpath.health", f"line/{FEED}".encode()),
        ("fastpath.health", f"feed/{FEED}".encode()),
        ("fastpath.connections", FEED.encode()),
    ]
