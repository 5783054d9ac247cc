"""Ids and integers up to 2^63 - 1 survive wire → record → JSON as exact digits, in every type of message."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.core.kambi.answers import Answer, read_answer
from processors.core.kambi.processor import KambiProcessor
from schemas.codec import decode, encode
from schemas.kambi.wire import ELEMENTS, MAX_ID
from tests.core.driver import Driver
from tests.core.kambi.frames import frame
from tests.core.kambi.shapes import SHAPES, SPELLINGS, fill, marks

ids = st.one_of(
    st.integers(0, MAX_ID),
    st.integers(2**53, 2**53 + 99),
    st.sampled_from([3002001000000000000, 4345116628, 2**53 + 1, 2**32 + 1, MAX_ID - 1, MAX_ID]),
)
integers = st.one_of(ids, ids.map(lambda number: -number))
odds = st.one_of(st.integers(1000, MAX_ID), st.just(2**53 + 1), st.just(MAX_ID))
places = st.integers(-(10**18) + 1, 10**18 - 1)
BY_KIND = {"id": ids, "int": integers, "odds": odds, "place": places}
CASES = [(name, spelling) for name in SHAPES for spelling in SPELLINGS]


@st.composite
def numbers_of(draw: st.DrawFn, name: str) -> dict[tuple[str, str], int]:
    # Two ids that are equal would be one outcome or one offer, and fewer records.
    seen: set[int] = set()
    found = {}
    for kind, mark in sorted(marks(SHAPES[name])):
        number = draw(BY_KIND[kind].filter(lambda number: number not in seen))
        seen.add(number)
        found[kind, mark] = number
    return found


def whole_numbers(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from whole_numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from whole_numbers(inner)
    elif type(value) is int:
        yield value


def check(name: str, spelling: str, numbers: dict[tuple[str, str], int]) -> None:
    driver = Driver(KambiProcessor())
    driver.feed(frame(fill(SPELLINGS[spelling](SHAPES[name]), numbers)))
    assert driver.dead_letters == []
    found: set[int] = set()
    for output in driver.outputs:
        ce_type = output.header("ce_type")
        assert encode(decode(ce_type, output.value)) == output.value
        value = json.loads(output.value)
        found |= set(whole_numbers(value))
        settled = ce_type == "tricast.kambi.outcome.settled.v1"
        assert output.key.decode() == output.header("ce_subject") == str(value["outcome_id" if settled else "event_id"])
    constants = {-1} if "-1]" in SHAPES[name] else set()
    assert found == set(numbers.values()) | constants


def test_there_are_a_hundred_shapes_over_all_types():
    assert len(CASES) >= 100
    assert {json.loads(fill(text, dict.fromkeys(marks(text), 1)))["mt"] for text in SHAPES.values()} == ELEMENTS.keys()


@pytest.mark.parametrize(("name", "spelling"), CASES, ids=[f"{name}, {spelling}" for name, spelling in CASES])
def test_shape_beyond_2_to_the_53(name: str, spelling: str):
    first = {"id": 2**53 + 1, "int": -(2**53) - 1, "odds": 2**62 + 1, "place": 10**17 + 1}
    check(
        name,
        spelling,
        {(kind, mark): first[kind] + 2 * n for n, (kind, mark) in enumerate(sorted(marks(SHAPES[name])))},
    )


@given(st.data(), st.sampled_from(CASES))
def test_numbers_survive_digit_by_digit(data: st.DataObject, case: tuple[str, str]):
    check(*case, data.draw(numbers_of(case[0])))


@given(st.lists(ids, min_size=5, max_size=5, unique=True), st.booleans())
def test_numbers_of_answers_survive_digit_by_digit(numbers: list[int], quoted: bool):
    event, offer, criterion, outcome, version = map(str, numbers) if quoted else numbers
    live = {"eventId": event, "score": {"home": "1", "away": "0", "version": version}}
    bet_offer = {"id": offer, "eventId": event, "criterion": {"id": criterion}, "outcomes": [{"id": outcome}]}
    text = json.dumps({"events": [{"event": {"id": event}, "betOffers": [bet_offer], "liveData": live}]})
    found = read_answer("listView/football/all/all/all/matches.json", 200, text.encode())
    assert isinstance(found, Answer)
    assert found.broken == []
    assert {n for fact in found.facts for n in whole_numbers(json.loads(encode(fact)))} == set(numbers)
