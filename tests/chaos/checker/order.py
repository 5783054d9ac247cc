"""Records of one key come in the order of their sources, whatever was killed meanwhile."""

from collections.abc import Iterable

from tests.chaos.checker.record import Record
from tests.chaos.checker.verdict import Verdict


def judge_order(records: Iterable[Record], verdict: Verdict) -> None:
    """Judge a topic's records, each partition in its order: source positions rise, per key and source partition.

    What was done again on request (``ce_replayed``) says so, and may be anywhere.
    """
    last: dict[tuple[int, bytes | None, str, int], tuple[tuple[int, int], str]] = {}
    for record in records:
        origin = record.origin
        if origin is None or "ce_replayed" in record.headers:
            continue
        verdict.count("records whose order was judged")
        key = (record.partition, record.key, origin.topic, origin.partition)
        place = (origin.offset, origin.part)
        before, where = last.get(key, ((-1, -1), ""))
        if place < before:  # the later place stays the mark: one swap is one finding
            verdict.find(
                "reordered",
                f"{record.place}: key {(record.key or b'').decode(errors='replace')}, source {origin.partition}/"
                f"{origin.offset}/{origin.part} comes after {before[0]}/{before[1]} ({where})",
            )
        else:
            last[key] = (place, record.place)
