"""The reconciliation over records written by hand: what counts as missed, and how long odds would have been wrong."""

import json

import pytest

from tricast.reconcile import Reconciliation, totals

HOUR_NS = 3_600_000_000_000
START_NS = 500_000 * HOUR_NS


def record(kind, at_s, value, cause=None):
    headers = {"ce_type": f"tricast.kambi.{kind}.v1".encode(), "ce_tcreceived": b"%d" % (START_NS + at_s * 10**9)}
    if cause is not None:
        headers["ce_tccause"] = cause.encode()
        value = value | {"source": "snapshot"}
    return headers, json.dumps(value).encode()


def odds(at_s, outcome, cause=None, *, late=False):
    stated = {"id": outcome, "odds_thousandths": 1900} | ({"late": True} if late else {})
    value = {"event_id": 1, "offer_id": 2, "outcomes": [stated]} | ({"late": True} if late else {})
    return record("odds.changed", at_s, value, cause)


def reconciled(*records):
    found = Reconciliation()
    for headers, value in records:
        found.observe(headers, value)
    found.finish()
    return found.rows()


def test_odds_are_stale_from_the_correction_until_push_speaks_of_them_again():
    (row,) = reconciled(odds(0, 7), odds(10, 7, "push-missed"), odds(12, 8), odds(15, 7, late=True), odds(40, 7))
    assert row["stale_s"] == {"p50": 30.0, "p90": 30.0, "max": 30.0}
    assert (row["pushed"], row["late"], row["push-missed"], row["odds_corrected"]) == (4, 1, 1, 1)


def test_what_push_never_speaks_of_again_is_stale_until_the_end():
    (row,) = reconciled(odds(0, 7, "repaired"), odds(100, 8))
    assert row["odds_never_pushed_again"] == 1
    assert row["stale_s"]["max"] == 100.0


def test_a_baseline_is_no_loss():
    offer = {"event_id": 1, "offer_id": 2, "suspended": False, "outcomes": []}
    (row,) = reconciled(odds(0, 7, "baseline"), record("offer.added", 1, offer, "baseline"))
    assert (row["baseline"], row["push-missed"], row["odds_corrected"], row["not_pushed_by_type"]) == (2, 0, 0, {})


FOREIGN = {
    "no headers": ({}, odds(0, 7)[1]),
    "no JSON": (odds(0, 7)[0], b"hello"),
    "no record of its type": (odds(0, 7)[0], b'{"event_id": 1}'),
    "a type that nobody knows": (odds(0, 7)[0] | {"ce_type": b"tricast.kambi.odds.changed.v9"}, odds(0, 7)[1]),
    "a difference without cause": (odds(0, 7)[0], odds(0, 7, "repaired")[1]),
    "a time that is none": (odds(0, 7)[0] | {"ce_tcreceived": b"today"}, odds(0, 7)[1]),
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_what_others_wrote_is_counted_and_passed_over(foreign):
    found = Reconciliation()
    found.observe(*odds(0, 7))
    found.observe(*foreign)
    found.finish()
    assert (found.foreign, [row["pushed"] for row in found.rows()]) == (1, [1])


def test_hours_are_those_of_receipt():
    rows = reconciled(odds(0, 7, "push-missed"), odds(3700, 7), odds(3800, 7, "repaired"))
    assert [row["hour"][11:16] for row in rows] == ["08:00", "09:00"]
    assert rows[0]["stale_s"]["max"] == 3700.0, "counted where the correction was"
    assert totals(rows) == {"pushed": 1, "late": 0, "baseline": 0, "repaired": 1, "push-missed": 1, "odds_corrected": 2}
