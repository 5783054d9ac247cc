"""What the segments say of transactions, against what the reader saw.

A reader with ``read_committed`` has to see exactly the records of committed transactions: nothing of an aborted one,
and everything else below what is still open.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest

from tests.chaos.checker.segments import Batch
from tests.chaos.checker.verdict import Verdict


@dataclass(slots=True)
class Partition:
    """What one replica of a partition holds.

    Attributes:
        committed: Offsets of records whose transaction was committed, or that were in none.
        aborted: Those of aborted ones.
        open: Those of transactions without an end, by producer.
        plain: Records in no transaction.
    """

    committed: list[int] = field(default_factory=list)
    aborted: list[int] = field(default_factory=list)
    open: dict[int, list[int]] = field(default_factory=dict)
    plain: list[int] = field(default_factory=list)
    end: int = 0

    def take(self, batch: Batch) -> None:
        """Follow one batch."""
        self.end = batch.last + 1
        if batch.control is not None:
            ended = self.open.pop(batch.producer, []) if batch.control != "other" else []
            (self.aborted if batch.control == "abort" else self.committed).extend(ended)
        elif batch.transactional:
            self.open.setdefault(batch.producer, []).extend(batch.offsets)
        else:
            self.plain.extend(batch.offsets)
            self.committed.extend(batch.offsets)


def follow(batches: Iterable[Batch]) -> Partition:
    """Return what one replica holds."""
    partition = Partition()
    for batch in batches:
        partition.take(batch)
    return partition


def judge_output(name: str, held: Partition, verdict: Verdict) -> None:
    """All that a processor writes is in a transaction, and in the end none is open."""
    verdict.count("records in segments of outputs and changelogs", len(held.committed) + len(held.aborted))
    verdict.count("records of aborted transactions", len(held.aborted))
    for offset in held.plain:
        verdict.find("not-transactional", f"{name}/{offset}")
    for producer, offsets in held.open.items():
        text = f"{name}/{offsets[0]} to {offsets[-1]}: the transaction of producer {producer} never ended"
        verdict.find("unreadable", text)


def judge_seen(name: str, held: Partition, seen: Iterable[int], verdict: Verdict) -> None:
    """Compare the offsets that the reader saw with those that were committed.

    Compaction may have taken away what the reader saw in time, so what is in no segment is no finding.
    """
    there = set(seen)
    aborted = set(held.aborted) | {offset for offsets in held.open.values() for offset in offsets}
    for offset in sorted(there & aborted):
        verdict.find("aborted-visible", f"{name}/{offset}: the reader saw it, its transaction was not committed")
    for offset in sorted(set(held.committed) - there):
        verdict.find("lost", f"{name}/{offset}: committed, and the reader never saw it")


def judge_replicas(name: str, replicas: Mapping[str, Callable[[], Iterator[Batch]]], verdict: Verdict) -> None:
    """All replicas have the same batches, byte for byte.

    Brokers are stopped in order, so what one lacks at its end is only what came while it was away.
    """
    names = list(replicas)
    for batches in zip_longest(*(read() for read in replicas.values())):
        there = {batch and (batch.base, batch.last, batch.checksum, batch.producer, batch.epoch) for batch in batches}
        if len(there) > 1:
            told = ", ".join(
                f"{broker} has {batch.base} to {batch.last}" if batch else f"{broker} has nothing"
                for broker, batch in zip(names, batches, strict=True)
            )
            verdict.find("lost", f"{name}: replicas differ: {told}")
            return
    verdict.count("partitions whose replicas were compared")
