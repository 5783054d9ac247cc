"""The audit of RMS against the simulator's ledger: what the trader said, and when a socket was handed it."""

import json

import pytest

from tests.audit.rms_world import CUSTOMER, World, findings
from tricast.audit.rms.truth import truths

WORLD = World()
"""For its clock."""


def said(number, at_s, slip="s1", outcome="accept"):
    place = {"customer": CUSTOMER, "slip": slip}
    return place | {"kind": "decision", "decision": number, "outcome": outcome, "at_ns": WORLD.at_ns(at_s)}


def handed(number, at_s, kind="frame"):
    return {"kind": kind, "connection": "c1", "decision": number, "packet": "2[]", "at_ns": WORLD.at_ns(at_s)}


@pytest.fixture
def read(tmp_path):
    def read(*lines):
        bet = {"kind": "bet", "customer": CUSTOMER, "slip": "s1", "disposition": "referred", "at_ns": WORLD.at_ns(20)}
        path = tmp_path / "ledger.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in (bet, *lines)))
        return list(truths(path))

    return read


def times(found):
    """Return slip, when it was said and when it was sent, in seconds, of decisions."""
    seconds = ((slip, truth.at_ns, truth.sent_ns) for _, slip, truth in found if truth.outcome == "accept")
    start_ns = WORLD.at_ns(0)
    return sorted(
        (slip, (at_ns - start_ns) // 10**9, None if sent_ns is None else (sent_ns - start_ns) // 10**9)
        for slip, at_ns, sent_ns in seconds
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([said(1, 60), handed(1, 61), handed(1, 70)], [("s1", 60, 61)]),
        ([said(1, 60), handed(1, 65, "lost")], [("s1", 60, None)]),
        ([said(1, 60), handed(1, 65, "lost"), handed(1, 70)], [("s1", 60, 70)]),
        ([said(1, 60), said(2, 61, "s2"), handed(2, 62), handed(1, 80)], [("s1", 60, 80), ("s2", 61, 62)]),
        ([said(1, 60), said(1, 90, "s2"), handed(1, 91)], [("s1", 60, None), ("s2", 90, 91)]),
    ],
    ids=["told twice", "lost", "lost for one socket", "overtaken", "a simulator that began anew"],
)
def test_when_a_decision_was_sent_is_in_the_ledger(read, lines, expected):
    assert times(read(*lines)) == expected


def expired(evidence="deadline"):
    """A bet whose window ends at 140 s; nobody heard anything about it until then."""
    world = World()
    world.connect()
    world.tick(20)
    world.placed("s1", context="live")
    world.answered("s1")
    if evidence == "looked_up":
        world.tick(130)
        world.close()
        world.tick(135)
        world.connect("c2", "c1")
        world.tick(145)
        world.looked_up("s1", requested_s=144)
    world.tick(152)
    return world


def test_what_the_vendor_sat_on_until_the_window_was_over_may_expire(read):
    world = expired()
    world.say("accept", "s1")
    world.tick(1500)
    world.truths = read(said(1, 60), handed(1, 151))
    assert findings(world) == {}


@pytest.mark.parametrize(
    ("evidence", "lines"),
    [
        ("deadline", [said(1, 60), handed(1, 100)]),
        ("deadline", [said(1, 60), handed(1, 100, "lost")]),
        ("looked_up", [said(1, 60), handed(1, 151)]),
    ],
    ids=["sent in time", "never sent", "a look-up would have told it"],
)
def test_what_could_be_known_in_time_may_not_expire(read, evidence, lines):
    world = expired(evidence)
    world.tick(1500)
    (outcome,) = [json.loads(r.value or b"") for r in world.of("rms.decisions", bet_slip_id="s1")]
    assert (outcome["outcome"], outcome["evidence"]) == ("expired", evidence)
    world.truths = read(*lines)
    assert findings(world) == {"untrue": 1}
