"""Ask a broker for its cluster's metadata: the one proof that it serves clients."""

import socket
import struct
from contextlib import closing
from io import BytesIO
from typing import Any

from aiokafka.protocol.api import RequestHeader_v1
from aiokafka.protocol.metadata import MetadataRequest_v4, MetadataResponse_v4

from tricast.kafka.ports import LOOPBACK

_TIMEOUT_S = 1.0
_ALL_TOPICS = None  # a null array; an empty one asks for none
_NO_TOPICS: tuple[str, ...] = ()


def live_brokers(port: int, cluster_id: str) -> frozenset[int]:
    """Ask the broker on ``port`` which brokers are up.

    Returns:
        Their numbers; empty when nobody answers there, or another cluster does (it may have taken our port).
    """
    metadata = _metadata(port, cluster_id, _NO_TOPICS)
    return frozenset(broker[0] for broker in metadata.brokers) if metadata else frozenset()


def lagging_partitions(port: int, cluster_id: str) -> tuple[str, ...] | None:
    """Ask the broker on ``port`` which partitions have replicas that are not in sync.

    Returns:
        Them as ``topic/partition``; ``None`` when nobody answers there, or another cluster does.
    """
    metadata = _metadata(port, cluster_id, _ALL_TOPICS)
    if metadata is None:
        return None
    return tuple(
        f"{topic}/{partition}"
        for _error, topic, _internal, partitions in metadata.topics
        for _error, partition, _leader, replicas, in_sync in partitions
        if len(in_sync) < len(replicas)
    )


def _metadata(port: int, cluster_id: str, topics: tuple[str, ...] | None) -> Any:
    request = MetadataRequest_v4(topics, False)
    message = RequestHeader_v1(request, correlation_id=1, client_id="tricast-probe").encode() + request.encode()
    try:
        with closing(socket.create_connection((LOOPBACK, port), _TIMEOUT_S)) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.sendall(struct.pack(">i", len(message)) + message)
            with connection.makefile("rb") as answer:
                (length,) = struct.unpack(">i", answer.read(4))
                body = BytesIO(answer.read(length))
        if body.read(4) != struct.pack(">i", 1):
            return None
        metadata: Any = MetadataResponse_v4.decode(body)
    except (OSError, struct.error, ValueError):
        # Refused, silent, or something that is no Kafka: all mean that no broker serves there.
        return None
    return metadata if metadata.cluster_id == cluster_id else None
