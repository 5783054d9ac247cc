"""Move the replicas of partitions; confluent-kafka's admin client cannot."""

# What is subclassed here is annotated for its own library only, and narrower than what it takes.
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false, reportAttributeAccessIssue=false

import asyncio
from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Schema, TaggedFields


class AlterPartitionReassignmentsResponse_v0(Response):  # noqa: N801 - aiokafka's way to name versions
    API_KEY = 45
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("error_message", CompactString("utf-8")),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("error_message", CompactString("utf-8")),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterPartitionReassignmentsRequest_v0(RequestStruct):  # noqa: N801 - aiokafka's way to name versions
    FLEXIBLE_VERSION = True
    API_KEY = 45
    API_VERSION = 0
    RESPONSE_TYPE = AlterPartitionReassignmentsResponse_v0
    SCHEMA = Schema(
        ("timeout_ms", Int32),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(("partition", Int32), ("replicas", CompactArray(Int32)), ("tags", TaggedFields)),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterPartitionReassignmentsRequest(Request[AlterPartitionReassignmentsRequest_v0]):
    API_KEY = 45

    def __init__(self, moves: Mapping[tuple[str, int], list[int]]):
        self.topics = [(topic, [(partition, replicas, {})], {}) for (topic, partition), replicas in moves.items()]

    def build(self, request_struct_class):
        return request_struct_class(30_000, self.topics, {})


def reassign(bootstrap: str, moves: Mapping[tuple[str, int], list[int]]) -> None:
    """Give each partition (topic, number) its list of brokers; the first is to lead. Returns before data has moved."""
    asyncio.run(_reassign(bootstrap, moves))


async def _reassign(bootstrap: str, moves: Mapping[tuple[str, int], list[int]]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    await admin.start()
    try:
        response = await admin._send_request(AlterPartitionReassignmentsRequest(moves))
        codes = {code for _, partitions, _ in response.topics for _, code, _, _ in partitions} | {response.error_code}
        for code in codes - {0}:
            raise for_code(code)("AlterPartitionReassignments")
    finally:
        await admin.close()
