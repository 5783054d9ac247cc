"""Make a history that core and oracle disagree on as small as it gets: records first, then messages in frames."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from processors.core.kambi.processor import KambiProcessor
from tests.oracle.delivery import Raw
from tests.oracle.oracle import expected
from tests.oracle.play import Difference, differences, play


def difference_over(records: Sequence[Raw], copy_skew_ms: int) -> Difference | None:
    """Return what core and oracle differ in over one partition, without restarts."""
    if not records:
        return None
    written = play(records, processor=KambiProcessor(copy_skew_ms=copy_skew_ms))
    return differences(records[0].partition, expected(records, copy_skew_ms), *written)


def shrink(records: Sequence[Raw], copy_skew_ms: int) -> list[Raw]:
    """Return a part of ``records`` that still shows a difference, and nothing in it can be left out."""
    return _smallest(list(records), lambda some: difference_over(some, copy_skew_ms) is not None)


def _smallest(records: list[Raw], fails: Callable[[list[Raw]], bool]) -> list[Raw]:
    size = len(records)
    while size:
        place = 0
        while place < len(records):
            fewer = records[:place] + records[place + size :]
            if fails(fewer):
                records = fewer
            else:
                place += size
        size //= 2
    return _with_fewer_messages(records, fails)


def _with_fewer_messages(records: list[Raw], fails: Callable[[list[Raw]], bool]) -> list[Raw]:
    for place in range(len(records)):
        for value in _smaller(records[place].value):
            smaller = [*records[:place], replace(records[place], value=value), *records[place + 1 :]]
            if fails(smaller):
                return _with_fewer_messages(smaller, fails)
    return records


def _smaller(value: bytes) -> Iterator[bytes]:
    if not value.startswith(b'2["message", "['):
        return
    children = json.loads(json.loads(value[1:])[1])
    for number in range(len(children)):
        fewer = children[:number] + children[number + 1 :]
        if fewer:
            yield b"2" + json.dumps(["message", json.dumps(fewer, separators=(",", ":"))]).encode()
