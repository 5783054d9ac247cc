"""Sequence numbers in every spelling: what counts as the number, and what is a dead letter."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.core.fastpath.classify import classify
from processors.core.fastpath.findings import Unreadable
from processors.core.fastpath.packet import ActionPacket, ElementPacket, StatisticsPacket
from schemas.fastpath.codes import Code
from schemas.fastpath.feed import feed_of
from schemas.fastpath.fields import MAX_SEQUENCE

SHAPES = {
    "action": (
        "soccer/fixtures/f-1/actions",
        '{"fixtureAction":{"fixtureSeqNum":<n>,"actionId":"a","sendType":"Pending"}}',
    ),
    "statistics": ("soccer/fixtures/f-1/statistics", '{"seqNum":<n>,"fixtureId":"f-1"}'),
    "element": ("mma/fights/47/details", '{"seqNum":<n>,"eventElementType":"Undo"}'),
    "untyped": ("mma/fights/47/details", '{"seqNum":<n>}'),
    "multiplexed": (
        "multiplexer/?sport=golf",
        '{"dataType":"eventdata","feedType":"f","eventId":"1","message":{"seqNum":<n>}}',
    ),
}


def number_of(shape: str, text: str) -> int | Code | None:
    path, frame = SHAPES[shape]
    packet = classify(frame.replace("<n>", text).encode(), feed_of(path))
    if isinstance(packet, Unreadable):
        return packet.code
    assert isinstance(packet, ActionPacket | ElementPacket | StatisticsPacket)
    return packet.number


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("41", 41),
        ('"41"', 41),
        ('"0041"', 41),
        ("41.0", 41),
        ("41.000", 41),
        ("4.1e1", 41),
        ("410E-1", 41),
        ("-0", 0),
        ("-0.0", 0),
        ("9223372036854775807", MAX_SEQUENCE),
        ('"9223372036854775807"', MAX_SEQUENCE),
        ("9223372036854775807.0", MAX_SEQUENCE),
        ("9007199254740993.0", 2**53 + 1),
    ],
)
def test_is_that_number(shape: str, text: str, number: int):
    assert number_of(shape, text) == number


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "text",
    [
        "null",
        "true",
        "false",
        "-1",
        "-41.0",
        "41.5",
        "9223372036854775808",
        "9223372036854775808.0",
        "1" * 400,
        "1e400",
        "1e-400",
        "1e99999999999999999999",
        '""',
        '" 41"',
        '"41.0"',
        '"-1"',
        '"+1"',
        '"4_1"',
        '"٤١"',
        '"\\u00b2"',
        '"forty-one"',
        '"9223372036854775808"',
        f'"{"1" * 10_000}"',
        "[41]",
        '{"number":41}',
    ],
)
def test_is_no_number(shape: str, text: str):
    assert number_of(shape, text) == Code.BAD_SEQUENCE


@given(st.sampled_from(list(SHAPES)), st.integers(0, MAX_SEQUENCE))
def test_every_number_survives_in_three_spellings(shape: str, number: int):
    assert {number_of(shape, spelled) for spelled in (f"{number}", f'"{number}"', f"{number}.0")} == {number}


@given(
    st.sampled_from(list(SHAPES)),
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ),
)
def test_no_value_raises(shape: str, value: object):
    found = number_of(shape, json.dumps(value))
    assert found == Code.BAD_SEQUENCE or (isinstance(found, int) and 0 <= found <= MAX_SEQUENCE)
