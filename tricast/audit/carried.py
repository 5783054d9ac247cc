"""What an audit leaves for the one that goes on where it ended."""

from dataclasses import dataclass, field

from aiokafka import TopicPartition

from tricast.audit.records import Output
from tricast.audit.report import Report


@dataclass(slots=True)
class Carried:
    """Of one feed whose raw records are judged in order.

    Attributes:
        cuts: Raw partition to the first raw offset that is not settled.
        judges: Raw partition to what its judge had learnt up to there.
        read: ``topic/partition`` of outputs to the first offset that was not read.
        order: Marks of the order of all outputs that were read.
        outputs: Outputs that were read and come from raw records behind the cuts.
    """

    cuts: dict[int, int] = field(default_factory=dict)
    judges: dict[int, bytes] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    order: bytes = b""
    outputs: list[Output] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Range:
    """What of a partition was audited, by offset.

    Attributes:
        first: First offset.
        end: The one after the last.
        settled: Of raw: from here on the next audit judges again.
    """

    topic: str
    partition: int
    first: int
    end: int
    settled: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One audit of a row of them.

    Attributes:
        settled: What holds, whatever comes.
        open: What was found where the next audit judges again; it holds if none comes.
        carried: For the next.
        ranges: What was read.
    """

    settled: Report
    open: Report
    carried: Carried
    ranges: list[Range]


@dataclass(slots=True)
class RmsCarried:
    """Of RMS, where bets are judged: those that began from here on are judged again.

    Attributes:
        since_ms: Kafka timestamp.
    """

    since_ms: int


@dataclass(frozen=True, slots=True)
class RmsStep:
    """One audit of RMS of a row of them; bets that were not over at the end of the one before are in both."""

    report: Report
    carried: RmsCarried
    ranges: list[Range]


def place_of(tp: TopicPartition) -> str:
    """Return the name of a partition in :attr:`Carried.read`."""
    return f"{tp.topic}/{tp.partition}"
