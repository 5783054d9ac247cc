"""What `tricast dlq` reads, chooses, completes, asks for and leaves alone; and requests that are none."""

import io
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from processors.core.kambi.processor import KambiProcessor
from processors.core.replay import Original, Replay, is_replayed, open_request, remember
from schemas.replay import MAX_ATTEMPTS, Position, ReplayRequest
from tests.audit.memory_kafka import MemoryKafka
from tests.core.driver import DictStore, Record
from tests.dlq.bench import Bench
from tests.replay.frames import Row
from tricast.cli.dlq.looking import table_of
from tricast.dlq.guard import refusal
from tricast.dlq.letters import Choice, Letter, read_letter
from tricast.dlq.newest import Newest
from tricast.dlq.oldest import Oldest
from tricast.dlq.requests import complete, completed, lacks, request_of
from tricast.dlq.shown import line_text, summary, value_text

LETTER = Letter(
    position=Position("t.kambi.dead-letters", 0, 7),
    timestamp_ms=1_790_000_000_000,
    key=b"0",
    value=b"{}",
    code="kambi.bad-element",
    detail="x",
    source=Position("t.kambi.raw", 0, 3, 1),
    version="1.0",
    part=None,
    stamps=(("tc-kind", b"frame"), ("tc-line", b"l")),
)


def why(letter: Letter, **options: Any) -> str | None:
    return refusal(letter, **{"prefix": "t.", "version": "2.0", "even_if_unchanged": False} | options)


def test_a_letter_of_another_version_may_be_replayed():
    assert why(LETTER) is None


def test_a_letter_of_this_version_only_when_it_is_said():
    assert "1.0" in (why(LETTER, version="1.0") or "")
    assert why(LETTER, version="1.0", even_if_unchanged=True) is None


@pytest.mark.parametrize("even", [False, True])
def test_what_was_tried_often_enough_is_left_alone(even: bool):
    assert why(replace(LETTER, attempt=MAX_ATTEMPTS - 1), even_if_unchanged=even) is None
    assert "times" in (why(replace(LETTER, attempt=MAX_ATTEMPTS), even_if_unchanged=even) or "")


@pytest.mark.parametrize(
    "code",
    [
        "output-too-large",
        "hole-error",
        "kambi.replay-refused",
        "rms.bad-replay",
        "kambi.bad-headers",
        "rms.bad-message",
    ],
)
def test_codes_that_are_final(code: str):
    assert why(replace(LETTER, code=code))


def test_letters_of_the_join_say_what_to_do():
    letter = replace(LETTER, code="processor-error", source=Position("t.rms.pending", 0, 3), stamps=())
    assert "tricast reset rms.join" in (why(letter) or "")


@pytest.mark.parametrize("source", ["kambi.offers", "fastpath.actions"])
def test_letters_of_latest_states_are_mended_by_the_next_fact(source: str):
    letter = replace(LETTER, code="processor-error", source=Position(f"t.{source}", 0, 3), stamps=())
    assert "next fact" in (why(letter) or "")


def test_records_of_bet_platforms_have_no_kind():
    assert why(replace(LETTER, code="rms.bad-field", source=Position("t.rms.bets", 0, 3), stamps=())) is None


@pytest.mark.parametrize(
    ("choice", "takes"),
    [
        (Choice(), True),
        (Choice(codes=frozenset({"kambi.bad-element"})), True),
        (Choice(codes=frozenset({"other"})), False),
        (Choice(since_ms=LETTER.timestamp_ms, until_ms=LETTER.timestamp_ms + 1), True),
        (Choice(until_ms=LETTER.timestamp_ms), False),
        (Choice(since_ms=LETTER.timestamp_ms + 1), False),
        (Choice(key=b"1"), False),
        (Choice(positions=frozenset({LETTER.position})), True),
        (Choice(positions=frozenset({LETTER.source})), False),
    ],
)
def test_what_is_meant(choice: Choice, takes: bool):
    assert choice.takes(LETTER) is takes


def placed(*place: int | None, size: int = 0) -> Letter:
    return replace(LETTER, source=Position("t.kambi.raw", *place), value=b"x" * size)  # type: ignore[arg-type]


def test_letters_are_in_the_order_of_their_sources():
    oldest = Oldest(9)
    for place in ((0, 9, None), (0, 3, 2), (1, 0, None), (0, 3, 0)):
        oldest.put(placed(*place))
    assert [tuple(letter.source[1:]) for letter in oldest.letters] == [(0, 3, 0), (0, 3, 2), (0, 9, None), (1, 0, None)]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 50)), max_size=40, unique_by=lambda one: one[0]),
    st.integers(1, 10),
    st.integers(1, 100),
)
def test_however_many_there_are_the_oldest_are_held_and_no_more_than_fit(
    letters: list[tuple[int, int]], limit: int, most_bytes: int
):
    oldest = Oldest(limit, most_bytes)
    for offset, size in letters:
        oldest.put(placed(0, offset, size=size))
    kept = [letter.source.offset for letter in oldest.letters]
    assert kept == sorted(offset for offset, _ in letters)[: len(kept)], "none is passed over"
    assert oldest.left == len(letters) - len(kept)
    assert len(kept) <= limit
    assert len(kept) <= 1 or sum(len(letter.value) for letter in oldest.letters) <= most_bytes
    assert kept or not letters


@given(st.lists(st.integers(0, 5), max_size=20), st.integers(0, 6))
def test_of_the_newest_no_bytes_are_held(times: list[int], limit: int):
    newest = Newest(limit)
    for number, time in enumerate(times):
        newest.put(replace(LETTER, timestamp_ms=time, position=Position("t", 0, number)))
    wanted = sorted((time, number) for number, time in enumerate(times))[max(0, len(times) - limit) :]
    assert [said["position"] for said in newest.summaries()] == [f"t/0/{number}" for _, number in wanted]


def test_a_request_says_all_that_the_letter_knows():
    letter = replace(LETTER, part="EVENT", attempt=1)
    row = request_of(letter)
    asked = open_request(Record(offset=9, value=row.value, headers=row.headers, topic=row.topic, key=row.key))
    assert isinstance(asked, Replay)
    assert asked.record == Original(
        topic="t.kambi.raw",
        partition=0,
        offset=3,
        timestamp=LETTER.timestamp_ms,
        key=b"0",
        value=b"{}",
        headers=[("tc-kind", b"frame"), ("tc-line", b"l")],
    )
    assert (asked.index, asked.name, asked.code, asked.attempt) == (1, "EVENT", "kambi.bad-element", 2)
    assert (asked.letter, asked.request) == ("t.kambi.dead-letters/0/7", "t.kambi.raw/0/9")
    assert not {name for name, _ in row.headers} & {"tc-line", "tc-connection", "tc-frame", "tc-received-ns"}


def test_a_whole_record_that_was_cut_off_is_completed():
    letter = replace(LETTER, truncated=9, source=Position("t.kambi.raw", 0, 3))
    assert lacks(letter, "t.")
    assert complete(letter, Record(offset=3, value=b"123456789", headers=[])) == replace(
        letter, value=b"123456789", truncated=None
    )


def test_a_part_that_was_cut_off_is_not():
    assert isinstance(complete(replace(LETTER, truncated=9), Record(offset=3, value=b"", headers=[])), str)


@pytest.mark.parametrize(
    ("truncated", "said"),
    [(9, "it has 4 of 9 bytes"), (None, "it does not name its event")],
    ids=["cut off", "nameless"],
)
async def test_what_retention_took_the_source_of_is_refused_in_words(truncated: int | None, said: str):
    place = TopicPartition("t.kambi.raw", 0)
    kafka = MemoryKafka({place: [Row(*place, offset, 0, b"", b"", ()) for offset in range(5)]}).without(raw=4)
    letter = replace(LETTER, value=b"1234", truncated=truncated, source=Position(*place, 3))
    assert await completed(kafka, letter) == f"{said}, and its source t.kambi.raw/0/3 is not kept any more"


def test_an_approval_that_does_not_name_its_event_is_completed():
    letter = replace(LETTER, source=Position("t.rms.raw", 0, 3, 0))
    assert lacks(letter, "t.")
    whole = complete(letter, Record(offset=3, value=b'2["RESERVE_BET_REJECT",{}]', headers=[]))
    assert whole == replace(letter, part="RESERVE_BET_REJECT")
    assert not lacks(replace(letter, part="x"), "t.")


@pytest.mark.parametrize("headers", [[], [("tc-source", b"t/0/x"), ("tc-code", b"c")], [("tc-code", b"c")]])
def test_what_is_no_dead_letter(headers: list[tuple[str, bytes]]):
    assert read_letter(Record(offset=0, value=b"", headers=headers)) is None


def test_bytes_for_people():
    assert value_text(b'{"a":1.10}') == '{\n  "a": 1.10\n}'
    assert value_text(b'2["m","\x00"]') == '2["m","\\x00"]'
    assert value_text(b"\xffab").startswith("00000000  ff 61 62")
    assert value_text('"\x7f\x9b2J\u202e"'.encode()) == '"\\x7f\\x9b2J\\u202e"', "no orders to a terminal"
    assert line_text("a\n\x1b[2J[/b]") == "a\\n\\x1b[2J[/b]"


def test_the_table_of_letters_says_what_is_in_them_and_obeys_none():
    letter = replace(LETTER, key=b"[/bold]\x1b[2J", code="[red]", detail="[/] not there\r")
    console = Console(file=io.StringIO(), width=400)
    console.print(table_of([summary(letter)]), highlight=False)
    shown = console.file.getvalue()  # type: ignore[attr-defined]  # StringIO
    assert "[/bold]\\x1b[2J" in shown
    assert "[red]" in shown
    assert "[/] not there\\r" in shown


def test_a_narrow_table_of_letters_still_has_positions_to_copy():
    console = Console(file=io.StringIO(), width=80)
    console.print(table_of([summary(LETTER)]), highlight=False)
    assert str(LETTER.position) in console.file.getvalue()  # type: ignore[attr-defined]  # StringIO


# Requests that are none: a dead letter, never more.

GOOD = ReplayRequest(
    of=Position("t.kambi.raw", 0, 0, 1),
    letter=LETTER.position,
    attempt=1,
    code="c",
    timestamp_ms=5,
    stamps=LETTER.stamps,
).to_kafka()
BAD = {
    "nothing said": [("tc-kind", b"replay")],
    **{f"no {name}": [one for one in GOOD if one[0] != name] for name, _ in GOOD[1:6]},
    "another partition": [("tc-replay-of", b"t.kambi.raw/1/0"), *GOOD],
    "another topic": [("tc-replay-of", b"t.fastpath.raw/0/0"), *GOOD],
    "itself": [("tc-replay-of", b"t.kambi.raw/0/2"), *GOOD],
    "beyond the end": [("tc-replay-of", b"t.kambi.raw/0/99999"), *GOOD],
    "no position": [("tc-replay-of", b"x"), *GOOD],
    "no number": [("tc-replay-of", "t.kambi.raw/0/²".encode()), *GOOD],
    "no text": [("tc-replay-of", b"\xff/0/0"), *GOOD],
    "attempt of no number": [("tc-replay-attempt", b"-1"), *GOOD],
    "attempt 0": [("tc-replay-attempt", b"0"), *GOOD],
    "endless number": [("tc-replay-timestamp-ms", b"9" * 5000), *GOOD],
}


def bench() -> Bench:
    made = Bench(KambiProcessor(), "t.kambi.raw")
    made.feed([Record(offset=0, value=b"2", headers=[])] * 2)
    made.letters.clear()
    return made


@pytest.mark.parametrize("headers", BAD.values(), ids=BAD)
def test_a_request_that_is_none_is_a_dead_letter(headers: list[tuple[str, bytes]]):
    made = bench()
    first = dict(reversed(headers))  # as written above: what stands first holds
    assert not made.feed([Record(offset=0, value=b"{}", headers=[*first.items()])])
    assert [(letter.code, str(letter.source)) for letter in made.letters] == [("kambi.bad-replay", "t.kambi.raw/0/2")]


@given(st.dictionaries(st.sampled_from([name for name, _ in GOOD] + ["tc-replay-part"]), st.binary(max_size=20)))
def test_no_headers_make_a_request_crash(changes: dict[str, bytes]):
    made = bench()
    headers = dict(GOOD) | changes | {"tc-kind": b"replay"}
    assert not made.feed([Record(offset=0, value=b"{}", headers=[*headers.items()])])
    assert len(made.letters) == 1


def test_of_very_many_replays_the_oldest_is_forgotten():
    store = DictStore()
    asked = open_request(Record(offset=9, value=b"", headers=GOOD, topic="t.kambi.raw"))
    assert isinstance(asked, Replay)
    all_of_them = [replace(asked, letter=f"t.kambi.dead-letters/0/{number}") for number in range(5)]
    for one in all_of_them:
        remember(one, store, most=3)
    assert [is_replayed(one, store) for one in all_of_them] == [False, False, True, True, True]
    assert len(store.entries) == 2 * 3 + 1
