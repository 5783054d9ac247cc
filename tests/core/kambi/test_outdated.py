"""What comes so long after the rest that its removal may be forgotten: a spool that a standby drains, for example."""

import json

import pytest

from processors.core.kambi.dedupe import WINDOW_S
from schemas.kambi.codes import Count
from tests.core.kambi.tasks import EVENT, OFFER, ONE, START_MS, Task, added, gone, message, odds, removed, score, state

LONG_MS = (WINDOW_S + 60) * 1000
STANDBY = "kambi-0-events-0.b"


def later(task: Task) -> int:
    """Let the task go on with another event until removals are forgotten; return when that is."""
    for ms in range(0, 2 * LONG_MS, 1000):
        task.tick(START_MS + ms)
    now = START_MS + 2 * LONG_MS
    task.say(score(now, "1", "0", event=EVENT + 1), at_ms=now)
    return now


@pytest.mark.parametrize("end", [removed(START_MS + 1), gone(START_MS + 1)], ids=["offer removed", "event removed"])
@pytest.mark.parametrize(
    "old",
    [
        added(START_MS, (ONE, 1500)),
        odds(START_MS, (ONE, 1500)),
        state(START_MS),
        score(START_MS, "1", "0"),
    ],
    ids=["offer", "odds", "state", "score"],
)
def test_nothing_from_before_a_forgotten_removal_is_current(end: str, old: str):
    task = Task()
    task.say(state(START_MS, "NOT_STARTED"), added(START_MS, (ONE, 1400)))
    task.say(end)
    later(task)
    before = dict(task.store.entries)
    (told,) = task.say(old, line=STANDBY, at_ms=START_MS)
    is_history = told["kind"].startswith(("offer", "odds")) or end == gone(START_MS + 1)
    if is_history:
        assert told["late"] is True
        if told["kind"] == "odds.changed":
            assert all(outcome["late"] for outcome in told["outcomes"])
        assert {key: value for key, value in task.store.entries.items() if key[:1] in b"oem"} == {
            key: value for key, value in before.items() if key[:1] in b"oem"
        }


def test_settlements_are_told_however_old():
    task = Task()
    now = later(task)
    body = {"outcomes": [{"id": ONE}]}
    (told,) = task.say(message(24, "os", body, START_MS), line="kambi-settlements", at_ms=now)
    assert "late" not in told


def test_what_is_known_is_judged_as_ever():
    task = Task()
    task.say(added(START_MS, (ONE, 1400)))
    later(task)
    (told,) = task.say(odds(START_MS + 5, (ONE, 1500)), line=STANDBY, at_ms=START_MS + 5)
    assert "late" not in told


def test_an_old_answer_brings_nothing_back():
    task = Task()
    task.say(state(START_MS), added(START_MS, (ONE, 1400)))
    task.say(gone(START_MS + 1))
    now = later(task)
    body = {
        "betOffers": [{"id": OFFER, "eventId": EVENT, "outcomes": [{"id": ONE, "odds": 1500}]}],
        "events": [{"id": EVENT, "state": "STARTED"}],
    }
    assert task.show(body, f"betoffer/event/{EVENT}.json", requested_ms=START_MS, at_ms=START_MS) == []
    assert task.counts[Count.SNAPSHOT_OUTDATED] == 1
    assert json.dumps(task.show(body, f"betoffer/event/{EVENT}.json", requested_ms=now, at_ms=now)).count("1500")
