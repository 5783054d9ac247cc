"""Records of one key must come in order: that of the raw topic, or that of the vendor's numbers."""

import json
from typing import Any, Protocol

import msgspec

from tricast.audit.records import Output
from tricast.audit.report import Report


class Order(Protocol):
    """Fed with the normalized records of each partition in order."""

    def observe(self, output: Output) -> None:
        """Record one normalized record."""

    def save(self) -> bytes:
        """Return the marks, for an audit that goes on later."""
        ...

    def load(self, marks: bytes) -> None:
        """Go on from the marks of another one."""


_SourceMark = tuple[tuple[str, int, bytes, int], tuple[tuple[int, int], str]]
_SequenceMark = tuple[tuple[str, str, str], tuple[int, str]]
_SOURCE_MARKS = msgspec.msgpack.Decoder(list[_SourceMark])
_SEQUENCE_MARKS = msgspec.msgpack.Decoder(list[_SequenceMark])
SAVED_MARKS = 500_000
"""Keys whose mark an audit that goes on later still has: those that moved last. Events and fixtures end."""


class SourceOrder:
    """Strictly rising source positions, per key and raw partition. Memory: one position for each."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last: dict[tuple[str, int, bytes, int], tuple[tuple[int, int], str]] = {}

    def observe(self, output: Output) -> None:
        """Record one normalized record."""
        key = (output.topic, output.partition, output.key, output.source_partition)
        source = (output.source_offset, output.index)
        last = self._last.get(key)
        if last is not None and source < last[0]:
            self._report.find(
                "reordered",
                f"{output.place}: source {output.source_partition}/{source[0]}/{source[1]} of key "
                f"{output.key.decode(errors='replace')} comes after {last[0][0]}/{last[0][1]} ({last[1]})",
            )
            return  # the later position stays the mark: one swap is one finding
        self._last.pop(key, None)  # what moved last stands last
        self._last[key] = (source, output.place)

    def save(self) -> bytes:
        """Return the marks, for an audit that goes on later."""
        return msgspec.msgpack.encode(list(self._last.items())[-SAVED_MARKS:])

    def load(self, marks: bytes) -> None:
        """Go on from the marks of another one."""
        self._last = dict(_SOURCE_MARKS.decode(marks))


class SequenceOrder:
    """Rising numbers of each fixture on each feed, save those that say they are late, repaired or in conflict.

    Memory: one number a fixture and feed.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last: dict[tuple[str, str, str], tuple[int, str]] = {}

    def observe(self, output: Output) -> None:
        """Record one normalized record; those without a number are in no order."""
        said: dict[str, Any] = json.loads(output.said or "{}")
        if "sequence" not in said or said.get("late") or said.get("repaired") or said.get("conflict"):
            return
        account = (output.topic, str(said.get("feed")), str(said.get("fixture_id")))
        sequence, last = said["sequence"], self._last.get(account)
        if last is not None and sequence <= last[0]:
            self._report.find(
                "reordered", f"{output.place}: number {sequence} of {account[2]} comes after {last[0]} ({last[1]})"
            )
            return  # the later number stays the mark: one swap is one finding
        self._last.pop(account, None)
        self._last[account] = (sequence, output.place)

    def save(self) -> bytes:
        """Return the marks, for an audit that goes on later."""
        return msgspec.msgpack.encode(list(self._last.items())[-SAVED_MARKS:])

    def load(self, marks: bytes) -> None:
        """Go on from the marks of another one."""
        self._last = dict(_SEQUENCE_MARKS.decode(marks))
