"""Planted in FastPath's topics: each is named, and what is right is not."""

import json
from typing import Any

import pytest

from tests.chaos.checker import fastpath
from tests.chaos.checker.building import Raw, S, made
from tests.chaos.checker.kambi_accounts import side_by_side
from tests.chaos.checker.verdict import Verdict

FEED = "soccer/fixtures/f/actions"


def action(number: int) -> dict[str, Any]:
    return {"fixtureAction": {"fixtureSeqNum": number, "actionId": f"a{number}", "sendType": "Confirmed"}}


def out(number: int, **marks: Any) -> dict[str, Any]:
    said = {"feed": FEED, "sequence": number, "vendor_sequence": number, "action_id": f"a{number}"}
    return said | {"send_type": "Confirmed"} | marks


class Fastpath:
    """Numbers 1 to 6; 4 the vendor lost for good; 3 comes on a second connection, too."""

    def __init__(self) -> None:
        raw = Raw("fastpath", FEED.encode())
        for n, number in enumerate((1, 2, 3, 5, 6), 1):
            raw.add("frame", FEED, "c", n, 100 + n, action(number))
        raw.add("frame", FEED, "d", 1, 110, action(3))
        raw.add("frame", FEED, "d", 2, 110, {"message": "Heartbeat sent at", "level": "INFO"})
        self.raw = raw.records
        self.healed_ns = 110 * S
        self.ledger: list[dict[str, Any]] = []
        for index, number in enumerate((1, 2, 3, 4, 5, 6)):
            line = {"feed": FEED, "index": index, "number": number, "at_ns": (100 + number) * S}
            self.ledger.append(line | {"kind": "published"})
            sent = {"kind": "frame", "sort": "event", "packet": json.dumps(action(number))}
            self.ledger.append(line | sent)
        self.out = [out(1), out(2), out(3), out(5), out(6)]
        self.findings = [
            {"finding": "gap_suspected", "missing": [[4, 4]]},
            {"finding": "not_repairable", "missing": [[4, 4]]},
        ]

    def judged(self) -> Verdict:
        verdict = Verdict()
        records = [
            made("fastpath", "fastpath.actions", "action", f"{self._source(one)}/0", one, offset=offset)
            for offset, one in enumerate(self.out)
        ]
        accounts = fastpath.Accounts(verdict)
        in_order = sorted(records, key=lambda record: record.origin or ())
        for record, outputs in side_by_side(self.raw, in_order):
            accounts.take(record, outputs)
        accounts.finish()
        feed = fastpath.Feed()
        for record in records:
            fastpath.take_record(feed, FEED, record, json.loads(record.value or b""), verdict)
        for finding in self.findings:
            fastpath.take_finding(feed, finding, verdict)
        fastpath.judge_numbers(fastpath.published(self.ledger), {FEED: feed}, verdict, healed_ns=self.healed_ns)
        return verdict

    @staticmethod
    def _source(one: dict[str, Any]) -> int:
        return 5 if "of_copy" in one else {1: 0, 2: 1, 3: 2, 5: 3, 6: 4}[one["vendor_sequence"]]


def test_fastpath_as_it_should_be_holds():
    verdict = Fastpath().judged()
    assert dict(verdict.findings) == {}
    assert verdict.counts["fastpath: copies of records"] == 1


def lost(world: Fastpath) -> None:
    del world.out[1]


def not_named(world: Fastpath) -> None:
    world.findings.clear()


def twice(world: Fastpath) -> None:
    world.out.append(out(6))


def copy_came_out(world: Fastpath) -> None:
    world.out.insert(3, out(3, late=True, of_copy=True))


def swapped(world: Fastpath) -> None:
    world.out[3], world.out[4] = world.out[4], world.out[3]


def another_action(world: Fastpath) -> None:
    world.out[1] = out(2, action_id="zz")


def named_and_there(world: Fastpath) -> None:
    world.findings.append({"finding": "not_repairable", "missing": [[5, 5]]})


def never_published(world: Fastpath) -> None:
    world.ledger = [line for line in world.ledger if line["number"] != 6]


FASTPATH = {
    lost: {"lost", "not-normalized"},
    not_named: {"lost"},
    twice: {"duplicated", "reordered"},
    copy_came_out: {"duplicated"},
    swapped: {"reordered"},
    another_action: {"final-state", "not-normalized"},
    named_and_there: {"not-normalized"},
    never_published: {"duplicated"},
}


@pytest.mark.parametrize(("plant", "kinds"), FASTPATH.items(), ids=[plant.__name__ for plant in FASTPATH])
def test_what_is_planted_in_fastpath_is_named(plant, kinds):
    world = Fastpath()
    plant(world)
    assert set(world.judged().found) == kinds


def test_what_was_published_behind_the_last_that_came_is_lost_only_if_there_was_time_to_come_back():
    world = Fastpath()
    world.ledger.append({"kind": "published", "feed": FEED, "index": 6, "number": 7, "at_ns": 150 * S})
    assert world.judged().held
    world.healed_ns = 50 * S
    assert set(world.judged().found) == {"lost"}


def test_a_late_number_that_says_so_is_in_order():
    world = Fastpath()
    world.out[1], world.out[2] = world.out[2], out(2, late=True)
    assert world.judged().held
