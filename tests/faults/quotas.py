"""A client quota on the brokers: the honest way to make a restore slow."""

# What is subclassed here is annotated for its own library only, and narrower than what it takes.
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false, reportAttributeAccessIssue=false

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String


class AlterClientQuotasResponse_v0(Response):  # noqa: N801 - aiokafka's way to name versions
    API_KEY = 49
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "entries",
            Array(
                ("error_code", Int16),
                ("error_message", String("utf-8")),
                ("entity", Array(("entity_type", String("utf-8")), ("entity_name", String("utf-8")))),
            ),
        ),
    )


class AlterClientQuotasRequest_v0(RequestStruct):  # noqa: N801 - aiokafka's way to name versions
    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = AlterClientQuotasResponse_v0
    SCHEMA = Schema(
        (
            "entries",
            Array(
                ("entity", Array(("entity_type", String("utf-8")), ("entity_name", String("utf-8")))),
                ("ops", Array(("key", String("utf-8")), ("value", Float64), ("remove", Boolean))),
            ),
        ),
        ("validate_only", Boolean),
    )


class AlterClientQuotasRequest(Request[AlterClientQuotasRequest_v0]):
    API_KEY = 49

    def __init__(self, client_id: str, consumer_byte_rate: float):
        self.entry = ([("client-id", client_id)], [("consumer_byte_rate", consumer_byte_rate, False)])

    def build(self, request_struct_class):
        return request_struct_class([self.entry], False)


async def limit_fetch(bootstrap: str, client_id: str, bytes_per_second: float) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        response = await admin._send_request(AlterClientQuotasRequest(client_id, bytes_per_second))
        for code, message, _ in response.entries:
            if code:
                raise for_code(code)(message)
    finally:
        await admin.close()
