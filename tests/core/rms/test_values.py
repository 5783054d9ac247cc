"""Ids, times and amounts of payloads."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from processors.core.exact import FlawedError, read_object
from processors.core.rms.amounts import amount
from processors.core.rms.ids import customer_text, id_text
from processors.core.rms.times import time_ns

AT_NS = 1_772_445_851_532_000_000  # 2026-03-02T10:04:11.532Z


def said(text: str) -> Any:
    return read_object(b'{"value":%b}' % text.encode())["value"]


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ('"7d5f3c1a-0b2e"', "7d5f3c1a-0b2e"),
        ('" with spaces "', " with spaces "),
        ('"0007"', "0007"),
        ('"123.0"', "123.0"),
        ("0", "0"),
        ("4459816548", "4459816548"),
        ("9007199254740993", "9007199254740993"),
        ("18446744073709551617", "18446744073709551617"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('"\\u00e9\\u4e2d"', "é中"),
        ('"' + "x" * 200 + '"', "x" * 200),
        ('"' + "x" * 201 + '"', None),
        ("1" + "0" * 200, None),
        ("123.0", None),
        ("1e3", None),
        ("-5", None),
        ("true", None),
        ("null", None),
        ('""', None),
        ('"a\\u0000"', None),
        ('"a\\nb"', None),
        ('"\\u0085"', None),
        ('["a"]', None),
        ('{"id":"a"}', None),
    ],
)
def test_id_is_exact_text_or_none(text: str, id_: str | None):
    assert id_text(said(text)) == id_


@pytest.mark.parametrize(
    ("text", "customer"),
    [('"90210"', "90210"), ("90210", "90210"), ('"٣"', None), ('"12a"', None), ("1" * 21, None), ('""', None)],
)
def test_customer_is_digits(text: str, customer: str | None):
    assert customer_text(said(text)) == customer


@pytest.mark.parametrize(
    ("text", "at_ns"),
    [
        ('"2026-03-02T10:04:11.532Z"', AT_NS),
        ('"2026-03-02T10:04:11.5320000"', AT_NS),
        ('"2026-03-02T10:04:11.5320001Z"', AT_NS + 100),
        ('"2026-03-02T12:04:11.532+02:00"', AT_NS),
        ("1772445851532", AT_NS),
        ('"1772445851532"', AT_NS),
        ("1772445851", None),  # seconds: a time in 1970
        ("1772445851532.5", None),
        ("1" + "0" * 40, None),
        ('"' + "9" * 5000 + '"', None),
        ('"yesterday"', None),
        ('""', None),
        ("true", None),
        ("null", None),
        ("{}", None),
    ],
)
def test_time_is_exact_or_none(text: str, at_ns: int | None):
    assert time_ns(said(text)) == at_ns


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("250", "250"),
        ("0", "0"),
        ("1.95", "1.95"),
        ("1.9500", "1.9500"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        (f"0.{'1' * 40}", f"0.{'1' * 40}"),
        (f"0.{'1' * 41}", None),  # more decimals than anybody bets
        ('"250.00"', "250.00"),
        ("2.5e2", "250"),
        ("1E-3", "0.001"),
        ("-0.0", "0.0"),
        ("-1", None),
        ("1e999999999", None),
        ("1" * 40, "1" * 40),
        ("1" * 41, None),
        ('"NaN"', None),
        ('"Infinity"', None),
        ('"1_000"', None),
        ('" 1"', None),
        ('"1,5"', None),
        ("true", None),
        ("null", None),
        ("[1]", None),
    ],
)
def test_amount_is_exact_or_none(text: str, exact: str | None):
    found = amount(said(text))
    assert found is None if exact is None else str(found) == exact


@given(st.decimals(min_value=0, allow_nan=False, allow_infinity=False, places=6, max_value=10**12))
def test_any_amount_comes_back(value: Decimal):
    text = format(value, "f")
    assert str(amount(Raw(text.encode()))) == str(amount(text)) == text


@given(st.text(max_size=40))
def test_no_text_breaks_any_of_them(text: str):
    for read in (id_text, customer_text, time_ns, amount):
        read(text)
    try:
        value = said(text)
    except FlawedError:
        return
    for read in (id_text, customer_text, time_ns, amount):
        read(value)
