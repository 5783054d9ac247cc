"""Outputs are held to what the job gives: whatever is missing, changed, swapped or there twice is noticed."""

import json

import pytest

from benchmarks.check import Found, Tally, expected, outputs_of, wrong_keys
from benchmarks.frames import Frames
from benchmarks.job import Output

FRAMES, CHILDREN = 500, 4
PREFIX = "bench-1."


def right():
    """Return outputs as a sound peer writes them: with a prefix in their ids, and JSON in its own way."""
    made, state = Frames(CHILDREN), {}
    for number in range(FRAMES):
        for key, value, headers in outputs_of(made, number, state):
            stamps = dict(headers)
            stamps["ce_id"] = PREFIX.encode() + stamps["ce_id"]
            yield key, json.dumps(json.loads(value), indent=1).encode(), list(stamps.items())


def wrong(outputs: list[Output]) -> int:
    tally = Tally(PREFIX)
    for output in outputs:
        tally.add(*output)
    return wrong_keys(tally.keys, expected(FRAMES, CHILDREN))


def test_sound_outputs_are_right():
    outputs = list(right())
    assert len(outputs) == FRAMES * CHILDREN
    assert wrong(outputs) == 0
    assert max(of_key.update for of_key in expected(FRAMES, CHILDREN).values()) > 1, "state has to matter"


def lose(outputs):
    del outputs[-1]


def invent(outputs):
    _, value, headers = outputs[-1]
    outputs.append((b"9", value, [*headers, ("ce_id", b"9")]))


def change_body(outputs):
    key, value, headers = outputs[-1]
    outputs[-1] = (key, value.replace(b'"changed": true', b'"changed": false'), headers)


def change_header(outputs):
    key, value, headers = outputs[-1]
    outputs[-1] = (key, value, [(name, b"1" if name == "ce_time" else text) for name, text in headers])


def swap_within_a_key(outputs):
    first = next(index for index, output in enumerate(outputs) if output[0] == outputs[-1][0])
    outputs[first], outputs[-1] = outputs[-1], outputs[first]


@pytest.mark.parametrize("spoil", [lose, invent, change_body, change_header, swap_within_a_key])
def test_one_wrong_record_is_one_wrong_key(spoil):
    outputs = list(right())
    spoil(outputs)
    assert wrong(outputs) == 1


def test_repeats_are_counted_and_no_wrong_content():
    tally, outputs = Tally(PREFIX), list(right())
    for output in [*outputs, *outputs[-7:]]:
        tally.add(*output)
    assert (tally.records, tally.repeats) == (len(outputs), 7)
    assert wrong_keys(tally.keys, expected(FRAMES, CHILDREN)) == 0


@pytest.mark.parametrize(
    ("repeats", "wrong_keys", "exactly_once", "is_right"),
    [(0, 0, True, True), (1, 0, True, False), (1, 0, False, True), (0, 1, False, False), (0, 1, True, False)],
)
def test_repeats_are_forgiven_only_where_once_is_not_promised(repeats, wrong_keys, exactly_once, is_right):
    found = Found(outputs=10, repeats=repeats, wrong_keys=wrong_keys, changelog_records=0)
    assert found.is_right(exactly_once=exactly_once) is is_right
