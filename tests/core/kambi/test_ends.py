"""The end of an event is told in the topics of its offers and scores, too: with it, once, below its own id."""

import pytest

from tests.core.kambi.tasks import EVENT, GENERAL, START_MS, Task, added, gone, kind_of, score

T = START_MS


def ends(task: Task) -> list[tuple[str, str, str]]:
    """Return topic, kind and the numbers of ``ce_id`` behind the partition."""
    wanted = {"event.removed", "offers.removed", "scores.removed"}
    return [
        (output.topic, kind_of(output), output.header("ce_id").split("/", 2)[2])
        for output in task.outputs
        if output.topic != "kambi.health" and kind_of(output) in wanted
    ]


def test_it_comes_with_the_event_and_moves_no_index():
    task = Task()
    task.say(added(T, (1, 1500)), score(T, "0", "0"))
    said = task.say(gone(T + 1), added(T + 2, (1, 1700)))
    assert [value["kind"] for value in said] == ["event.removed", "offer.added"]
    assert [(output.topic, output.header("ce_id").split("/", 2)[2]) for output in task.outputs[2:]] == [
        ("kambi.events", "1/0"),
        ("kambi.offers", "1/0/0"),
        ("kambi.scores", "1/0/1"),
        ("kambi.offers", "1/1"),
    ]
    removed, offers, scores = task.outputs[2:5]
    assert removed.value == offers.value == scores.value
    assert removed.key == offers.key == scores.key == b"%d" % EVENT


def test_of_a_copy_and_of_a_late_end_nothing_comes():
    task = Task()
    task.say(score(T + 5, "0", "0"))
    task.say(gone(T + 9))
    told = ends(task)
    task.say(gone(T + 9), line=GENERAL)
    assert task.say(gone(T + 4)) == [
        {"kind": "event.removed", "event_id": EVENT, "vendor_time_ms": T + 4, "late": True}
    ]
    assert ends(task) == [*told, ("kambi.events", "event.removed", "3/0")]


@pytest.mark.parametrize("status", [404], ids=["not found"])
def test_a_snapshot_that_ends_an_event_says_so_everywhere(status: int):
    task = Task()
    task.say(added(T, (1, 1500)))
    task.show(b"", f"betoffer/event/{EVENT}.json", requested_ms=T + 10_000, status=status)
    assert [(topic, kind) for topic, kind, _ in ends(task)] == [
        ("kambi.events", "event.removed"),
        ("kambi.offers", "offers.removed"),
        ("kambi.scores", "scores.removed"),
    ]
    assert {output.header("ce_tccause") for output in task.outputs if "removed" in kind_of(output)} == {"baseline"}
