"""What a real group does with a worker that it refuses, that is long silent, or that ends within a rebalance."""

import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, Producer

from tests.engine.lab import CHANGELOG, RAW, stop, until

pytestmark = pytest.mark.kafka

SILENT_S = 2.0


Join = Callable[[str, str], Consumer]


@pytest.fixture
def join(lab) -> Iterator[Join]:
    """Let a member of another tool into our group, under a name and with a way to share partitions."""
    members: list[Consumer] = []

    def enter(name: str, strategy: str) -> Consumer:
        member = Consumer(
            {
                "bootstrap.servers": lab.bootstrap,
                "group.id": lab.group,
                "client.id": name,
                "partition.assignment.strategy": strategy,
            }
        )
        members.append(member)
        # With a callback a member gives partitions back only when it is polled.
        member.subscribe([lab.prefix + RAW], on_revoke=lambda *_: None)
        return member

    yield enter
    for member in members:
        member.close()


def has_joined(member: Consumer) -> None:
    until(lambda: member.poll(0.1) is not None or bool(member.assignment()), "a member's partitions")


def test_a_worker_that_its_group_refuses_ends_with_70(lab, join):
    has_joined(join("stranger", "range"))
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


def test_a_worker_that_ends_within_a_rebalance_leaves_its_group(lab, join):
    """The stranger holds the rebalance open in which the worker joins: nobody polls it any more."""
    has_joined(join("stranger", "roundrobin"))
    fleet = lab.workers(session_timeout_s=30.0)
    lab.wait_for_members(2)
    assert stop(fleet) == 0, fleet.logs()
    assert lab.members() == ["stranger"]
