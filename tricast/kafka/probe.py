"""Ask a broker which brokers are up: the one proof that it serves clients."""

import socket
import struct
from contextlib import closing
from io import BytesIO

from aiokafka.protocol.api import RequestHeader_v1
from aiokafka.protocol.metadata import MetadataRequest_v4, MetadataResponse_v4

from tricast.kafka.ports import LOOPBACK


def live_brokers(port: int, cluster_id: str, timeout_s: float = 1.0) -> frozenset[int]:
    """Ask the broker on ``port`` which brokers are up.

    Returns:
        Their numbers; empty when nobody answers there, or another cluster does (it may have taken our port).
    """
    # No topics, and none to be created.
    request = MetadataRequest_v4([], False)
    message = RequestHeader_v1(request, correlation_id=1, client_id="tricast-probe").encode() + request.encode()
    try:
        with closing(socket.create_connection((LOOPBACK, port), timeout_s)) as connection:
            connection.settimeout(timeout_s)
            connection.sendall(struct.pack(">i", len(message)) + message)
            with connection.makefile("rb") as answer:
                (length,) = struct.unpack(">i", answer.read(4))
                body = BytesIO(answer.read(length))
        if body.read(4) != struct.pack(">i", 1):
            return frozenset()
        metadata = MetadataResponse_v4.decode(body)
        if metadata.cluster_id != cluster_id:
            return frozenset()
        return frozenset(broker[0] for broker in metadata.brokers)
    except (OSError, struct.error, ValueError):
        # Refused, silent, or something that is no Kafka: all mean that no broker serves there.
        return frozenset()
