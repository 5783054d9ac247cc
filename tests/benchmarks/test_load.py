"""The feeder keeps to its times: no frame is sent before it is due, and each says when that was."""

import uuid
from itertools import pairwise
from typing import cast

import pytest

from benchmarks import load
from benchmarks.job import PARTITIONS, RAW

RATE, SECONDS = 50, 0.5


@pytest.mark.kafka
def test_a_frame_is_sent_when_it_is_due_and_not_before(kafka):
    prefix = f"load-{uuid.uuid4().hex}."
    load.create_topics(kafka, prefix)
    assert load.feed(kafka, prefix, RATE, SECONDS) == RATE * SECONDS
    sent = [
        (int(value), message.timestamp()[1])
        for message in load.messages(kafka, prefix + RAW, PARTITIONS)
        for name, value in cast("list[tuple[str, bytes]]", message.headers())
        if name == "tc-received-ns"
    ]
    assert len(sent) == RATE * SECONDS
    due_ns = sorted(due for due, _ in sent)
    assert {later - earlier for earlier, later in pairwise(due_ns)} == {1_000_000_000 // RATE}
    assert all(at_ms >= due // 1_000_000 for due, at_ms in sent)
