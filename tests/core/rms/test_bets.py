"""The router of bets: what the join is told of good records."""

from typing import Any

import pytest

from schemas.rms.pending import Alias, Answered, Placed, code_key, slip_key
from schemas.topics import TOPICS
from tests.core.rms.bet_records import (
    ANSWERED,
    LOGGED_MS,
    LOGGED_NS,
    PLACED,
    SLIP,
    feed,
    message_of,
    messages,
    outputs_of,
    task,
)

MS = 1_000_000


def test_a_placed_bet_goes_to_its_slip():
    router = task()
    feed(router, PLACED, f"90210/{SLIP}")
    (placed,) = messages(router)
    assert isinstance(placed, Placed)
    assert placed == Placed(
        customer="90210",
        slip=SLIP,
        context="prematch",
        stake="250",
        odds=("1.95",),
        platform="4021",
        placed_ns=LOGGED_NS - 750 * MS,
        logged_ns=LOGGED_NS,
        content=placed.content,
        position="tricast.rms.bets/2/0",
    )
    assert [output.topic for output in router.outputs] == ["rms.pending"]
    assert router.outputs[0].key == slip_key("90210", SLIP)
    assert router.outputs[0].headers == ()
    assert not router.counts


def test_an_answer_goes_to_its_slip_and_its_code_becomes_an_alias():
    router = task()
    feed(router, ANSWERED, f"90210/{SLIP}")
    position = "tricast.rms.bets/2/0"
    assert messages(router) == [
        Answered(
            customer="90210",
            slip=SLIP,
            disposition="referred",
            code="k3v9q7a1z-m4n8p2x6c0",
            short_code="7306",
            answered_ns=LOGGED_NS - 100 * MS,
            logged_ns=LOGGED_NS,
            position=position,
        ),
        Alias(customer="90210", code="k3v9q7a1z-m4n8p2x6c0", slip=SLIP, position=position),
    ]
    assert [output.key for output in router.outputs] == [
        slip_key("90210", SLIP),
        code_key("90210", "k3v9q7a1z-m4n8p2x6c0"),
    ]


@pytest.mark.parametrize("code", [None, "", ...], ids=["null", "empty", "absent"])
def test_an_answer_without_code_has_no_alias(code: Any):
    answered = {name: value for name, value in ANSWERED.items() if name != "bet_code"}
    outputs = outputs_of(answered if code is ... else answered | {"bet_code": code})
    assert [output.key for output in outputs] == [slip_key("90210", SLIP)]


@pytest.mark.parametrize("key", [None, f"90210/{SLIP}", SLIP])
def test_the_key_may_be_missing_or_the_slip_alone(key: str | None):
    assert outputs_of(PLACED, key)


def test_two_customers_may_have_the_same_slip_id():
    router = task()
    for customer in ("90210", "90211"):
        feed(router, PLACED | {"customer": customer})
    assert [output.key for output in router.outputs] == [slip_key("90210", SLIP), slip_key("90211", SLIP)]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("4459816548", "4459816548"),
        (4459816548, "4459816548"),
        (2**53 + 1, "9007199254740993"),
        (2**64 + 1, "18446744073709551617"),
        (10**199, "1" + "0" * 199),
        ("0012", "0012"),
        (" a/b:c é", " a/b:c é"),
        ("123.0", "123.0"),
    ],
)
def test_ids_are_taken_digit_by_digit(written: Any, text: str):
    placed = message_of(PLACED | {"bet_slip_id": written})
    answered = message_of(ANSWERED | {"bet_slip_id": written, "bet_code": written, "short_code": written})
    assert isinstance(placed, Placed)
    assert isinstance(answered, Answered)
    assert placed.slip == answered.slip == answered.code == answered.short_code == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"250", "250"),
        (b"250.00", "250"),
        (b'"250.0"', "250"),
        (b"2.5e2", "250"),
        (b'"1E+2"', "100"),
        (b"12.35", "12.35"),
        (b"0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        (b'"90071992547409930.01"', "90071992547409930.01"),
        (b"0.0010", "0.001"),
    ],
)
def test_a_stake_is_exact_and_written_in_one_way(written: bytes, text: str):
    value = b'{"type":"placed","customer":1,"bet_slip_id":"s","placed_at":%d,"context":"live","stake":%b}'
    placed = message_of(value % (LOGGED_MS, written))
    assert isinstance(placed, Placed)
    assert placed.stake == text


@pytest.mark.parametrize(
    ("written", "after_ns"),
    [
        ("2026-09-21T14:13:20Z", 0),
        ("2026-09-21t14:13:20z", 0),
        ("2026-09-21 16:13:20+02:00", 0),
        ("2026-09-21T08:43:20.5-05:30", 500 * MS),
        ("2026-09-21T14:13:20.1234567Z", 123_456_700),
        ("2026-09-21T14:13:20.123456789123Z", 123_456_789),
        ("2026-09-21T14:12:60Z", -20_000 * MS),
        (LOGGED_MS - 5, -5 * MS),
        (str(LOGGED_MS - 5), -5 * MS),
        (LOGGED_MS + 3_600_000, 3_600_000 * MS),
        (LOGGED_MS - 21_600_000, -21_600_000 * MS),
    ],
)
def test_times_are_exact(written: Any, after_ns: int):
    placed = message_of(PLACED | {"placed_at": written})
    answered = message_of(ANSWERED | {"answered_at": written})
    assert isinstance(placed, Placed)
    assert isinstance(answered, Answered)
    assert placed.placed_ns - LOGGED_NS == answered.answered_ns - LOGGED_NS == after_ns


SAME: list[dict[str, Any]] = [
    {"placed_at": LOGGED_MS},
    {"stake": "250.00"},
    {"platform_id": "4021"},
    {"user_id": 88017},
    {"something": "new"},
    {"selections": [{**PLACED["selections"][0], "event_id": 5120033471, "odds": "1.950", "other": 1}]},
]
OTHER: list[dict[str, Any]] = [
    {"stake": 251},
    {"context": "live"},
    {"platform_id": 4022},
    {"bet_type": "multiple"},
    {"user_id": 88018},
    {"selections": []},
    {"selections": [{**PLACED["selections"][0], "odds": 1.96}]},
    {"selections": [{**PLACED["selections"][0], "line": "2.5"}]},
    {"selections": PLACED["selections"] * 2},
]


@pytest.mark.parametrize("change", SAME, ids=str)
def test_an_equal_resend_has_equal_content(change: dict[str, Any]):
    assert content(PLACED | change) == content(PLACED)


@pytest.mark.parametrize("change", OTHER, ids=str)
def test_another_bet_has_other_content(change: dict[str, Any]):
    assert content(PLACED | change) != content(PLACED)


def content(value: dict[str, Any]) -> str:
    placed = message_of(value)
    assert isinstance(placed, Placed)
    return placed.content


def test_odds_go_along_in_order_and_only_if_each_selection_has_them():
    selections = [{"odds": 1.5}, {"odds": "2.250"}]
    assert odds_of(selections) == ("1.5", "2.25")
    assert odds_of([*selections, {"event_id": 1}]) == ()
    assert odds_of([]) == ()
    assert odds_of([{"odds": 2}] * 100) == ("2",) * 100


def odds_of(selections: list[dict[str, Any]]) -> tuple[str, ...]:
    placed = message_of(PLACED | {"selections": selections})
    assert isinstance(placed, Placed)
    return placed.odds


def test_an_unknown_context_is_taken_and_counted():
    router = task()
    for context in ("prematch", "live", "inplay", "mixed", "Prematch", "virtual"):
        feed(router, PLACED | {"context": context})
    assert [message.context for message in messages(router) if isinstance(message, Placed)][-2:] == [
        "Prematch",
        "virtual",
    ]
    assert router.counts == {"rms.unknown-context": 2}


ODD: list[dict[str, Any]] = [
    PLACED | {"platform_id": ["4021"]},
    PLACED | {"platform_id": "x" * 41},
    PLACED | {"selections": "1"},
    PLACED | {"selections": ["1"]},
    PLACED | {"selections": [{"odds": 2}] * 101},  # no slip is that long, and the join's state of a bet stays small
    PLACED | {"selections": [{"odds": 0}]},
    PLACED | {"selections": [{"odds": "evens"}]},
    ANSWERED | {"short_code": True},
    ANSWERED | {"result": "true"},
]


@pytest.mark.parametrize("value", ODD, ids=[str(number) for number in range(len(ODD))])
def test_what_only_describes_costs_no_bet(value: dict[str, Any]):
    router = task()
    feed(router, value)
    assert router.outputs
    assert not router.dead_letters
    assert router.counts == {"rms.odd-field": 1}


def test_one_record_always_says_the_same():
    assert outputs_of(PLACED) == outputs_of(PLACED)
    assert outputs_of(ANSWERED) == outputs_of(ANSWERED)


def test_it_reads_and_writes_registered_topics():
    router = task().processor
    assert {*router.sources, *router.outputs} <= TOPICS.keys()
    assert f"changelog.{router.name}.{router.sources[0]}" in TOPICS
