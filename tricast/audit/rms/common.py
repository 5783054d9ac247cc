"""What all parts of the audit of RMS share while they take records in."""

from dataclasses import dataclass, field
from typing import Final

from schemas.record import KafkaRecord
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


def request_of(record: KafkaRecord, header: str, topic: str) -> tuple[int, int] | None:
    """Return partition and offset in ``topic`` of the request to replay that ``header`` names, if it names one."""
    named, *numbers = (dict(record.headers).get(header) or b"").decode(errors="replace").split("/")
    if named != topic or len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        return None
    return int(numbers[0]), int(numbers[1])


def take_request(desk: Desk, place: str, codes: list[str], passed: int, records: int, *, is_settled: bool) -> None:
    """Account for a request to replay: it comes to records or messages, to refusals, or is told to be none.

    Args:
        desk: Where findings go.
        place: Its position.
        codes: Of the dead letters it led to.
        passed: How many messages to the join came of it.
        records: How many records.
        is_settled: Whether its processor has come that far.
    """
    replays = desk.report.replays
    replays["requests"] += 1
    replays["records"] += records
    for code in codes:
        replays["refused" if code.endswith(".replay-refused") else "failed again"] += 1
    if not codes and not passed and is_settled and desk.has_all_pending:
        desk.report.find("lost", f"{place}: a request that nothing came of, not even a refusal")


def place_of(record: KafkaRecord) -> str:
    """Return where a record is, for people."""
    return f"{record.topic}/{record.partition}/{record.offset}"
