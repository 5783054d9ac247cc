"""Replays of Kambi's dead letters: what is newer than all that is out goes out, once; everything else is refused."""

import json
from collections import Counter
from typing import Any

import pytest

from processors.core.kambi.processor import KambiProcessor
from processors.core.kambi.settled import PER_SLOT, SLOTS, note_settled, settled_ms
from schemas.raw import Kind, RawHeaders
from tests.core.driver import DictStore, Record
from tests.core.kambi.frames import frame
from tests.core.kambi.tasks import EVENT, OFFER, ONE, START_MS, TWO, added, gone, message, odds, removed, score, status
from tests.dlq.bench import Bench, everything

TOPIC = "t.kambi.raw"
T = START_MS
NAN = '{"t":"1790000000900","mt":11,"boou":NaN}'


class Kambi(Bench):
    """A task of one shard, told by one line."""

    def __init__(self) -> None:
        super().__init__(KambiProcessor(), TOPIC)
        self.frames = Counter[str]()

    def say(self, *children: str, at_ms: int = T + 1000, line: str = "kambi-0-events-0") -> list[dict[str, Any]]:
        return [out.said for out in self.feed([self.record(frame(*children), "frame", at_ms, line)])]

    def record(self, value: bytes, kind: Kind, at_ms: int, line: str = "kambi-0-events-0") -> Record:
        self.frames[line] += 1
        stamps = RawHeaders(
            feed="kambi",
            line=line,
            connection=f"of {line}",
            frame=self.frames[line],
            received_ns=at_ms * 1_000_000,
            kind=kind,
        )
        return Record(offset=0, value=value, headers=stamps.to_kafka(), timestamp=at_ms)

    def fail(self, *children: str, at_ms: int = T + 1000) -> None:
        """Have a frame fail by a bug, and mend it."""
        self.planted.bugs = {b"2["}
        assert not self.say(*children, at_ms=at_ms)
        self.planted.bugs = set()


@pytest.fixture
def kambi() -> Kambi:
    made = Kambi()
    made.say(added(T, (ONE, 1500), (TWO, 2500)))
    return made


def test_a_mended_bug_brings_the_record_with_its_own_id_and_times_and_a_mark(kambi: Kambi):
    kambi.fail(odds(T + 10, (ONE, 1600)), status(T + 11), at_ms=T + 1500)
    (letter,) = kambi.letters
    kambi.say(score(T + 5000, "1", "0"), at_ms=T + 6000)
    outs = kambi.replay(letter)
    assert [(out.header("ce_id"), out.header("ce_replayed")) for out in outs] == [
        (f"{TOPIC}/0/1/0", f"{TOPIC}/0/3"),
        (f"{TOPIC}/0/1/1", f"{TOPIC}/0/3"),
    ]
    assert [(out.timestamp, out.header("ce_tcreceived"), out.key) for out in outs] == [
        (T + 1500, str((T + 1500) * 1_000_000), str(EVENT).encode())
    ] * 2
    assert outs[0].said["outcomes"] == [{"id": ONE, "odds_thousandths": 1600}]
    assert not any("late" in out.said for out in outs)
    assert kambi.letters == [letter]


def test_a_second_request_of_a_letter_is_refused(kambi: Kambi):
    kambi.fail(odds(T + 10, (ONE, 1600)))
    assert kambi.replay(kambi.letters[0])
    assert not kambi.replay(kambi.letters[0])
    assert kambi.letters[1].detail == "t.kambi.dead-letters/0/0 was replayed before"
    assert kambi.fields()[1] == ("kambi.replay-refused", f"{TOPIC}/0/1", 1)


def test_a_bug_that_is_there_still_makes_a_letter_that_counts(kambi: Kambi):
    kambi.fail(odds(T + 10, (ONE, 1600)))
    kambi.planted.bugs = {b"2["}
    before = everything(kambi.task)
    assert not kambi.replay(kambi.letters[0])
    assert everything(kambi.task) == before
    assert not kambi.replay(kambi.letters[1])
    kambi.planted.bugs = set()
    assert kambi.fields() == [("processor-error", f"{TOPIC}/0/1", attempt) for attempt in (0, 1, 2)]
    assert kambi.letters[1].replay_of == "t.kambi.dead-letters/0/0"
    assert not kambi.replay(kambi.letters[0])
    assert kambi.replay(kambi.letters[2])


REFUSED = {
    "odds": (odds(T + 10, (ONE, 1600)), odds(T + 20, (ONE, 1700))),
    "odds of the same time": (odds(T + 10, (ONE, 1600)), odds(T + 10, (ONE, 1700))),
    "a whole offer whose outcome is newer": (added(T + 10, (ONE, 1600)), odds(T + 20, (ONE, 1700))),
    "a removal whose outcome is newer": (removed(T + 10), odds(T + 20, (ONE, 1700))),
    "a removed event with newer odds": (gone(T + 10), odds(T + 20, (ONE, 1700))),
    "a suspension of all with a newer status of one": (
        message(9, "bos", {"eventId": EVENT}, T + 10),
        status(T + 20, suspended=False),
    ),
    "a score by its version": (score(T + 30, "1", "0", 7), score(T + 20, "2", "0", 8)),
    "odds of a removed offer": (odds(T + 10, (ONE, 1600)), removed(T + 20)),
    "odds of a removed event": (odds(T + 10, (ONE, 1600)), gone(T + 20)),
    "a settlement": (
        message(24, "os", {"outcomes": [{"id": ONE, "status": "WON"}]}, T + 10),
        message(24, "os", {"outcomes": [{"id": ONE, "status": "LOST"}]}, T + 20),
    ),
}


@pytest.mark.parametrize(("failed", "newer"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_newer_than_what_is_out_is_refused(kambi: Kambi, failed: str, newer: str):
    kambi.fail(failed)
    assert kambi.say(newer)
    before = everything(kambi.task)
    assert not kambi.replay(kambi.letters[0])
    assert kambi.fields()[1] == ("kambi.replay-refused", f"{TOPIC}/0/1/0", 1)
    assert everything(kambi.task) == before
    assert not kambi.replay(kambi.letters[1])
    assert kambi.letters[2].detail == "it was refused as a replay"


@pytest.mark.parametrize("failed", [failed for name, (failed, _) in REFUSED.items()], ids=REFUSED)
def test_without_anything_newer_it_goes_out(kambi: Kambi, failed: str):
    kambi.fail(failed)
    first, *told_with_it = kambi.replay(kambi.letters[0])
    assert [out.header("ce_id").startswith(first.header("ce_id") + "/") for out in told_with_it] in ([], [True, True])


def test_outcomes_that_are_newer_are_left_out(kambi: Kambi):
    kambi.fail(odds(T + 10, (ONE, 1600), (TWO, 2600)))
    kambi.say(odds(T + 20, (ONE, 1700)))
    (out,) = kambi.replay(kambi.letters[0])
    assert out.said["outcomes"] == [{"id": TWO, "odds_thousandths": 2600}]


def test_two_facts_of_one_time_in_one_frame_do_not_refuse_each_other(kambi: Kambi):
    kambi.fail(odds(T + 10, (ONE, 1600)), odds(T + 10, (ONE, 1700)), odds(T + 10, (ONE, 1600)))
    outs = kambi.replay(kambi.letters[0])
    assert [out.said["outcomes"][0]["odds_thousandths"] for out in outs] == [1600, 1700, 1600]


def test_the_copy_of_what_is_out_by_another_line_is_refused(kambi: Kambi):
    kambi.fail(odds(T + 10, (ONE, 1600)))
    kambi.say(odds(T + 10, (ONE, 1600)), line="kambi-0-general")
    assert not kambi.replay(kambi.letters[0])
    assert f"something of {T + 10} is out" in kambi.letters[1].detail


@pytest.mark.parametrize(("age_s", "comes"), [(100, 1), (300, 0)])
def test_what_nothing_is_known_of_is_refused_when_it_may_be_forgotten(age_s: int, comes: int):
    kambi = Kambi()
    kambi.fail(odds(T, (ONE, 1600)))
    kambi.say(odds(T + age_s * 1000, (ONE, 1700), offer=OFFER + 1, event=EVENT + 1), at_ms=T + 1000 + age_s * 1000)
    assert len(kambi.replay(kambi.letters[0])) == comes


def test_a_child_alone_keeps_its_index_and_what_it_brings_beside_that_gets_ids_of_its_own(kambi: Kambi):
    kambi.say(status(T + 10), NAN, status(T + 20, suspended=False))
    (letter,) = kambi.letters
    assert (letter.code, str(letter.source)) == ("kambi.child-not-json", f"{TOPIC}/0/1/1")
    other = json.dumps(
        {
            "t": str(T + 30),
            "mt": 11,
            "boou": {
                "eventId": EVENT,
                "outcomes": [
                    {"id": ONE, "betOfferId": OFFER, "odds": 1600},
                    {"id": 7, "betOfferId": OFFER + 1, "odds": 1900},
                ],
            },
        }
    )
    outs = kambi.feed([kambi.request(letter, value=other.encode())])
    assert [out.header("ce_id") for out in outs] == [f"{TOPIC}/0/1/1", f"{TOPIC}/0/1/1/1"]


def test_bytes_that_are_still_bad_are_a_letter_of_the_same_part(kambi: Kambi):
    kambi.say(status(T + 10), NAN)
    assert not kambi.replay(kambi.letters[0])
    assert kambi.fields() == [("kambi.child-not-json", f"{TOPIC}/0/1/1", attempt) for attempt in (0, 1)]


def test_a_replay_is_nothing_to_lines_time_and_health(kambi: Kambi):
    kambi.fail(odds(T + 10, (ONE, 1600)), gone(T + 11, EVENT + 7), at_ms=T + 1500)
    before = everything(kambi.task)
    lines, time_ns = list(kambi.task.repeats.take_changes()), kambi.task.stream_time_ns
    outs = kambi.replay(kambi.letters[0])
    assert {out.topic for out in outs} == {"kambi.offers", "kambi.events", "kambi.scores"}
    changed = {key[:1] for key, value in everything(kambi.task).items() if before.get(key) != value}
    assert changed <= {b"o", b"e", b"m", b"f"}, "the book and the facts, nothing else"
    assert lines
    assert not list(kambi.task.repeats.take_changes())
    assert kambi.task.stream_time_ns == time_ns
    assert (kambi.task.counts.repeats, kambi.task.counts.holes) == (0, 0)


def test_the_log_with_its_replays_gives_the_same_bytes_again(kambi: Kambi):
    kambi.say(status(T + 10), NAN)
    kambi.replay(kambi.letters[0])
    kambi.replay(kambi.letters[0])
    first = kambi.again()
    assert first == kambi.again()
    codes = ["", "", "kambi.child-not-json", "kambi.child-not-json", "kambi.replay-refused"]
    assert [out.header("tc-code") for out in first] == codes


def test_where_the_mended_code_reads_the_log_anew_a_replay_brings_nothing_twice(kambi: Kambi):
    kambi.fail(odds(T + 10, (ONE, 1600)))
    assert kambi.replay(kambi.letters[0])
    ids = [out.header("ce_id") for out in kambi.again() if out.topic == "kambi.offers"]
    assert len(ids) == len(set(ids)) == 2


@pytest.mark.parametrize("kind", ["opened", "closed", "tick", "overflow"])
def test_control_records_are_never_replayed(kambi: Kambi, kind: Kind):
    kambi.planted.bugs = {b"{"}
    kambi.feed([kambi.record(b"{}", kind, T + 2000)])
    kambi.planted.bugs = set()
    assert not kambi.replay(kambi.letters[0])
    assert "speaks of its own moment" in kambi.letters[1].detail


def test_snapshots_are_not_replayed(kambi: Kambi):
    kambi.feed([kambi.record(b"<html>", "snapshot", T + 2000)])
    assert not kambi.replay(kambi.letters[0])
    assert kambi.letters[1].code == "kambi.replay-refused"


def test_the_table_of_settlements_is_bounded_and_never_forgets_that_something_newer_was_out():
    store = DictStore()
    same_slot = [number * SLOTS for number in range(PER_SLOT + 2)]
    for order, outcome in enumerate(same_slot, 1):
        note_settled(outcome, order, store)
    assert len(store.entries) == 1
    assert [settled_ms(outcome, store) for outcome in same_slot] == [2, 2, *range(3, PER_SLOT + 3)]
    assert settled_ms(1, store) is None


def test_a_loss_that_could_not_be_told_is_no_letter_of_the_record_that_showed_it(kambi: Kambi):
    kambi.planted.fails_on_holes = True
    kambi.frames["kambi-0-events-0"] += 1
    assert kambi.say(odds(T + 10, (ONE, 1600)))
    kambi.planted.fails_on_holes = False
    assert kambi.fields() == [("hole-error", f"{TOPIC}/0/1", 0)]
    assert not kambi.replay(kambi.letters[0])
    assert kambi.letters[1].code == "kambi.replay-refused"
