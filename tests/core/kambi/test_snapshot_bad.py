"""Snapshots that cannot be read: one dead letter, and nothing else changes."""

import json

import pytest

from schemas.kambi.codes import Code
from tests.core.driver import Record
from tests.core.kambi.snapshots import OFFERS, SAME, offers, show, task_with
from tests.core.kambi.tasks import ONE, TWO, offer_body

WHOLE = json.dumps(offers(SAME)).encode()
BAD = {
    "html": (b"<!DOCTYPE html><html></html>", 200),
    "html with 404": (b"<html>gone</html>", 404),
    "truncated": (WHOLE[: len(WHOLE) // 2], 200),
    "empty": (b"", 200),
    "error body": (b'{"error":{"status":500,"message":"Oops"}}', 200),
    "error body, other order": (b'{"error":{"message":"Oops","status":404}}', 200),
    "another object": (b'{"hello":1}', 200),
    "a number": (b"7", 200),
    "not utf-8": (b'{"betOffers":"\xff"}', 200),
    "deep": (b'{"betOffers":' + b"[" * 100_000, 200),
    "no list": (b'{"betOffers":7}', 200),
}


@pytest.mark.parametrize(("body", "code"), BAD.values(), ids=BAD.keys())
def test_body_that_is_no_answer_is_one_dead_letter_and_changes_nothing(body: bytes, code: int):
    task = task_with()
    known = dict(task.store.entries)
    assert show(task, body, status=code) == []
    assert [(dead.value, dead.code, dead.index) for dead in task.dead_letters] == [(body, Code.BAD_SNAPSHOT, None)]
    assert {key: value for key, value in task.store.entries.items() if key[:1] in b"oem"} == {
        key: value for key, value in known.items() if key[:1] in b"oem"
    }


def test_bad_item_costs_only_itself():
    task = task_with()
    bad = [{"id": "x"}, offer_body((ONE, 5), offer=9), {"id": 5, "eventId": 1.5}]
    body = offers(bad[0], offer_body((ONE, 1600), (TWO, 2500)), *bad[1:])
    assert show(task, body) == [("odds.changed", [{"id": ONE, "odds_thousandths": 1600}])]
    assert [(json.loads(dead.value), dead.index) for dead in task.dead_letters] == [
        (part, index) for index, part in enumerate(bad, 1)
    ]


def test_answer_of_five_megabytes():
    task = task_with()
    many = [offer_body((n, 1500), (n + 1, 2500), offer=n) for n in range(10_000, 20_000, 5)]
    body = json.dumps(offers(SAME, *many) | {"news": "x" * 4_500_000}).encode()
    assert len(body) > 5_000_000 - 200_000
    assert [kind for kind, _ in show(task, body)] == ["offer.added"] * len(many)


@pytest.mark.parametrize("position", ["", "odds/ladder.json", "betoffer/event/x.json", "betoffer/event/.json"])
def test_unknown_request_is_a_dead_letter(position: str):
    task = task_with()
    assert show(task, offers(SAME), position) == []
    assert [dead.code for dead in task.dead_letters] == [Code.BAD_SNAPSHOT]


@pytest.mark.parametrize("missing", ["tc-position", "tc-status", "tc-requested-ns"])
def test_snapshot_without_its_headers_is_a_dead_letter(missing: str):
    task = task_with()
    headers = [
        (name, value)
        for name, value in {
            "tc-kind": b"snapshot",
            "tc-line": b"kambi-0-snapshots",
            "tc-connection": b"s",
            "tc-received-ns": b"1790000000000000000",
            "tc-position": OFFERS.encode(),
            "tc-status": b"200",
            "tc-requested-ns": b"1790000000000000000",
        }.items()
        if name != missing
    ]
    task.feed_record(Record(offset=9, value=WHOLE, headers=headers))
    assert [dead.code for dead in task.dead_letters] == [Code.BAD_HEADERS]
