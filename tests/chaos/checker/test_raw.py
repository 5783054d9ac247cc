"""Planted in a ledger or in raw: each is named, and what is right is not."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checker.books import Books
from tests.chaos.checker.building import Raw, S
from tests.chaos.checker.history import Cause, of_lines, told
from tests.chaos.checker.ledgers import entries
from tests.chaos.checker.raw import Told, judge_intervals, judge_raw
from tests.chaos.checker.record import Record
from tests.chaos.checker.verdict import Verdict

LINE = "kambi-0-general"


def packet(connection: str, n: int) -> bytes:
    return f'0{{"sid":"{connection}"}}'.encode() if n == 1 else f'2["message","[{connection}{n}]"]'.encode()


class World:
    """One line: connection a from 100 s, packets 1 to 6 each second; killed at 104.5 s; b from 108 s on."""

    def __init__(self) -> None:
        self.ledger: list[dict[str, Any]] = [{"kind": "connect", "sid": "a", "sent_ns": 100 * S}]
        self.ledger += [self.sent("a", n, 99 + n) for n in range(1, 8)]
        self.ledger += [{"kind": "disconnect", "sid": "a", "sent_ns": 107 * S}]
        self.ledger += [{"kind": "connect", "sid": "b", "sent_ns": 108 * S}]
        self.ledger += [self.sent("b", n, 107 + n) for n in range(1, 5)]
        raw = Raw("kambi")
        raw.add("opened", LINE, "A", 0, 100, {"previous_connection": None, "previous_frame": None})
        for n in range(1, 6):
            raw.add("frame", LINE, "A", n, 99.1 + n, packet("a", n))
        raw.add("opened", LINE, "B", 0, 108, {"previous_connection": "A", "previous_frame": 5})
        for n in range(1, 5):
            raw.add("frame", LINE, "B", n, 107.1 + n, packet("b", n))
        self.raw = raw.records
        self.gaps = [Told(LINE, "B", previous="A")]
        self.causes = [Cause("kambi", int(104.5 * S), 107 * S, "kill")]
        self.quiet_ns = 200 * S
        self.last_ns = 190 * S

    @staticmethod
    def sent(sid: str, n: int, at_s: float) -> dict[str, Any]:
        return {"kind": "frame", "sid": sid, "sent_ns": int(at_s * S), "n": n, "packet": packet(sid, n).decode()}

    def judged(self) -> Verdict:
        verdict, books = Verdict(), Books()
        books.take_ledger(entries(self.ledger))
        books.take_raw(self.raw, verdict)
        judge_raw("kambi", books, self.gaps, self.causes, verdict, quiet_ns=self.quiet_ns, last_ns=self.last_ns)
        return verdict


def test_a_line_that_was_killed_and_came_back_holds():
    verdict = World().judged()
    assert dict(verdict.findings) == {}
    assert verdict.counts["kambi: packets in recorded gaps"] == 2


def at(world: World, offset: int, **changes: Any) -> None:
    world.raw[offset] = replace(world.raw[offset], **changes)


def numbered(record: Record, n: int) -> dict[str, bytes]:
    return record.headers | {"tc-frame": str(n).encode()}


def altered(world: World) -> None:
    at(world, 3, value=packet("a", 3).replace(b"3", b"8"))


def lost_in_the_middle(world: World) -> None:
    del world.raw[3]


def swapped(world: World) -> None:
    world.raw[3], world.raw[4] = world.raw[4], world.raw[3]


def repeated_with_other_bytes(world: World) -> None:
    world.raw.insert(4, replace(world.raw[3], value=b"2[]"))


def opened_names_nobody(world: World) -> None:
    at(world, 6, value=b'{"previous_connection":null}')


def health_says_nothing(world: World) -> None:
    world.gaps.clear()


def wider_than_the_fault(world: World) -> None:
    # Two packets more are missing than the kill explains: sent 30 s before it.
    world.causes = [Cause("kambi", 135 * S, 136 * S, "kill")]
    world.ledger = [line if line["sent_ns"] < 107 * S else _later(line) for line in world.ledger]


def _later(line: dict[str, Any]) -> dict[str, Any]:
    return line | {"sent_ns": line["sent_ns"] + 40 * S}


def lost_after_the_last_gap(world: World) -> None:
    del world.raw[-1]


def a_connection_nobody_knows(world: World) -> None:
    world.ledger += [{"kind": "connect", "sid": "c", "sent_ns": 150 * S}, World.sent("c", 1, 150)]


def frames_nobody_sent(world: World) -> None:
    raw = Raw("kambi")
    raw.add("frame", LINE, "X", 1, 120, b"0{}")
    world.raw += raw.records


PLANTED = {
    altered: "lost",
    lost_in_the_middle: "gap-not-recorded",
    swapped: "reordered",
    repeated_with_other_bytes: "duplicated",
    opened_names_nobody: "gap-not-recorded",
    health_says_nothing: "gap-not-recorded",
    wider_than_the_fault: "gap-too-wide",
    lost_after_the_last_gap: "gap-not-recorded",
    a_connection_nobody_knows: "gap-not-recorded",
    frames_nobody_sent: "lost",
}


@pytest.mark.parametrize(("plant", "kind"), PLANTED.items(), ids=[plant.__name__ for plant in PLANTED])
def test_what_is_planted_is_named(plant, kind):
    world = World()
    plant(world)
    assert set(world.judged().found) == {kind}


@pytest.mark.parametrize(("at_s", "held"), [(50, True), (150, False)])
def test_a_greeting_is_no_loss_before_the_line_was_ever_up(at_s, held):
    world = World()
    world.ledger += [{"kind": "connect", "sid": "c", "sent_ns": at_s * S}, World.sent("c", 1, at_s)]
    assert world.judged().held is held


def test_a_repeat_with_the_same_bytes_is_legal():
    world = World()
    world.raw.insert(4, world.raw[3])
    world.raw.insert(4, world.raw[0])
    assert world.judged().held


def test_a_snapshot_may_come_twice_too():
    world, answers = World(), Raw("kambi")
    for n in (1, 2, 1, 2, 3):
        answers.add("snapshot", "kambi-0-snapshots", "S", n, 100 + n, {"n": n})
    world.raw += answers.records
    assert world.judged().held


def test_what_was_told_as_overflow_is_accounted_for():
    world = World()
    del world.raw[3]
    overflow = Raw("kambi")
    overflow.add("overflow", LINE, "A", 3, 103, {"lost": 1, "first_frame": 3, "last_frame": 3})
    world.raw.insert(3, overflow.records[0])
    assert world.judged().held


def test_an_overflow_while_nothing_was_wrong_is_too_wide():
    world = World()
    del world.raw[3]
    overflow = Raw("kambi")
    overflow.add("overflow", LINE, "A", 3, 103, {"lost": 1, "first_frame": 3, "last_frame": 3})
    world.raw.insert(3, overflow.records[0])
    world.causes = [Cause("kambi", 150 * S, 151 * S, "kill")]
    world.ledger = [line if line["sent_ns"] < 107 * S else _later(line) for line in world.ledger]
    assert "gap-too-wide" in world.judged().found


@pytest.mark.parametrize(
    ("since_s", "until_s", "kinds"),
    [(103, 109, set()), (98, 109, set()), (80, 109, {"gap-too-wide"}), (104, 150, {"gap-too-wide"})],
    ids=["as it was", "from the last sign of life", "too early", "too late"],
)
def test_a_gap_told_as_an_interval_is_no_wider_than_the_line_was_down(since_s, until_s, kinds):
    world, verdict, books = World(), Verdict(), Books()
    books.take_ledger(entries(world.ledger))
    books.take_raw(world.raw, verdict)
    books.marry()
    gaps = [Told(LINE, "B", interval=(since_s * S, until_s * S))]
    judge_intervals(books, gaps, world.causes, verdict, beside_ns=3 * S)
    assert set(verdict.found) == kinds


def closed_last(world: World) -> None:
    closed = Raw("kambi")
    closed.add("closed", LINE, "B", 4, 120, {"code": 1000, "reason": "shutdown"})
    world.raw += closed.records
    world.ledger += [World.sent("b", 5, 112), {"kind": "disconnect", "sid": "b", "sent_ns": 113 * S}]


def test_what_the_last_connection_did_not_get_is_in_a_gap_that_is_still_open():
    world = World()
    closed_last(world)
    world.last_ns = 119 * S
    assert world.judged().held
    world.last_ns = 130 * S  # the line was given up long before the connector ended
    assert set(world.judged().found) == {"gap-not-recorded"}


def test_what_was_sent_after_the_end_is_not_asked_for():
    world = World()
    world.ledger.append(World.sent("b", 5, 201))
    assert world.judged().held


@pytest.mark.parametrize(
    ("said", "kinds"), [({"packet": '{"status":401}'}, set()), ({}, {"lost"})], ids=["told", "not"]
)
def test_a_refusal_that_was_said_in_words_is_a_connection_with_one_packet(said: dict[str, str], kinds: set[str]):
    world = World()
    closed_last(world)
    refused = Raw("kambi")
    refused.add("opened", LINE, "C", 0, 121, {"previous_connection": "B", "previous_frame": 4})
    refused.add("frame", LINE, "C", 1, 121.1, b'{"status":401}')
    world.raw += refused.records
    world.gaps.append(Told(LINE, "C", previous="B"))
    world.causes.append(Cause("kambi", 112 * S, 121 * S, "kill"))
    world.ledger += [{"kind": "refused", "connection": "c", "at_ns": 121 * S, **said}]
    assert set(world.judged().found) == kinds


def test_the_history_tells_what_was_down_and_when():
    history = told(
        [
            {"at_ns": 1, "event": "run", "prefix": "p."},
            {"at_ns": 10, "event": "fault", "number": 1, "kind": "kill", "target": "connector:kambi", "began_ns": 9},
            {"at_ns": 11, "event": "healed", "number": 1},
            {"at_ns": 12, "event": "ended", "process": "connector:kambi"},
            {"at_ns": 20, "event": "started", "process": "connector:kambi"},
            {"at_ns": 30, "event": "fault", "number": 2, "kind": "kill", "target": "broker:2"},
            {"at_ns": 40, "event": "healed", "number": 2},
            {"at_ns": 50, "event": "fault", "number": 3, "kind": "kill", "target": "worker:kambi:1"},
            {"at_ns": 55, "event": "fault", "number": 4, "kind": "silent", "target": "vendor:rms"},
            {"at_ns": 90, "event": "quiet"},
        ]
    )
    spans = [(cause.since_ns, cause.until_ns) for cause in of_lines(history, "kambi")]
    assert spans == [(9, 11), (12, 20), (30, 40)]
    assert [cause.since_ns for cause in of_lines(history, "rms")] == [30, 55]
    assert history.quiet_ns == 90
