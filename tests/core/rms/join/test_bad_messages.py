"""Records of ``rms.pending`` that nobody of ours wrote: dead letters, and nothing of them stays."""

import pytest

from processors.core.rms.join.processor import RmsJoin
from schemas.rms.codes import Code
from tests.core.driver import Driver, Record
from tests.core.rms.join.tasks import TOPIC

NUMBER = 10**20
"""Beyond what the store's entries hold."""


@pytest.mark.parametrize(
    "value",
    [
        f'{{"type":"time","customer":"7","now_ns":1,"since_ns":{NUMBER}}}',
        f'{{"type":"time","customer":"7","now_ns":{NUMBER}}}',
        f'{{"type":"evident","customer":"7","slip":"s","evidence":"approval","raw":[0,0,0],"received_ns":{2**64}}}',
        f'{{"type":"passed","customer":"7","ordinal":{-NUMBER}}}',
    ],
)
def test_numbers_that_no_store_holds_are_dead_letters(value: str):
    task = Driver(RmsJoin())
    task.feed_record(Record(offset=0, value=value.encode(), headers=(), topic=TOPIC))
    assert [letter.code for letter in task.dead_letters] == [Code.BAD_MESSAGE]
    assert not task.outputs
    assert not task.store.entries


@pytest.mark.parametrize("slip", ["", "s" * 201])
def test_names_that_no_record_may_have_are_dead_letters(slip: str):
    task = Driver(RmsJoin())
    value = f'{{"type":"evident","customer":"7","slip":"{slip}","evidence":"approval","raw":[0,0,0],"received_ns":1}}'
    task.feed_record(Record(offset=0, value=value.encode(), headers=(), topic=TOPIC))
    assert [letter.code for letter in task.dead_letters] == [Code.BAD_MESSAGE]
    assert not task.store.entries
