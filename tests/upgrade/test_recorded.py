"""What an older version left is read, and goes on as it would have there. New fields and records may come, none may
change or go.

When this fails because the layout of a state changed: have the core read the older one, too (docs/contracts.md), or
raise ``processors.engine.changelog.FORMAT`` and say in CHANGELOG how a deployment gets over it.
"""

import json
from typing import Any

import pytest

from processors.engine.task import Output
from tests.upgrade.recording import FOLDER, Recording
from tricast.processors import PROCESSORS

PATHS = sorted(FOLDER.glob("*.json.gz"))


@pytest.mark.parametrize("path", PATHS, ids=[path.name.removesuffix(".json.gz") for path in PATHS])
def test_a_task_goes_on_from_what_an_older_version_left(path):
    recording = Recording.read(path)
    before = {identity(output) for output in recording.outputs}
    played = [output for output in recording.played() if identity(output) in before]
    for now, then in zip(played, recording.outputs, strict=True):
        assert (now[0], now[1], now[4]) == (then[0], then[1], then[4])
        assert set(then[3]) <= set(now[3])
        assert_holds(parsed(now), parsed(then))


def test_each_processor_has_a_recording_that_says_something():
    recordings = [Recording.read(path) for path in PATHS]
    assert {recording.processor for recording in recordings} == set(PROCESSORS)
    for recording in recordings:
        assert len(recording.outputs) > 10, recording.processor
    assert sum(len(recording.changelog) for recording in recordings) > 500


def identity(output: Output) -> bytes | None:
    """Return the `ce_id`, which records between processors and dead letters have not."""
    return next((value for name, value in output[3] if name == "ce_id"), None)


def parsed(output: Output) -> Any:
    try:
        return json.loads(output[2] or b"null")
    except ValueError:  # a dead letter has what it was made of
        return output[2]


def assert_holds(now: Any, then: Any) -> None:
    """Assert that all of ``then`` is in ``now``."""
    if isinstance(then, dict):
        for name, value in then.items():
            assert name in now, f"{name} is gone"
            assert_holds(now[name], value)
    else:
        assert now == then
