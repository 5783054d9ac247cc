"""The stream task without Kafka: positions, rollback, dead letters, the stop ratio, repeats and holes."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.engine.task import AHEAD_MS, DETAIL_CHARS, RECORD_OVERHEAD_BYTES, Batch, Partition, StreamTask
from schemas.errors import EngineError, TooManyDeadLetters
from schemas.topics import Topic
from tests.engine.lab import frame, stamps
from tests.engine.toy import REGISTRY, ToyProcessor

SMALL = Topic(name="toy.out", description="", key="", max_message_bytes=RECORD_OVERHEAD_BYTES + 200)


CREATED_MS = 1234


@dataclass
class SourceRow:
    offset: int
    value: bytes | None
    headers: list[tuple[str, Any]] = field(default_factory=list)
    key: bytes | None = b"0"
    topic: str = "t.toy.raw"
    partition: int = 0
    timestamp: int = CREATED_MS


class Written(NamedTuple):
    """The fields of an output by name."""

    topic: str
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp_ms: int


def take_outputs(task):
    return [Written(*output) for output in task.take_outputs()]


class Recorder(ToyProcessor):
    """The toy, or ``step`` in its place; remembers the offsets it was given."""

    def __init__(self, step=None):
        self.step, self.offsets = step or super().process, []

    def process(self, record, context):
        self.offsets.append(record.offset)
        self.step(record, context)


def new_task(step=None, *, window=1000, ratio=0.5, out=REGISTRY["toy.out"]):
    recorder = Recorder(step)
    task = StreamTask(
        Partition("t.toy.raw", 0),
        recorder,
        topics={"toy.out": out, "toy.dead-letters": REGISTRY["toy.dead-letters"]},
        version="v9",
        stop_ratio=ratio,
        window=window,
    )
    return task, recorder.offsets


def rows(offsets, kids=(("a", "x"),)):
    return [SourceRow(offset, frame(offset, kids)) for offset in offsets]


def batch(records, start=None, end=None, seek=1):
    first, last = records[0].offset, records[-1].offset
    return Batch(seek, first if start is None else start, last + 1 if end is None else end, records)


# Positions.


def test_records_already_processed_are_trimmed():
    task, processed = new_task()
    assert task.process(batch(rows([0, 1, 2]))) == 3
    assert task.process(batch(rows([1, 2, 3]))) == 1
    assert task.process(batch(rows([0, 1]))) == 0
    assert (processed, task.position, task.counts.records) == ([0, 1, 2, 3], 4, 4)


def test_a_batch_that_begins_behind_the_position_is_refused_whole():
    task, processed = new_task()
    task.process(batch(rows([0])))
    with pytest.raises(EngineError, match="begins at offset 2, the task stands at 1"):
        task.process(batch(rows([2, 3])))
    assert (processed, task.position) == ([0], 1)


def test_offsets_covered_without_records_move_the_position():
    task, processed = new_task()
    task.process(batch(rows([3, 7]), start=0, end=12))
    task.process(batch(rows([14]), start=12))
    assert (processed, task.position) == ([3, 7, 14], 15)


def test_a_batch_that_ends_before_the_position_does_not_move_it_back():
    task, _ = new_task()
    task.process(batch(rows([0, 1, 2]), end=9))
    task.process(batch(rows([1]), end=2))
    assert task.position == 9


# Parts of a batch.

GAPPY = st.tuples(
    st.lists(st.integers(0, 60), min_size=1, max_size=30, unique=True).map(sorted), st.integers(0, 5), st.integers(0, 5)
)


@given(GAPPY, st.integers(1, 400))
def test_the_parts_of_a_batch_cover_its_offsets_without_hole_or_overlap(gappy, size):
    offsets, before, after = gappy
    whole = Batch(7, offsets[0] - before, offsets[-1] + 1 + after, rows(offsets))
    parts, sizes = zip(*whole.parts(size), strict=True)
    assert [record for part in parts for record in part.records] == whole.records
    assert [sum(len(record.value) for record in part.records) for part in parts] == list(sizes)
    assert all(sum(len(record.value) for record in part.records[:-1]) < size for part in parts)
    assert all(held >= size for held in sizes[:-1])
    assert [part.start for part in parts] + [whole.end] == [whole.start] + [part.end for part in parts]
    assert all(part.start <= record.offset < part.end for part in parts for record in part.records)
    assert {part.seek for part in parts} == {7}


@given(GAPPY, st.integers(1, 400), st.integers(0, 70))
def test_processing_the_parts_is_processing_the_batch(gappy, size, position):
    offsets, before, after = gappy
    whole = Batch(1, offsets[0] - before, offsets[-1] + 1 + after, rows(offsets))
    (at_once, seen_at_once), (in_parts, seen_in_parts) = new_task(), new_task()
    at_once.position = in_parts.position = max(position, whole.start)
    assert sum(in_parts.process(part) for part, _ in whole.parts(size)) == at_once.process(whole)
    assert (in_parts.position, seen_in_parts) == (at_once.position, seen_at_once)
    assert take_outputs(in_parts) == take_outputs(at_once)


# Outputs.


def test_outputs_come_in_order_once_and_carry_the_source_timestamp():
    task, _ = new_task()
    task.process(batch(rows([0, 1], kids=(("a", "x"), ("b", "y")))))
    taken = take_outputs(task)
    assert [(output.topic, output.key, output.timestamp_ms) for output in taken] == [
        ("toy.out", b"a", CREATED_MS),
        ("toy.out", b"b", CREATED_MS),
    ] * 2
    assert [dict(output.headers)["ce_id"] for output in taken] == [b"0/0", b"0/1", b"1/0", b"1/1"]
    assert take_outputs(task) == []
    assert task.counts.outputs == 4


def test_an_undeclared_output_dead_letters_the_record():
    task, _ = new_task(lambda record, context: context.forward("toy.other", b"", b"", []))
    task.process(batch(rows([0])))
    (letter,) = take_outputs(task)
    assert letter.topic == "toy.dead-letters"
    assert dict(letter.headers)["tc-detail"] == b"ContractError: processor toy has no output toy.other"


@pytest.mark.parametrize(("size", "topic"), [(200, "toy.out"), (201, "toy.dead-letters")])
def test_an_output_larger_than_its_topic_takes_dead_letters_the_record(size, topic):
    task, _ = new_task(lambda record, context: context.forward("toy.out", b"k", b"x" * size, []), out=SMALL)
    task.process(batch(rows([0])))
    (output,) = take_outputs(task)
    assert output.topic == topic


def test_a_tombstone_is_an_output_without_value():
    task, _ = new_task(lambda record, context: context.forward("toy.out", b"k", None, []))
    task.process(batch(rows([0])))
    assert [output.value for output in take_outputs(task)] == [None]


# Failures.


def test_a_failed_record_leaves_neither_state_nor_outputs_and_its_siblings_stay():
    task, _ = new_task()
    good, bad = (("a", "x"), ("b", "x")), (("a", "x"), ("c", "x"), ("b", "poison"))
    records = [SourceRow(0, frame(0, good)), SourceRow(1, frame(1, bad)), SourceRow(2, frame(2, good))]
    assert task.process(batch(records)) == 3
    outputs = take_outputs(task)
    assert [output.topic for output in outputs] == ["toy.out"] * 2 + ["toy.dead-letters"] + ["toy.out"] * 2
    assert outputs[2].value == records[1].value
    assert dict(task.store.items()) == {b"a": b"2", b"b": b"2"}
    changes = task.store.take_changes()
    assert {key: value for key, value in changes.items() if value is not None} == {b"a": b"2", b"b": b"2"}
    assert task.position == 3
    assert (task.counts.failures, task.counts.dead_letters) == (1, 1)


def test_dead_letters_written_before_a_failure_are_taken_back_with_it():
    def step(record, context):
        context.dead_letter(b"part", "toy.part", "", 0)
        raise ValueError("later")

    task, _ = new_task(step)
    task.process(batch(rows([0])))
    (letter,) = take_outputs(task)
    assert dict(letter.headers)["tc-code"] == b"processor-error"
    assert task.counts.dead_letters == 1


def test_dead_letter_headers_say_what_where_and_why():
    task, _ = new_task(lambda record, context: context.dead_letter(b"part", "toy.bad", "so bad \ud800", 3))
    source = SourceRow(7, b"whole", [*stamps(1), ("other", b"x")])
    task.process(batch([source], start=0))
    assert take_outputs(task) == [
        Written(
            "toy.dead-letters",
            b"0",
            b"part",
            [
                ("tc-code", b"toy.bad"),
                ("tc-detail", b"so bad ?"),
                ("tc-source", b"t.toy.raw/0/7/3"),
                ("tc-version", b"v9"),
                *stamps(1),
            ],
            CREATED_MS,
        )
    ]


def test_a_failed_record_without_value_becomes_an_empty_letter_of_the_whole_record():
    task, _ = new_task()
    task.process(batch([SourceRow(0, None, key=None)]))
    (letter,) = take_outputs(task)
    assert (letter.key, letter.value, dict(letter.headers)["tc-source"]) == (None, b"", b"t.toy.raw/0/0")


def test_long_details_are_cut():
    task, _ = new_task(lambda record, context: context.dead_letter(b"", "toy.bad", "d" * 10_000))
    task.process(batch(rows([0])))
    assert dict(take_outputs(task)[0].headers)["tc-detail"] == b"d" * DETAIL_CHARS


def poison(offsets):
    return [SourceRow(offset, frame(offset, [("a", "poison")])) for offset in offsets]


def test_the_stop_ratio_stops_at_the_first_failure_above_it():
    task, _ = new_task(window=10, ratio=0.5)
    task.process(batch(poison(range(5))))
    with pytest.raises(TooManyDeadLetters, match="6 of the last 10 records failed; last: ValueError: poisoned kid"):
        task.process(batch(poison([5])))


def test_failures_out_of_the_window_do_not_count():
    task, _ = new_task(window=10, ratio=0.5)
    for start in range(0, 200, 10):
        task.process(batch(poison(range(start, start + 5)) + rows(range(start + 5, start + 10))))
    assert task.counts.failures == 100


def test_dead_letters_by_the_processor_itself_never_stop_it():
    task, _ = new_task(lambda record, context: context.dead_letter(b"", "toy.bad", ""), window=10, ratio=0.1)
    task.process(batch(rows(range(100))))
    assert (task.counts.dead_letters, task.counts.failures) == (100, 0)


# Stamps.


def stamped(numbers, **kwargs):
    return [
        SourceRow(offset, frame(offset, [("a", "x")]), stamps(number, **kwargs))
        for offset, number in enumerate(numbers)
    ]


def test_repeats_are_dropped_counted_and_move_the_position():
    task, processed = new_task()
    task.process(batch(stamped([1, 2, 2, 1, 3])))
    assert processed == [0, 1, 4]
    assert (task.counts.repeats, task.position) == (2, 5)


def test_a_hole_is_told_before_the_record_that_shows_it():
    task, _ = new_task()
    task.process(batch(stamped([1, 4])))
    outputs = take_outputs(task)
    assert [output.topic for output in outputs] == ["toy.out", "toy.dead-letters", "toy.out"]
    assert dict(outputs[1].headers)["tc-detail"] == b"2-3"
    assert (task.counts.holes, task.counts.missing_frames) == (1, 2)


def test_a_repeat_of_a_failed_record_is_a_repeat():
    task, processed = new_task()
    bad = frame(0, [("a", "poison")])
    task.process(batch([SourceRow(0, bad, stamps(1)), SourceRow(1, bad, stamps(1))]))
    assert (processed, task.counts.dead_letters, task.counts.repeats) == ([0], 1, 1)


@pytest.mark.parametrize("number", [b"", b"-1", b"x", b"1" * 20, "²".encode()], ids=repr)
def test_a_frame_number_that_is_none_is_passed_to_the_processor_unfiltered(number):
    headers = [(name, number if name == "tc-frame" else content) for name, content in stamps(1)]
    task, processed = new_task()
    task.process(batch([SourceRow(offset, frame(offset, []), headers) for offset in range(2)]))
    assert processed == [0, 1]


def test_stream_time_is_the_greatest_received_time():
    task, _ = new_task()
    for offset, (received, expected) in enumerate([(b"5", 5), (b"9", 9), (b"7", 9), (b"no", 9)]):
        task.process(batch([SourceRow(offset, frame(offset, []), [("tc-received-ns", received)])]))
        assert task.stream_time_ns == expected


def received(frame_number, received_ns):
    return [
        (name, b"%d" % received_ns if name == "tc-received-ns" else content) for name, content in stamps(frame_number)
    ]


def test_time_of_receipt_far_after_the_records_own_moves_no_stream_time_and_is_a_dead_letter():
    task, processed = new_task()
    latest_ns = (CREATED_MS + AHEAD_MS) * 1_000_000
    rows = [
        SourceRow(offset, frame(offset, []), received(offset + 1, received_ns), timestamp=CREATED_MS)
        for offset, received_ns in enumerate([7, latest_ns + 1, 9_999_999_999_999_999_999, latest_ns])
    ]
    task.process(batch(rows[:3]))
    assert (processed, task.stream_time_ns) == ([0], 7)
    dead = [output for output in take_outputs(task) if output.topic == "toy.dead-letters"]
    assert [(dict(letter.headers)["tc-code"], letter.value) for letter in dead] == [
        (b"toy.bad-headers", rows[1].value),
        (b"toy.bad-headers", rows[2].value),
    ]
    task.process(batch(rows[3:]))
    assert (processed, task.stream_time_ns) == ([0, 3], latest_ns)
    assert (task.counts.holes, task.counts.failures) == (0, 0), "its number counts, and it is no failure of ours"


def test_a_replay_later_than_it_was_received_is_as_good():
    task, processed = new_task()
    task.process(batch([SourceRow(0, frame(0, []), received(1, 5), timestamp=10**13)]))
    assert (processed, task.stream_time_ns) == ([0], 5)


def test_cleared_is_new():
    task, _ = new_task()
    task.process(batch(stamped([1, 2])))
    task.memory["x"] = 1
    task.clear()
    assert (task.position, task.changelog_end, task.stream_time_ns, task.outputs, task.memory) == (0, 0, 0, [], {})
    assert dict(task.store.items()) == {}
    assert list(task.repeats.take_changes()) == []


def test_what_a_processor_passes_over_is_counted_by_reason():
    task, _ = new_task(lambda record, context: context.count("ack", 2))
    task.process(batch(rows([0, 1])))
    assert task.counts.passed_over == {"ack": 4}


def test_a_hole_stands_although_the_record_that_shows_it_fails():
    task, _ = new_task()
    rows = [*stamped([1]), SourceRow(1, frame(1, [("a", "poison")]), stamps(4))]
    task.process(batch(rows))
    details = [dict(output.headers)["tc-detail"] for output in take_outputs(task) if output.topic == "toy.dead-letters"]
    assert details[0] == b"2-3"
    assert details[1].startswith(b"RuntimeError") or b"Error" in details[1]


# What Kafka allows and a connector never writes.


def test_a_null_header_fails_its_record_at_most():
    seen = []
    task, _ = new_task(lambda record, context: seen.append(record.offset))
    stamped = [("tc-line", None), ("tc-connection", b"c"), ("tc-frame", b"1"), ("tc-kind", b"frame")]
    task.process(batch([SourceRow(0, b"x", headers=stamped), SourceRow(1, b"y")]))
    assert seen == [0, 1]


def test_a_dead_letter_larger_than_its_topic_takes_is_cut_and_says_so():
    task, _ = new_task(lambda record, context: context.dead_letter(b"x" * 9_000_000, "code", "detail"))
    task.process(batch(rows([0])))
    (letter,) = take_outputs(task)
    assert len(letter.value) < 9_000_000
    assert dict(letter.headers)["tc-truncated"] == b"9000000"


def test_a_state_value_larger_than_a_changelog_record_fails_its_record_alone():
    def process(record, context):
        context.store.put(b"k", b"x" * (9_000_000 if record.offset == 0 else 10))

    task, _ = new_task(process)
    task.process(batch(rows([0, 1])))
    assert task.store.get(b"k") == b"x" * 10
    assert task.counts.failures == 1


def test_names_and_keys_as_long_as_a_bulk_fit_into_no_record_and_are_not_taken_over():
    """The producer counts key and headers, too: a dead letter with all of them would never be taken by Kafka."""
    stamped = [(name, b"n" * 5_000_000 if name in {"tc-line", "tc-connection"} else value) for name, value in stamps(1)]
    task, processed = new_task(lambda record, context: context.dead_letter(b"x", "code", "detail"))
    task.process(batch([SourceRow(0, b"x", headers=stamped, key=b"k" * 5_000_000)]))
    (letter,) = take_outputs(task)
    assert len(letter.key or b"") + sum(len(value) for _, value in letter.headers) < RECORD_OVERHEAD_BYTES
    assert dict(letter.headers)["tc-feed"] == dict(stamps(1))["tc-feed"]
    assert list(task.repeats.take_changes()) == []
    assert processed == [0]
