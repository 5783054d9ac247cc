"""A topic that was made anew is told from the one that was audited, also when it has grown past it."""

from dataclasses import replace

import pytest
from aiokafka import TopicPartition

from schemas.errors import ConfigurationError
from tests.audit.memory_kafka import MemoryKafka
from tests.replay.frames import Row
from tricast.audit.carried import Range
from tricast.audit.marks import Mark, check, take

RAW, BETS, OUT = "t.rms.raw", "t.rms.bets", "t.rms.decisions"


def kafka(number=9, said=b"first"):
    rows = [Row(RAW, 0, 0, 1_790_000_000_000 + n, b"7", b"%s %d" % (said, n), (("tc-frame", b"1"),)) for n in range(9)]
    return MemoryKafka(
        {TopicPartition(name, 0): [replace(row, topic=name) for row in rows[:number]] for name in (RAW, BETS, OUT)}
    )


async def marked(there, end=5, before=()):
    return await take(there, "t.", [Range(name, 0, 0, end) for name in (RAW, BETS, OUT)], before)


async def test_what_was_audited_is_known_again_and_outputs_are_not_marked():
    marks = await marked(kafka())
    assert [(mark.topic, mark.offset) for mark in marks] == [(BETS, 4), (RAW, 4)]
    await check(kafka(), marks)
    await check(kafka(5), marks)


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (kafka(said=b"another"), r"has another record at 4, and was audited up to 5 before"),
        (kafka(4), r"ends at 4"),
        (MemoryKafka({}), r"is not there"),
    ],
    ids=["grown past it", "shorter", "gone"],
)
async def test_another_topic_is_refused(there, said):
    with pytest.raises(ConfigurationError, match=said):
        await check(there, await marked(kafka()))


@pytest.mark.parametrize("changed", [{"timestamp": 5}, {"key": None}, {"headers": ()}, {"value": None}])
async def test_all_of_a_record_counts(changed):
    marks = await marked(kafka())
    there = kafka()
    rows = there._rows[TopicPartition(RAW, 0)]
    rows[4] = replace(rows[4], **changed)
    with pytest.raises(ConfigurationError, match="another record"):
        await check(there, marks)


async def test_what_retention_took_cannot_be_told_and_its_mark_stays():
    marks = await marked(kafka())
    gone = kafka(said=b"another").without(raw=5)
    raw = [mark for mark in marks if mark.topic == RAW]
    await check(gone, raw)
    assert [mark for mark in await marked(gone, 5, marks) if mark.topic == RAW] == raw
    assert await marked(kafka(), 0, [Mark(RAW, 0, 4, b"x")]) == [Mark(RAW, 0, 4, b"x")]
