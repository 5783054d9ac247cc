"""Headers of a dead letter that nobody of ours wrote."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tricast.dlq.letters import read_letter


@pytest.mark.parametrize("text", [b"9" * 5000, b"-1", b"one", b""])
def test_numbers_that_are_none_do_not_keep_others_from_being_listed(text: bytes):
    headers = [
        ("tc-source", b"t.kambi.raw/0/1"),
        ("tc-code", b"c"),
        ("tc-replay-attempt", text),
        ("tc-truncated", text),
    ]
    record = SimpleNamespace(topic="t", partition=0, offset=1, timestamp=1, key=None, value=b"", headers=headers)
    letter = read_letter(cast("Any", record))
    assert letter is not None
    assert (letter.attempt, letter.truncated) == (0, None)
