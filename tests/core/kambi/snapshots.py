"""A task that knows an event, and snapshots shown to it: what the tests of snapshots have in common."""

from typing import Any

from processors.core.kambi.snapshot import BEFORE_REQUEST_MS
from schemas.codec import validate
from tests.core.kambi.tasks import (
    EVENT,
    ONE,
    START_MS,
    TWO,
    WITH_ENDS,
    Task,
    added,
    kind_of,
    message,
    odds,
    offer_body,
)

T = START_MS
ASKED = T + 10_000
"""When the snapshot is requested."""
AS_OF = ASKED - BEFORE_REQUEST_MS
OFFERS = f"betoffer/event/{EVENT}.json?lang=en_GB"
LIVE = f"event/livedata/{EVENT}.json?lang=en_GB"
OPEN = "event/live/open.json?lang=en_GB"
LISTED = "listView/football/all/all/all/matches.json?lang=en_GB"
EVENT_BODY = {"id": EVENT, "name": "A - B", "state": "STARTED"}


def task_with(*children: str) -> Task:
    """Return a task that knows an event with one offer, by push, and that the vendor's clock went on since."""
    task = Task()
    task.say(message(5, "leo", {"event": EVENT_BODY}, T), added(T, (ONE, 1500), (TWO, 2500)), at_ms=T)
    task.say(*children, odds(ASKED, (1, 1500), offer=1, event=1), at_ms=ASKED)
    return task


def offers(*shown: dict[str, Any], **beside: Any) -> dict[str, Any]:
    return {"betOffers": list(shown), "events": [EVENT_BODY]} | beside


def show(task: Task, body: Any, position: str = OFFERS, **request: Any) -> list[tuple[str, Any]]:
    """Return (kind, outcomes or value) of what a snapshot brought; all of it must be marked and valid."""
    before = len(task.outputs)
    records = task.show(body, position, requested_ms=request.pop("requested_ms", ASKED), **request)
    told = [output for output in task.outputs[before:] if kind_of(output) not in WITH_ENDS]
    for index, output in enumerate(told):
        if output.topic != "kambi.health":
            validate(output.header("ce_type"), output.value)
            assert output.header("ce_id") == f"tricast.kambi.raw/0/{task.offset - 1}/{index}"
    assert all(record["source"] == "snapshot" and "vendor_time_ms" not in record for record in records)
    return [(record["kind"], record.get("outcomes", record)) for record in records]


SAME = offer_body((ONE, 1500), (TWO, 2500))
