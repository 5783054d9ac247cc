"""What a broker knows of topics, asked in a way that makes none.

Where brokers make topics by themselves (``auto.create.topics.enable``), the admin client's own question by name makes
what is not there, with whatever number of partitions new topics get.
"""

from collections.abc import Collection
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.metadata import MetadataRequest


async def describe_topics(
    admin: AIOKafkaAdminClient, names: Collection[str], broker: int | None = None
) -> list[dict[str, Any]]:
    """Return what a broker says of each topic: ``topic``, ``error_code``, ``partitions`` (``leader``, ``replicas``).

    Args:
        admin: Asks.
        names: Of topics, there or not.
        broker: Who is asked; any, unless said.

    Raises:
        KafkaError: It does not answer.
    """
    if not names:  # none would ask for all
        return []
    request = MetadataRequest(list(names), allow_auto_topic_creation=False)
    answer: Any = await admin._send_request(request, broker)
    topics: list[dict[str, Any]] = answer.to_object()["topics"]
    return topics
