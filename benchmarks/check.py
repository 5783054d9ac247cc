"""Whether a run's outputs are complete and right: a reader that shares nothing with the peers holds them, key by key,
against what the job gives when nothing is in its way."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import orjson

from benchmarks import load
from benchmarks.frames import Frames
from benchmarks.job import CHANGELOG, OUT, PARTITIONS, RAW, Output, transform


@dataclass(slots=True)
class OfKey:
    """One key's records, in their order.

    Attributes:
        update: Number that the last of them carries.
        digest: Of all of them, bodies and headers; how a body is written as JSON does not matter.
    """

    update: int = 0
    digest: int = 0


class Tally:
    """Takes the records of a topic, each partition's in order; a record whose ``ce_id`` it has had is a repeat."""

    def __init__(self, prefix: str = "") -> None:
        self.keys: dict[bytes, OfKey] = {}
        self.repeats = 0
        self._prefix = prefix.encode()
        self._seen: set[bytes] = set()

    def add(self, key: bytes, value: bytes, headers: Iterable[tuple[str, bytes]]) -> None:
        """Take one record."""
        stamps = dict(headers)
        stamps["ce_id"] = stamps["ce_id"].removeprefix(self._prefix)
        if stamps["ce_id"] in self._seen:
            self.repeats += 1
            return
        self._seen.add(stamps["ce_id"])
        body = orjson.loads(value)
        record = orjson.dumps(body, option=orjson.OPT_SORT_KEYS) + b"".join(
            b"%s=%s," % (name.encode(), stamps[name]) for name in sorted(stamps)
        )
        of_key = self.keys.setdefault(key, OfKey())
        of_key.update = body["update"]
        of_key.digest = zlib.crc32(record, of_key.digest)

    @property
    def records(self) -> int:
        """How many different ones."""
        return len(self._seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was in the topics of one run.

    Attributes:
        outputs: Records, repeats left out.
        repeats: Records that were there before, by their ``ce_id``.
        wrong_keys: Keys whose last ``update`` or digest is not what it has to be, and keys missing or made up.
        changelog_records: Records in the changelogs.
    """

    outputs: int
    repeats: int
    wrong_keys: int
    changelog_records: int

    def is_right(self, *, exactly_once: bool) -> bool:
        """Every record is there and is what it has to be, in the order of its key; once, where that is promised."""
        return not self.wrong_keys and not (exactly_once and self.repeats)


def look(bootstrap: str, prefix: str, frames: int, children: int) -> Found:
    """Read all outputs (``read_committed``) of ``frames`` preloaded frames, and the changelogs."""
    tally = Tally(prefix)
    for message in load.messages(bootstrap, prefix + OUT, PARTITIONS):
        tally.add(message.key(), message.value(), message.headers() or ())
    changelogs = [topic for topic in load.topics_of(bootstrap, prefix) if CHANGELOG.partition(".")[0] in topic]
    return Found(
        outputs=tally.records,
        repeats=tally.repeats,
        wrong_keys=wrong_keys(tally.keys, expected(frames, children)),
        changelog_records=sum(1 for topic in changelogs for _ in load.messages(bootstrap, topic, PARTITIONS)),
    )


def wrong_keys(found: dict[bytes, OfKey], right: dict[bytes, OfKey]) -> int:
    """Return how many keys of either are not the same in both."""
    return sum(found.get(key) != right.get(key) for key in found.keys() | right.keys())


@cache
def expected(frames: int, children: int) -> dict[bytes, OfKey]:
    """Return what the outputs of so many preloaded frames have to be."""
    tally, made, state = Tally(), Frames(children), dict[bytes, bytes]()
    for number in range(frames):
        for output in outputs_of(made, number, state):
            tally.add(*output)
    return tally.keys


def outputs_of(made: Frames, number: int, state: dict[bytes, bytes]) -> list[Output]:
    """Return the outputs of preloaded frame ``number``; frames of a partition have to come in order."""
    partition, value, headers = made.frame(number, load.preloaded_ns(number))
    return transform(RAW, partition, number // PARTITIONS, value, headers, state.get, state.__setitem__)
