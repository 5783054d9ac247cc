"""Replays of FastPath's dead letters: behind the last number of the fixture, or refused."""

from typing import Any

import pytest

from processors.core.fastpath.account.judge import MAX_JUMP
from processors.core.fastpath.processor import FastpathProcessor
from tests.core.fastpath.raw import FIXTURE, Partition, heartbeat, status
from tests.dlq.bench import Bench, Out, everything

TOPIC = "t.fastpath.raw"


def action(number: int | None) -> dict[str, Any]:
    named = {} if number is None else {"fixtureSeqNum": number}
    return {"fixtureAction": {"actionId": f"a-{number}", "sendType": "Pending", "sendTypeId": 1, **named}}


class Fastpath(Bench):
    """A task with one line of one feed."""

    def __init__(self) -> None:
        super().__init__(FastpathProcessor(), TOPIC)
        self.source = Partition()
        self.line = self.source.line()
        self.fed = 0
        self.line.open()

    def go(self) -> list[Out]:
        """Process what the line wrote since the last time."""
        records, self.fed = self.source.records[self.fed :], len(self.source.records)
        return self.feed(records)

    def say(self, *numbers: int | None) -> list[int]:
        self.line.say(*map(action, numbers))
        return sequences(self.go())

    def fail(self, *numbers: int | None) -> None:
        self.planted.bugs = {b"fixtureAction"}
        assert not self.say(*numbers)
        self.planted.bugs = set()


def sequences(outs: list[Out]) -> list[int]:
    return [out.said["sequence"] for out in outs if out.topic == "fastpath.actions"]


def findings(outs: list[Out]) -> list[tuple[str, int, int]]:
    return [(out.said["finding"], out.said["first"], out.said["last"]) for out in outs if "finding" in out.said]


@pytest.fixture
def fastpath() -> Fastpath:
    made = Fastpath()
    made.say(1, 2)
    return made


def test_the_packets_of_a_mended_bug_go_out_in_order_with_their_own_ids_and_a_mark(fastpath: Fastpath):
    fastpath.fail(3, 4)
    first = len(fastpath.raw)
    outs = [out for letter in list(fastpath.letters) for out in fastpath.replay(letter)]
    assert sequences(outs) == [3, 4]
    assert [(out.header("ce_id"), out.header("ce_replayed")) for out in outs] == [
        (f"{TOPIC}/0/3/0", f"{TOPIC}/0/{first}"),
        (f"{TOPIC}/0/4/0", f"{TOPIC}/0/{first + 1}"),
    ]
    assert fastpath.say(4, 5) == [5], "the account knows what was replayed"


def test_a_later_number_that_is_out_refuses(fastpath: Fastpath):
    fastpath.fail(3)
    fastpath.source.at(5)
    fastpath.line.tick()
    fastpath.say(4)
    fastpath.source.at(10)
    fastpath.line.tick()
    fastpath.go()
    before = everything(fastpath.task)
    assert not fastpath.replay(fastpath.letters[0])
    assert fastpath.letters[1].code == "fastpath.replay-refused"
    assert "number 4 is out, this is 3" in fastpath.letters[1].detail
    assert everything(fastpath.task) == before


def test_the_same_packet_by_another_line_refuses(fastpath: Fastpath):
    fastpath.fail(3)
    fastpath.say(3)
    assert not fastpath.replay(fastpath.letters[0])
    assert "number 3 is out" in fastpath.letters[1].detail


def test_numbers_that_were_skipped_are_on_record_and_nobody_is_asked_for_them(fastpath: Fastpath):
    fastpath.fail(3, 4, 5)
    outs = fastpath.replay(fastpath.letters[2])
    assert sequences(outs) == [5]
    assert findings(outs) == [("not_repairable", 3, 4)]
    assert {out.header("ce_replayed") for out in outs} == {f"{TOPIC}/0/6"}
    assert len({out.header("ce_id") for out in outs}) == 2
    assert not fastpath.replay(fastpath.letters[0])


def test_a_number_far_beyond_is_refused(fastpath: Fastpath):
    fastpath.fail(2 + MAX_JUMP + 1)
    assert not fastpath.replay(fastpath.letters[0])
    assert "implausible" in fastpath.letters[1].detail


def test_behind_a_gap_it_waits_and_goes_out_with_its_mark(fastpath: Fastpath):
    fastpath.fail(5)
    assert fastpath.say(4) == []
    assert fastpath.replay(fastpath.letters[0]) == []
    assert len(fastpath.letters) == 1, "it waits; nothing refused it"
    request = len(fastpath.raw) - 1
    fastpath.line.say(action(3))
    outs = [out for out in fastpath.go() if out.topic == "fastpath.actions"]
    assert sequences(outs) == [3, 4, 5]
    assert [out.header("ce_replayed") for out in outs] == ["", "", f"{TOPIC}/0/{request}"]


def test_of_a_fixture_that_nothing_came_of_the_replays_begin_the_account():
    fastpath = Fastpath()
    fastpath.fail(7, 8)
    outs = [out for letter in list(fastpath.letters) for out in fastpath.replay(letter)]
    assert (findings(outs), sequences(outs)) == ([("baseline", 7, 7)], [7, 8])
    assert fastpath.say(9) == [9]


@pytest.fixture
def begun() -> Fastpath:
    """Return a task whose only account was begun by a replay, of number 7."""
    made = Fastpath()
    made.fail(7)
    assert sequences(made.replay(made.letters[0])) == [7]
    return made


def test_an_account_that_a_replay_began_knows_its_first_number(begun: Fastpath):
    begun.line.say(action(7))
    assert begun.go() == [], "a copy, nothing to tell"


def test_an_account_that_a_replay_began_is_there_after_a_restart(begun: Fastpath):
    begun.task.memory.clear()
    begun.line.say(action(8))
    outs = begun.go()
    assert (findings(outs), sequences(outs)) == ([], [8]), "no baseline once more"


def test_an_account_that_a_replay_began_is_forgotten_in_its_time(begun: Fastpath):
    assert numbers(begun)
    begun.source.at(40 * 3600)
    begun.line.tick()
    begun.go()
    assert not numbers(begun)


def numbers(fastpath: Fastpath) -> list[bytes]:
    """Return the store keys of numbers that accounts know."""
    return [key for key in everything(fastpath.task) if key.startswith(b"n")]


def test_a_packet_of_before_a_restart_keeps_the_numbers_of_its_connection(fastpath: Fastpath):
    fastpath.fail(3)
    fastpath.line.close()
    fastpath.line.open()
    fastpath.line.say({"fixtureAction": {"fixtureSeqNum": 1, "actionId": "anew", "sendType": "Pending"}})
    assert findings(fastpath.go()) == [("restarted", 3, 3)]
    assert not fastpath.replay(fastpath.letters[0])
    assert "number 3 is out" in fastpath.letters[1].detail


def test_of_a_fixture_that_is_forgotten_nothing_is_replayed():
    fastpath = Fastpath()
    fastpath.fail(7)
    fastpath.source.at(37 * 3600)
    fastpath.line.tick()
    fastpath.go()
    assert not fastpath.replay(fastpath.letters[0])
    assert f"fixture {FIXTURE}: nothing is known of it" in fastpath.letters[1].detail


@pytest.mark.parametrize("later", [False, True])
def test_a_packet_without_number_goes_out_where_nothing_came_later(fastpath: Fastpath, later: bool):
    fastpath.fail(None)
    if later:
        fastpath.source.at(2)
        fastpath.say(3)
    assert len(fastpath.replay(fastpath.letters[0])) == (not later)


SAYS_NOTHING_NOW = {
    "of the collector": (status("Disconnected"), "what the vendor said of its collector at that time has passed"),
    "a heartbeat": (heartbeat(), "nothing comes of it: fastpath.heartbeat"),
}


@pytest.mark.parametrize(("packet", "why"), SAYS_NOTHING_NOW.values(), ids=SAYS_NOTHING_NOW)
def test_what_says_nothing_of_a_match_is_not_replayed(fastpath: Fastpath, packet: dict[str, Any], why: str):
    fastpath.planted.bugs = {b'"'}
    fastpath.line.say(packet)
    fastpath.go()
    fastpath.planted.bugs = set()
    before = everything(fastpath.task)
    assert not fastpath.replay(fastpath.letters[0])
    assert [letter.detail for letter in fastpath.letters[1:]] == [why]
    assert everything(fastpath.task) == before


def test_a_replay_is_nothing_to_lines_time_and_health(fastpath: Fastpath):
    fastpath.fail(3)
    before, time_ns = everything(fastpath.task), fastpath.task.stream_time_ns
    list(fastpath.task.repeats.take_changes())
    outs = fastpath.replay(fastpath.letters[0])
    assert {out.topic for out in outs} == {"fastpath.actions"}
    changed = {key[:1] for key, value in everything(fastpath.task).items() if before.get(key) != value}
    assert changed == {b"a", b"n"}, "the account, nothing else"
    assert not list(fastpath.task.repeats.take_changes())
    assert fastpath.task.stream_time_ns == time_ns


def test_the_log_with_its_replays_gives_the_same_bytes_again(fastpath: Fastpath):
    fastpath.fail(3, 4)
    fastpath.replay(fastpath.letters[1])
    first = fastpath.again()
    assert first == fastpath.again()
    # The code is mended now: the packets go out as they come, and the request brings nothing more.
    assert sequences([out for out in first if out.topic == "fastpath.actions"]) == [1, 2, 3, 4]
