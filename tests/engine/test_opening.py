"""Opening a task on a real Kafka, without a worker around it."""

import pytest

from processors.engine.opening import TaskOpener
from processors.engine.task import Partition, StreamTask
from tests.engine.lab import CHANGELOG, RAW
from tests.engine.toy import REGISTRY, ToyProcessor

pytestmark = pytest.mark.kafka


@pytest.fixture
def opener(lab):
    return TaskOpener(
        lab.kafka,
        lab.settings,
        group=lab.group,
        transactional_id=f"{lab.group}-w0",
        changelogs={lab.prefix + RAW: lab.prefix + CHANGELOG},
    )


def new_task(lab, partition=0):
    topics = {name: REGISTRY[name] for name in ("toy.out", "toy.dead-letters")}
    return StreamTask(
        Partition(lab.prefix + RAW, partition), ToyProcessor(), topics=topics, version="test", stop_ratio=0.5, window=10
    )


async def test_a_task_opened_twice_with_nothing_written_between_stands_where_it_stood(lab, opener):
    lab.feed(range(40))
    lab.work_off(80)
    task = new_task(lab)
    await opener.open([task], lambda: True)
    state, position = dict(task.store.items()), task.position
    assert position == 10

    await opener.open([task], lambda: True)

    assert (dict(task.store.items()), task.position) == (state, position)
