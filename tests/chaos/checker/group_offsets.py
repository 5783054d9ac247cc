"""What groups committed, of Kafka's own topic ``__consumer_offsets``: each step, not what a sample happened to see.

Key (version 0 or 1): group, topic, partition; value: offset first (``OffsetCommitKey``, ``OffsetCommitValue`` of
Kafka's message definitions). What was committed in a transaction counts from its marker on.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.chaos.checker.segments import Batch
from tests.chaos.checker.verdict import Verdict

TOPIC = "__consumer_offsets"


class Committed(NamedTuple):
    """One commit."""

    group: str
    topic: str
    partition: int
    offset: int


def committed(batches: Iterable[Batch]) -> Iterator[Committed]:
    """Yield the commits of one partition of the topic, in the order in which they came to count."""
    waiting: dict[int, list[Committed]] = {}
    for batch in batches:
        if batch.control is not None:
            ended = waiting.pop(batch.producer, []) if batch.control != "other" else []
            yield from ended if batch.control == "commit" else ()
            continue
        found = [commit for key, value in batch.records if (commit := _read(key, value)) is not None]
        if batch.transactional:
            waiting.setdefault(batch.producer, []).extend(found)
        else:
            yield from found


def _read(key: bytes, value: bytes) -> Committed | None:
    if len(key) < 2 or int.from_bytes(key[:2], "big") > 1 or len(value) < 10:
        return None  # what a group is made of, or that an offset was forgotten
    group, rest = _text(key[2:])
    topic, rest = _text(rest)
    return Committed(group, topic, int.from_bytes(rest[:4], "big"), struct.unpack(">q", value[2:10])[0])


def _text(content: bytes) -> tuple[str, bytes]:
    end = 2 + int.from_bytes(content[:2], "big")
    return content[2:end].decode(), content[end:]


def judge_commits(commits: Iterable[Committed], prefix: str, verdict: Verdict) -> None:
    """No group of the product ever goes back."""
    last: dict[tuple[str, str, int], int] = {}
    for commit in commits:
        if not commit.topic.startswith(prefix):
            continue
        verdict.count("offset commits")
        place = (commit.group, commit.topic, commit.partition)
        if commit.offset < last.get(place, 0):
            verdict.find(
                "offset-went-back",
                f"{commit.group}, {commit.topic}/{commit.partition}: {last[place]} to {commit.offset}",
            )
        last[place] = commit.offset
