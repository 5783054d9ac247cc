"""What all parts of the audit of RMS share while they take records in."""

from dataclasses import dataclass, field
from typing import Final

from tricast.audit.records import KafkaRecord
from tricast.audit.report import Report
from tricast.audit.rms.cabinet import Cabinet
from tricast.audit.rms.case import Windows

RAW: Final = "rms.raw"


@dataclass(slots=True, kw_only=True)
class Desk:
    """Where facts and findings go.

    Attributes:
        cabinet: Where facts are kept.
        report: Where totals and findings go.
        prefix: Of the topics.
        windows: Settings of the join.
        horizon_ns: What came before is read, so that what follows is understood, and not judged.
        has_all_pending: Whether ``rms.pending`` still has its first record.
        dropped: Positions of bets, and places of words, that the join gave up with a dead letter.
        quiet: Where findings about what is not judged go.
    """

    cabinet: Cabinet
    report: Report
    prefix: str
    windows: Windows
    horizon_ns: int = 0
    has_all_pending: bool = True
    dropped: set[str] = field(default_factory=set)
    quiet: Report = field(default_factory=Report)


def place_of(record: KafkaRecord) -> str:
    """Return where a record is, for people."""
    return f"{record.topic}/{record.partition}/{record.offset}"
