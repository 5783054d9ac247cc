"""What every raw record says of itself in its headers, read without trusting whoever wrote them."""

from collections.abc import Mapping

import msgspec

_LATEST_NS = 2**63 - 1
_DIGITS = 19
"""Of the largest 64-bit number; with more of them the engine, too, takes a stamp for none."""
_MOST_LETTERS = 1_000
"""Of a line and a connection together; they go into keys and headers, which must fit into a record beside a value."""

STAMP_ERRORS = (AttributeError, KeyError, TypeError, ValueError)
"""What :func:`read_stamps` raises; Kafka allows null headers, too."""


class Stamps(msgspec.Struct, frozen=True, gc=False):
    """Kind, line, connection, frame number and time of receipt (UTC ns) of a raw record; ``kind`` may be any text."""

    kind: str
    line: str
    connection: str
    frame: int
    received_ns: int


def read_stamps(headers: Mapping[str, bytes]) -> Stamps:
    """Return the stamps that each record has.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: One is missing or is none.
    """
    line, connection = headers["tc-line"].decode(), headers["tc-connection"].decode()
    if len(line) + len(connection) > _MOST_LETTERS:
        raise ValueError(f"tc-line and tc-connection of {len(line)} and {len(connection)} letters")
    received, number = headers["tc-received-ns"], headers["tc-frame"]
    if not (received.isdigit() and number.isdigit() and len(number) <= _DIGITS >= len(received)):
        raise ValueError(f"tc-received-ns {received[:40]!r}, tc-frame {number[:40]!r}")
    received_ns = int(received)
    if received_ns > _LATEST_NS:
        raise ValueError(f"tc-received-ns {received_ns}")
    return Stamps(headers["tc-kind"].decode(), line, connection, int(number), received_ns)
