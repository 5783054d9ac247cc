"""Where a raw record comes from: its customer and its line; or why that cannot be told."""

import re
from dataclasses import dataclass
from typing import Final

from processors.core.processor import SourceRecord
from processors.core.rms.approvals.findings import Unreadable
from processors.core.rms.ids import customer_text
from processors.core.stamps import STAMP_ERRORS, Stamps, read_stamps
from schemas.rms.codes import Code

_LINE: Final = re.compile(r"rms-([0-9]{1,20})(?:~[0-9]+)?(-lookups)?(?:@.*)?", re.ASCII | re.DOTALL)
_DIGITS: Final = 19
_AHEAD_NS: Final = 3_600_000_000_000
"""So far a time of receipt may lie after Kafka's time of the record; beyond it, it would end every bet's window."""


@dataclass(frozen=True, slots=True)
class Source:
    """A raw record's origin.

    Attributes:
        customer: Customer id.
        stamps: Its headers.
        is_socket: The line is a socket's; else it brings answers to look-ups, and its coming and going covers nothing.
        after_ns: It was sent after this; ``None``: not known to be earlier than when it was received.
    """

    customer: str
    stamps: Stamps
    is_socket: bool
    after_ns: int | None = None


def read_source(record: SourceRecord, headers: dict[str, bytes]) -> Source | Unreadable:
    """Return where ``record`` comes from."""
    try:
        stamps, after_ns = read_stamps(headers), _after_ns(headers)
    except STAMP_ERRORS as error:
        return Unreadable(Code.BAD_HEADERS, f"{type(error).__name__}: {error}")
    if record.timestamp > 0 and stamps.received_ns > record.timestamp * 1_000_000 + _AHEAD_NS:
        return Unreadable(Code.BAD_HEADERS, f"tc-received-ns {stamps.received_ns} lies in the future of its record")
    named, is_socket = line_customer(stamps.line)
    customer = customer_text((record.key or b"").decode(errors="replace")) or named
    if customer is None:
        return Unreadable(Code.BAD_HEADERS, "neither the key nor tc-line names a customer")
    return Source(customer, stamps, is_socket, after_ns)


def line_customer(line: str) -> tuple[str | None, bool]:
    """Return the customer that the name of a line stands for, and whether it is a socket's."""
    found = _LINE.fullmatch(line)
    return (None, True) if found is None else (found[1], found[2] is None)


def _after_ns(headers: dict[str, bytes]) -> int | None:
    after = headers.get("tc-after-ns")
    if after is None:
        return None
    if not (after.isdigit() and len(after) <= _DIGITS):
        raise ValueError(f"tc-after-ns {after[:40]!r}")
    return int(after)
