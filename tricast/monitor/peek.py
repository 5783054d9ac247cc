"""Read single records by their position: not a consumer, only single fetches that are answered at once."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from tricast.monitor.look import Place

ROUNDS: Final = (4 * 1024, 64 * 1024, 1024 * 1024)
"""Bytes asked for from each partition, round by round. Kafka gives nothing of a batch that is larger, unless the
partition is the first in its request, which always gets a whole batch; what got nothing is asked again for more."""
ANSWER_BYTES: Final = 1024 * 1024
"""Of all partitions of one request together: what looking may cost a broker a round."""

Ask = Callable[[int, Any], Awaitable[Any]]
"""Sends a request to a broker and returns the answer; ``None`` when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What lies at and behind one offset.

    Attributes:
        offset: As asked.
        last_stable: Readers see nothing from here on.
        aborted: Producer and first offset of the aborted transactions in it.
        records: Whole batches, as they are on disk; the first may begin before ``offset``.
    """

    offset: int
    last_stable: int
    aborted: tuple[tuple[int, int], ...]
    records: bytes


async def pieces(ask: Ask, leaders: Mapping[Place, int], wanted: Mapping[Place, int]) -> dict[Place, Piece]:
    """Return what lies at the wanted offsets; partitions that could not be asked are missing.

    Args:
        ask: Sends a request.
        leaders: Broker of each partition.
        wanted: Offset by partition.
    """
    found: dict[Place, Piece] = {}
    left = {place: offset for place, offset in wanted.items() if place in leaders}
    for size in ROUNDS:
        if not left:
            break
        by_leader: dict[int, list[Place]] = {}
        for place in left:
            by_leader.setdefault(leaders[place], []).append(place)
        again: dict[Place, int] = {}
        for node, places in by_leader.items():
            answer = await ask(node, _request(places, left, size))
            for place, piece in _read(answer, left):
                if piece.records or piece.offset >= piece.last_stable:
                    found[place] = piece
                else:
                    again[place] = left[place]
        left = again
    return found


def newest_ms(piece: Piece) -> int | None:
    """Return the greatest timestamp of a batch in ``piece``; ``None`` when there are only markers."""
    newest = None
    batches = MemoryRecords(piece.records)
    while batches.has_next():
        batch: Any = batches.next_batch()
        if not batch.is_control_batch and (newest is None or batch.max_timestamp > newest):
            newest = batch.max_timestamp
    return newest


def first_readable(place: Place, piece: Piece) -> tuple[Any | None, int]:
    """Return the first record at or after the asked offset that a read_committed reader gets, and where to go on.

    Returns:
        Record, or ``None`` when there is none in ``piece``; the offset behind what was looked at.
    """
    records = PartitionRecords(
        TopicPartition(*place),
        MemoryRecords(piece.records),
        list(piece.aborted),
        piece.offset,
        None,
        None,
        False,
        READ_COMMITTED,
    )
    record = next(records, None)
    return record, records.next_fetch_offset


def _request(places: Iterable[Place], offsets: Mapping[Place, int], size: int) -> FetchRequest:
    topics: dict[str, list[tuple[int, int, int]]] = {}
    for place in places:
        topics.setdefault(place[0], []).append((place[1], offsets[place], size))
    return FetchRequest(0, 0, ANSWER_BYTES, READ_COMMITTED, list(topics.items()))


def _read(answer: Any, asked: Mapping[Place, int]) -> Iterator[tuple[Place, Piece]]:
    for topic, partitions in answer.topics if answer is not None else ():
        for number, error, _, last_stable, _, aborted, *_, records in partitions:
            if error == 0:
                place = (topic, number)
                yield (
                    place,
                    Piece(
                        offset=asked[place],
                        last_stable=last_stable,
                        aborted=tuple(aborted or ()),
                        records=records or b"",
                    ),
                )
