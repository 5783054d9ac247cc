"""Requests of Kafka's protocol that aiokafka does not have, or has in an edition that cannot be used here."""

# What is subclassed here is annotated for its own library only, and narrower than what it takes.
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false

from typing import Any, Final

from aiokafka.protocol.admin import DescribeGroupsRequest_v2
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    String,
    TaggedFields,
)

_TEXT: Final = String("utf-8")
_COMPACT_TEXT: Final = CompactString("utf-8")
_DESCRIBE_GROUPS: Final = 15
_LIST_GROUPS: Final = 16
_DESCRIBE_LOG_DIRS: Final = 35


class _ListGroupsResponseV4(Response):
    API_KEY = _LIST_GROUPS
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "groups",
            CompactArray(
                ("group", _COMPACT_TEXT),
                ("protocol_type", _COMPACT_TEXT),
                ("state", _COMPACT_TEXT),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _ListGroupsRequestV4(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = _LIST_GROUPS
    API_VERSION = 4
    RESPONSE_TYPE = _ListGroupsResponseV4
    SCHEMA = Schema(("states", CompactArray(_COMPACT_TEXT)), ("tags", TaggedFields))


class ListGroups(Request[_ListGroupsRequestV4]):
    """Groups whose coordinator is the broker that is asked, with their states, whatever protocol they speak."""

    API_KEY = _LIST_GROUPS

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class([], {})


class DescribeGroups(Request[DescribeGroupsRequest_v2]):
    """Members and assignments of many groups; aiokafka reads version 3 by the schema of version 2 and trips."""

    API_KEY = _DESCRIBE_GROUPS

    def __init__(self, groups: list[str]) -> None:
        self._groups = groups

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self._groups)


class _DescribeLogDirsResponseV1(Response):
    API_KEY = _DESCRIBE_LOG_DIRS
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "log_dirs",
            Array(
                ("error_code", Int16),
                ("log_dir", _TEXT),
                (
                    "topics",
                    Array(
                        ("topic", _TEXT),
                        (
                            "partitions",
                            Array(("partition", Int32), ("size", Int64), ("offset_lag", Int64), ("is_future", Boolean)),
                        ),
                    ),
                ),
            ),
        ),
    )


class _DescribeLogDirsRequestV1(RequestStruct):
    API_KEY = _DESCRIBE_LOG_DIRS
    API_VERSION = 1
    RESPONSE_TYPE = _DescribeLogDirsResponseV1
    SCHEMA = Schema(("topics", Array(("topic", _TEXT), ("partitions", Array(Int32)))))


class DescribeLogDirs(Request[_DescribeLogDirsRequestV1]):
    """Sizes on the disks of the broker that is asked."""

    API_KEY = _DESCRIBE_LOG_DIRS

    def __init__(self, topics: list[tuple[str, list[int]]]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self._topics)
