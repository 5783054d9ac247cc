"""Ask Kafka what this user may do: with topics, groups and the cluster. Only what the broker tells of ourselves."""

# What is subclassed here is annotated for its own library only, and narrower than what it takes.
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from aiokafka.protocol.admin import DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

_TEXT: Final = String("utf-8")
_UNKNOWN: Final = -(2**31)
"""What a broker says that does not tell rights."""

OPERATIONS: Mapping[str, int] = MappingProxyType(
    {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
)
"""Bits of a set of rights, by Kafka's names."""


def missing(rights: int, wanted: Sequence[str]) -> list[str]:
    """Return which of the wanted operations are not in a set of rights; none when the broker does not tell."""
    if rights == _UNKNOWN:
        return []
    return [name for name in wanted if not rights >> OPERATIONS[name] & 1]


class _TopicRightsResponse(Response):
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT))),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", _TEXT),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("rights", Int32),
            ),
        ),
        ("cluster_rights", Int32),
    )


class _TopicRightsRequest(RequestStruct):
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _TopicRightsResponse
    SCHEMA = Schema(
        ("topics", Array(_TEXT)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_rights", Boolean),
        ("include_topic_rights", Boolean),
    )


class TopicRights(Request[_TopicRightsRequest]):
    """Metadata of topics with what we may do with each, and with the cluster."""

    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self._topics, False, True, True)


class _GroupRightsRequest(RequestStruct):
    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = Schema(("groups", Array(_TEXT)), ("include_rights", Boolean))


class GroupRights(Request[_GroupRightsRequest]):
    """What we may do with groups, asked of their coordinator."""

    API_KEY = 15

    def __init__(self, groups: list[str]) -> None:
        self._groups = groups

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self._groups, True)
