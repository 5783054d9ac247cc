"""A right that Kafka refuses is told with who lacks what on what; other errors are not taken for it."""

import pytest
from aiokafka import errors as kafka
from aiokafka.structs import TopicPartition

from schemas.errors import EnvironmentFault
from schemas.missing_right import missing_right

WRITES = {"t.offers": "Write", "t.changelog": "Read and Write"}


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (kafka.TopicAuthorizationFailedError("t.offers"), "Write on topic t.offers"),
        (kafka.TopicAuthorizationFailedError(TopicPartition("t.offers", 3)), "Write on topic t.offers"),
        (
            kafka.TopicAuthorizationFailedError({"t.offers", "t.changelog"}),
            "Read and Write on topic t.changelog; Write on topic t.offers",
        ),
        (kafka.TopicAuthorizationFailedError(), "Read or Write on a topic"),
        (kafka.GroupAuthorizationFailedError("t.kambi"), "Read on group t.kambi"),
        (kafka.TransactionalIdAuthorizationFailed("t.kambi-w1"), "Write on transactional id t.kambi-w1"),
        (kafka.TransactionalIdAuthorizationFailed(), "Write on transactional id (Kafka did not say which)"),
        (kafka.ClusterAuthorizationFailedError(), "Write on any topic"),
    ],
    ids=["topic", "partition", "topics", "untold", "group", "id", "untold id", "cluster"],
)
def test_what_is_lacking_is_named(error, lacks):
    told = missing_right(error, user="ann", on_topic=WRITES.__getitem__)
    assert told is not None
    assert told.message == f"Kafka refuses user 'ann': it lacks {lacks}"
    assert told.exit_code == EnvironmentFault.exit_code
    assert "docs/rights.md" in told.action


def test_it_is_found_behind_what_came_of_it():
    try:
        try:
            raise kafka.GroupAuthorizationFailedError("g")
        except kafka.KafkaError as error:
            raise kafka.KafkaError("Unexpected error during batch delivery") from error
    except kafka.KafkaError as error:
        outer = EnvironmentFault("Kafka: …")
        outer.__cause__ = error
    told = missing_right(outer)
    assert told is not None
    assert told.message == "Kafka refuses this user: it lacks Read on group g"


@pytest.mark.parametrize(
    "error",
    [kafka.UnknownTopicOrPartitionError("t"), kafka.ProducerFenced(), TimeoutError()],
    ids=lambda e: type(e).__name__,
)
def test_other_errors_are_none(error):
    assert missing_right(error) is None
