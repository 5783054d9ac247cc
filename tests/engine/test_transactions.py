"""What the transactional producer adds to aiokafka's, without a Kafka."""

import pytest
from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaConnectionError, KafkaError, TransactionalIdAuthorizationFailed
from aiokafka.producer.transaction_manager import TransactionManager

from processors.engine.config import EngineSettings
from processors.engine.transactions import TransactionalProducer, _FencingSender
from schemas.kafka import KafkaSettings


class Lookups:
    """Answers look-ups of a coordinator in order: a broker's number, or an error."""

    def __init__(self, *answers):
        self.answers = list(answers)

    async def coordinator_lookup(self, *_):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def force_metadata_update(self):
        return True

    async def ready(self, *_, **__):
        return True


def sender(client):
    manager = TransactionManager("w0", 10_000)
    return _FencingSender(
        client, acks=-1, txn_manager=manager, message_accumulator=None, retry_backoff_ms=1, request_timeout_ms=1000
    )


async def test_a_broker_that_dies_while_it_looks_for_a_coordinator_is_not_the_end():
    client = Lookups(KafkaConnectionError("closed"), KafkaConnectionError("closed"), 2)
    assert await sender(client)._find_coordinator(CoordinationType.TRANSACTION, "w0") == 2


@pytest.mark.parametrize("error", [TransactionalIdAuthorizationFailed("w0"), KafkaError("anything else")])
async def test_what_another_try_cannot_mend_ends_it(error):
    client = Lookups(error, AssertionError("asked again"))
    with pytest.raises(KafkaError):
        await sender(client)._find_coordinator(CoordinationType.TRANSACTION, "w0")


async def test_a_broker_that_hangs_leaves_time_to_ask_another_within_the_transaction():
    producer = TransactionalProducer(KafkaSettings(), "w0", 10.0)
    assert producer._sender._request_timeout_ms == producer._producer.client._request_timeout_ms == 5_000
    assert producer._producer._message_accumulator._batch_ttl == 10.0
    await producer.stop()


@pytest.mark.parametrize(("session_s", "rebalance_s", "request_s"), [(10, 15, 20), (45, 15, 50), (6, 30, 35)])
def test_a_join_may_take_as_long_as_its_slowest_member(session_s, rebalance_s, request_s):
    settings = EngineSettings(session_timeout_s=session_s, rebalance_timeout_s=rebalance_s)
    assert settings.group_request_timeout_s == request_s
