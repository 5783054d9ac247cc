"""What the tail of a raw partition tells of lines, whatever stands in it."""

import pytest
from aiokafka import ConsumerRecord

from connectors import tail
from connectors.record import LastFrame

NESTED = b'{"code":1,"events":1,"reason":' + b'{"a":' * 5_000
HEADERS = {"tc-line": "l", "tc-connection": "c", "tc-frame": "7", "tc-received-ns": "1000000"}


def tail_of(kind, value, **headers):
    texts = HEADERS | {"tc-kind": kind} | {name.replace("_", "-"): text for name, text in headers.items()}
    record = ConsumerRecord(
        topic="raw",
        partition=0,
        offset=0,
        timestamp=5,
        timestamp_type=0,
        key=b"0",
        value=value,
        checksum=None,
        serialized_key_size=1,
        serialized_value_size=len(value),
        headers=tuple((name, text.encode()) for name, text in texts.items()),
    )
    tails = {}
    tail._note(tails, record)
    return tails.get("l")


@pytest.mark.parametrize("kind", ["opened", "tick", "closed"])
@pytest.mark.parametrize("value", [NESTED, b"\xff", b"[1]", b""], ids=["nested", "no-utf-8", "array", "empty"])
def test_a_control_record_that_says_nothing_readable_still_says_where_the_line_stood(kind, value):
    assert tail_of(kind, value) == tail.LineTail(
        last=LastFrame(connection="c", frame=7),
        received_ns=1_000_000,
        closed=kind == "closed",
        shards=None,
        events=None,
    )


def test_a_refusal_is_no_connection():
    assert tail_of("closed", b'{"code":429}') is None


@pytest.mark.parametrize(
    "number", ["", "x", "-1", "9" * 5_000, "²"], ids=["none", "text", "minus", "long", "superscript"]
)
def test_a_record_without_a_frame_number_tells_nothing_and_a_stamp_that_is_none_is_kafkas(number):
    assert tail_of("frame", b"", tc_frame=number) is None
    found = tail_of("frame", b"", tc_received_ns=number)
    assert found is not None
    assert found.received_ns == 5_000_000
