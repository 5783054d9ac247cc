"""A slice of ``make fuzz``, the same in every run; and the fuzzing itself, which has to notice what it is for."""

import pytest

from tests.fuzz.run import TARGETS, Result, one_session, pieces, played
from tests.fuzz.session import inputs_of, play
from tests.fuzz.target import Input, Take, Target
from tests.fuzz.watch import watching

INPUTS = 6_000
"""Of all targets together: some seconds."""


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_no_input_breaks_what_reads_it(name: str):
    share = INPUTS // len(TARGETS)
    for piece in pieces([name], share if name != "spool" else share // 5, seed="fixed"):
        found = played(piece).found
        assert not found, "\n".join(f"{one.seed}\n{one.failure.text}" for one in found.values())


def test_a_session_is_known_by_its_seed():
    target = TARGETS["kambi"]
    assert inputs_of(target, "1/kambi/7") == inputs_of(target, "1/kambi/7")
    assert inputs_of(target, "1/kambi/7") != inputs_of(target, "1/kambi/8")


def _raises(given: Input) -> None:
    if b"77" in given.value:
        raise KeyError("77")


def _hangs(given: Input) -> None:
    while b"77" in given.value:
        sum(range(1000))


def _swells(given: Input) -> None:
    if b"77" in given.value:
        bytearray(300 * 1024 * 1024)


@pytest.mark.parametrize(("take", "kind"), [(_raises, "KeyError"), (_hangs, "HungError"), (_swells, "memory")])
def test_what_is_wrong_is_noticed(take: Take, kind: str):
    target = Target(name="planted", samples=lambda: [[]], begin=lambda: take)
    bytearray(600 * 1024 * 1024)  # what this process had at most before hides nothing
    with watching():
        seen = play(target, [Input(b"1"), Input(b"2 77 3"), Input(b"4")])
    assert seen is not None
    assert (seen[0], seen[1].kind) == (1, kind)


def test_what_is_found_is_made_small():
    samples = [[Input(b'{"a":[1,2,3],"b":"%d"}' % number) for number in range(60, 90)]]
    target = Target(name="planted", samples=lambda: samples, begin=lambda: _raises, changed=0.0)
    result = Result()
    with watching():
        for number in range(20):
            one_session(target, f"1/planted/{number}", result)
    (found,) = result.found.values()
    assert [given.value for given in found.inputs] == [b"77"]
