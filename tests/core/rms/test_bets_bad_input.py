"""Bad records of bet platforms: a dead letter that says why, never an exception; others lose nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.core.exact import MAX_DEPTH
from schemas.rms.codes import Code
from schemas.rms.pending import slip_key
from tests.core.rms.bet_records import ANSWERED, LOGGED_MS, PLACED, SLIP, feed, messages, task

HOUR_MS = 3_600_000


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {other: content for other, content in value.items() if other != name}


def text(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


def nested(depth: int) -> bytes:
    return text(PLACED)[:-1] + b',"x":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


DEAD: list[tuple[Any, Code]] = [
    (None, Code.EMPTY),
    (b"", Code.EMPTY),
    (b"\x00\x01\xfe", Code.BAD_UTF8),
    (b"<html>", Code.NOT_JSON),
    (text(PLACED)[:-1], Code.NOT_JSON),
    (text(PLACED) * 2, Code.NOT_JSON),
    (text(PLACED).decode().encode("utf-16"), Code.BAD_UTF8),
    (text(PLACED).replace(b": 250,", b": NaN,"), Code.NOT_JSON),
    (text(PLACED).replace(b": 250,", b": -Infinity,"), Code.NOT_JSON),
    (text(PLACED).replace(b"prematch", b"\xff"), Code.BAD_UTF8),
    (nested(MAX_DEPTH + 1), Code.TOO_DEEP),
    (nested(100_000), Code.TOO_DEEP),
    (text(PLACED)[:-1] + b',"stake":25}', Code.DUPLICATE_KEY),
    (text(PLACED)[:-1] + b',"st\\u0061ke":25}', Code.DUPLICATE_KEY),
    (b"null", Code.NOT_AN_OBJECT),
    (b"1", Code.NOT_AN_OBJECT),
    ([PLACED], Code.NOT_AN_OBJECT),
    (json.dumps(PLACED), Code.NOT_AN_OBJECT),
    ({}, Code.UNKNOWN_TYPE),
    (PLACED | {"type": "Placed"}, Code.UNKNOWN_TYPE),
    (PLACED | {"type": ["placed"]}, Code.UNKNOWN_TYPE),
    (PLACED | {"type": "settled"}, Code.UNKNOWN_TYPE),
    (without(PLACED, "customer"), Code.BAD_CUSTOMER),
    (PLACED | {"customer": ""}, Code.BAD_CUSTOMER),
    (PLACED | {"customer": "acme"}, Code.BAD_CUSTOMER),
    (PLACED | {"customer": " 90210"}, Code.BAD_CUSTOMER),
    (PLACED | {"customer": "٩٠"}, Code.BAD_CUSTOMER),
    (PLACED | {"customer": -1}, Code.BAD_CUSTOMER),
    (PLACED | {"customer": 90210.0}, Code.BAD_CUSTOMER),
    (PLACED | {"customer": 10**20}, Code.BAD_CUSTOMER),
    (PLACED | {"customer": True}, Code.BAD_CUSTOMER),
    (without(PLACED, "bet_slip_id"), Code.NO_SLIP_ID),
    (without(ANSWERED, "bet_slip_id"), Code.NO_SLIP_ID),
    (PLACED | {"bet_slip_id": None}, Code.NO_SLIP_ID),
    (PLACED | {"bet_slip_id": ""}, Code.NO_SLIP_ID),
    (PLACED | {"bet_slip_id": 123.0}, Code.NO_SLIP_ID),
    (PLACED | {"bet_slip_id": False}, Code.NO_SLIP_ID),
    (PLACED | {"bet_slip_id": [SLIP]}, Code.NO_SLIP_ID),
    (PLACED | {"bet_slip_id": "x" * 201}, Code.NO_SLIP_ID),
    (PLACED | {"bet_slip_id": 10**200}, Code.NO_SLIP_ID),
    (PLACED | {"bet_slip_id": "a\nb"}, Code.NO_SLIP_ID),
    (PLACED | {"bet_slip_id": "\ud800"}, Code.BAD_UTF8),
    (ANSWERED | {"bet_code": 1.0}, Code.BAD_FIELD),
    (ANSWERED | {"bet_code": True}, Code.BAD_FIELD),
    (ANSWERED | {"bet_code": "\udfff"}, Code.BAD_UTF8),
    (ANSWERED | {"bet_code": {}}, Code.BAD_FIELD),
    (without(PLACED, "placed_at"), Code.BAD_TIME),
    (PLACED | {"placed_at": None}, Code.BAD_TIME),
    (PLACED | {"placed_at": ""}, Code.BAD_TIME),
    (PLACED | {"placed_at": "yesterday"}, Code.BAD_TIME),
    (PLACED | {"placed_at": "2026-09-21T14:13:20"}, Code.BAD_TIME),
    (PLACED | {"placed_at": "2026-09-21"}, Code.BAD_TIME),
    (PLACED | {"placed_at": "2026-02-30T14:13:20Z"}, Code.BAD_TIME),
    (PLACED | {"placed_at": "0000-01-01T00:00:00Z"}, Code.BAD_TIME),
    (PLACED | {"placed_at": "2026-09-21T24:13:20Z"}, Code.BAD_TIME),
    (PLACED | {"placed_at": "2026-09-21T14:13:20+24:00"}, Code.BAD_TIME),
    (PLACED | {"placed_at": "2026-09-21T14:13:20+00:60"}, Code.BAD_TIME),
    (PLACED | {"placed_at": float(LOGGED_MS)}, Code.BAD_TIME),
    (PLACED | {"placed_at": -LOGGED_MS}, Code.BAD_TIME),
    (PLACED | {"placed_at": LOGGED_MS * 1_000_000}, Code.BAD_TIME),
    (PLACED | {"placed_at": LOGGED_MS + HOUR_MS + 1}, Code.FUTURE_TIME),
    (PLACED | {"placed_at": "9999-12-31T23:59:59Z"}, Code.FUTURE_TIME),
    (ANSWERED | {"answered_at": LOGGED_MS + HOUR_MS + 1}, Code.FUTURE_TIME),
    (PLACED | {"placed_at": LOGGED_MS - 6 * HOUR_MS - 1}, Code.BET_TOO_OLD),
    (PLACED | {"placed_at": LOGGED_MS // 1000}, Code.BAD_TIME),
    (PLACED | {"placed_at": "2002-01-01T00:00:00+23:00"}, Code.BET_TOO_OLD),
    (ANSWERED | {"answered_at": LOGGED_MS - 6 * HOUR_MS - 1}, Code.BET_TOO_OLD),
    (without(PLACED, "context"), Code.BAD_CONTEXT),
    (PLACED | {"context": ""}, Code.BAD_CONTEXT),
    (PLACED | {"context": 5}, Code.BAD_CONTEXT),
    (PLACED | {"context": "x" * 41}, Code.BAD_CONTEXT),
    (PLACED | {"context": ["live"]}, Code.BAD_CONTEXT),
    (PLACED | {"context": "a\x07"}, Code.BAD_CONTEXT),
    (without(PLACED, "stake"), Code.BAD_STAKE),
    (PLACED | {"stake": -1}, Code.BAD_STAKE),
    (PLACED | {"stake": 0}, Code.BAD_STAKE),
    (PLACED | {"stake": "0.00"}, Code.BAD_STAKE),
    (PLACED | {"stake": "NaN"}, Code.BAD_STAKE),
    (PLACED | {"stake": "Infinity"}, Code.BAD_STAKE),
    (PLACED | {"stake": "1_000"}, Code.BAD_STAKE),
    (PLACED | {"stake": "1,50"}, Code.BAD_STAKE),
    (PLACED | {"stake": "٢٥٠"}, Code.BAD_STAKE),
    (PLACED | {"stake": ""}, Code.BAD_STAKE),
    (PLACED | {"stake": True}, Code.BAD_STAKE),
    (PLACED | {"stake": {"totalAmount": 250}}, Code.BAD_STAKE),
    (text(PLACED).replace(b": 250,", b": 1e999999999,"), Code.BAD_STAKE),
    (text(PLACED).replace(b": 250,", b": " + b"9" * 4_000 + b","), Code.BAD_STAKE),
    (without(ANSWERED, "disposition"), Code.UNKNOWN_DISPOSITION),
    (ANSWERED | {"disposition": "Referred"}, Code.UNKNOWN_DISPOSITION),
    (ANSWERED | {"disposition": "pending"}, Code.UNKNOWN_DISPOSITION),
    (ANSWERED | {"disposition": ["referred"]}, Code.UNKNOWN_DISPOSITION),
    (ANSWERED | {"disposition": None}, Code.UNKNOWN_DISPOSITION),
]


@pytest.mark.parametrize(("value", "code"), DEAD, ids=[f"{number}-{code}" for number, (_, code) in enumerate(DEAD)])
def test_is_a_dead_letter_and_siblings_go_on(value: Any, code: Code):
    router = task()
    feed(router, PLACED)
    feed(router, value)
    feed(router, ANSWERED)
    (dead,) = router.dead_letters
    assert (dead.code, dead.index, dead.source) == (code, None, "tricast.rms.bets/2/1")
    assert [message.__struct_config__.tag for message in messages(router)] == ["placed", "answered", "alias"]


@pytest.mark.parametrize(
    "key", [b"", b"\xff", f"90211/{SLIP}", f"90210/{SLIP}x", f"90210:{SLIP}", "90210/", "x" * 10_000], ids=range(7)
)
def test_a_key_that_is_another_bets_is_a_dead_letter(key: str | bytes):
    router = task()
    feed(router, PLACED, key)
    assert [dead.code for dead in router.dead_letters] == [Code.KEY_DIFFERS]
    assert not router.outputs


def test_a_record_without_timestamp_is_a_dead_letter():
    router = task()
    feed(router, PLACED, timestamp=-1)
    assert [dead.code for dead in router.dead_letters] == [Code.BAD_TIME]


def test_how_old_a_bet_may_be_is_a_setting():
    router = task(remember_s=60)
    feed(router, PLACED | {"placed_at": LOGGED_MS - 60_000})
    feed(router, PLACED | {"placed_at": LOGGED_MS - 60_001})
    assert [dead.code for dead in router.dead_letters] == [Code.BET_TOO_OLD]
    assert len(router.outputs) == 1


def test_depth_is_counted_and_not_brackets():
    for value in (nested(MAX_DEPTH), text(PLACED)[:-1] + b',"x":[' + b"[]," * 500 + b'"[[["]}'):
        router = task()
        feed(router, value)
        assert router.outputs


def test_a_byte_order_mark_and_space_around_cost_nothing():
    router = task()
    feed(router, b"\xef\xbb\xbf " + text(PLACED) + b"\r\n")
    assert router.outputs


def test_what_is_dead_is_kept_as_it_came():
    router = task()
    feed(router, b"\xff{")
    assert [dead.value for dead in router.dead_letters] == [b"\xff{"]


FIELDS = sorted(PLACED.keys() | ANSWERED.keys())
values: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([LOGGED_MS, "placed", "answered", "prematch", "unknown", "1.50", "90210", ""])
    | st.text(st.characters(exclude_categories=()), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FIELDS, "odds"]), inner, max_size=3),
    max_leaves=6,
)


def has_an_end(value: Any) -> None:
    """Either one dead letter, or messages of one bet to the keys that they belong to."""
    router = task()
    feed(router, value)
    said = messages(router)
    assert len(router.dead_letters) == (0 if said else 1)
    assert len(said) < 3
    if said:
        assert router.outputs[0].key == slip_key(said[0].customer, said[0].slip or "")  # type: ignore[union-attr]


@given(st.sampled_from([PLACED, ANSWERED]), st.dictionaries(st.sampled_from(FIELDS), values, max_size=3))
def test_no_change_of_a_good_record_raises(value: dict[str, Any], change: dict[str, Any]):
    has_an_end(value | change)


@given(st.sampled_from([PLACED, ANSWERED]), st.integers(0, 400), st.integers(0, 400), st.binary(max_size=4))
def test_no_damaged_record_raises(value: dict[str, Any], start: int, end: int, junk: bytes):
    whole = text(value)
    has_an_end(whole[:start] + junk + whole[end:])
