"""Properties of taking a bulk apart."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.core.json_array import split_array
from processors.core.kambi.debulk import Bulk, read_child
from processors.core.kambi.findings import Unreadable
from tests.core.kambi.frames import odds, status
from tests.core.kambi.shapes import SHAPES, fill, marks

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
GOOD = [
    status(1),
    status(2, t=5),
    odds('{"id":1,"betOfferId":2,"odds":1500}'),
    '{"mt":18,"er":{"eventId":"7"}}',
    '{"mt":27,"vo":{"id":1,"eventId":1,"visualization":{"position":{"x":71.50,"y":0.12345678901234567}}}}',
    *(fill(shape, {mark: number for number, mark in enumerate(sorted(marks(shape)))}) for shape in SHAPES.values()),
]
BAD = [
    '{"mt":16,"score":{}}',
    '{"mt":24,"os":[]}',
    '{"mt":24,"os":["x"]}',
    '{"mt":99,"xx":{}}',
    '{"mt":8,"bosu":{"eventId":1,"eventId":1,"betOfferId":1}}',
    '{"mt":8,"bosu":[NaN]}',
    '{"mt":18,"er":{"eventId":1e300}}',
    '{"mt":8',
    "}",
    "nonsense",
    '{"a":"\\u003a"}',
    '{"mt":18,"er":{"eventId":1},"x":"\udc80"}',
    '{"mt":18,"er":{"eventId":1},"boou":17}',
    "",
]


@given(st.lists(json_values, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_valid_arrays_are_cut_as_any_reader_cuts_them(elements: list[object], indent: int | None, ascii_only: bool):
    text = json.dumps(elements, indent=indent, ensure_ascii=ascii_only)
    assert [json.loads(part) for part in split_array(text)] == elements


@given(st.text(alphabet='[]{},:"\\ab1 ', max_size=60))
def test_any_text_is_cut_without_losing_a_mark(rest: str):
    text = "[" + rest
    parts = split_array(text)
    assert all(part in text for part in parts)
    # Whatever is neither space, nor the array's own brackets, nor a comma between parts stands in some part.
    kept = sum(len(part.replace(" ", "")) for part in parts) + max(len(parts) - 1, 0)
    assert len(text.replace(" ", "")) - kept in (1, 2)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(GOOD + [bad for bad in BAD if bad not in ('{"mt":8', "}")]), min_size=1, max_size=6))
def test_reading_at_once_and_one_by_one_agree(children: list[str]):
    together = Bulk(f"[{','.join(children)}]")
    alone = [read_child(child.encode("utf-8", "surrogateescape")) for child in children]
    if children == [""]:
        alone = []
    assert list(together.children) == alone
    if alone:
        assert list(together.parts()) == [child.encode("utf-8", "surrogateescape") for child in children]


@given(st.lists(st.sampled_from(GOOD), max_size=4), st.sampled_from(BAD), st.lists(st.sampled_from(GOOD), max_size=4))
def test_what_stands_before_a_bad_child_is_never_lost(before: list[str], bad: str, after: list[str]):
    found = Bulk(f"[{','.join([*before, bad, *after])}]").children
    assert not any(isinstance(child, Unreadable) for child in found[: len(before)])


@given(st.binary(max_size=80))
def test_no_bytes_at_all_make_a_child_raise(part: bytes):
    read_child(part)
