"""What a real group does with a worker that it refuses, or that is long silent."""

import time

import pytest
from confluent_kafka import Consumer, Producer

from tests.engine.lab import CHANGELOG, RAW, until

pytestmark = pytest.mark.kafka

SILENT_S = 2.0


@pytest.fixture
def stranger(lab):
    """A member of another tool that has our group's name and another way to share partitions."""
    consumer = Consumer(
        {
            "bootstrap.servers": lab.bootstrap,
            "group.id": lab.group,
            "client.id": "stranger",
            "partition.assignment.strategy": "range",
        }
    )
    consumer.subscribe([lab.prefix + RAW])
    until(lambda: consumer.poll(0.1) is not None or bool(consumer.assignment()), "the stranger has joined")
    yield consumer
    consumer.close()


def test_a_worker_that_its_group_refuses_ends_with_70(lab, stranger):
    code, log = lab.run_to_exit()
    assert code == 70, log
    assert "InconsistentGroupProtocol" in log


def test_a_worker_that_opens_for_longer_than_it_may_be_silent_stays_in_its_group(lab):
    lab.feed(range(4))
    hidden = Producer({"bootstrap.servers": lab.bootstrap, "transactional.id": lab.prefix + "hides"})
    hidden.init_transactions(30)
    hidden.begin_transaction()
    hidden.produce(lab.prefix + CHANGELOG, b"1", key=b"s|x", partition=0)  # no checkpoint: nobody to fence
    hidden.flush(30)
    fleet = lab.workers(may_be_silent_s=SILENT_S)
    lab.wait_for_members(1)
    over = time.monotonic() + 3 * SILENT_S
    until(lambda: not lab.members() or time.monotonic() > over, "the time in which it may be silent", fleet.logs)
    assert lab.members() == [f"{lab.group}-w0"], fleet.logs()
    hidden.abort_transaction(30)
    lab.outputs(8)
    assert "generation=1 " in fleet.logs()
