"""Where a record of a line comes from, and what records and time come to for lines: values that the caller acts on."""

from dataclasses import dataclass

from schemas.rms.codes import Count
from schemas.rms.health import LineHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Where and when a record of a socket's line comes from.

    Attributes:
        customer: Customer id.
        line: ``tc-line``.
        connection: ``tc-connection``.
        received_ns: ``tc-received-ns``.
        now_s: Stream time, whole seconds.
    """

    customer: str
    line: str
    connection: str
    received_ns: int
    now_s: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A line was silent for so long that nothing is known of it any more."""

    line: str


Finding = LineHealth | Forgotten | Count
