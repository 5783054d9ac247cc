"""Take in what came out: dead letters, approvals, decisions."""

import msgspec

from schemas.record import KafkaRecord
from schemas.rms.decisions import Decision
from schemas.rms.fields import BETS, PENDING
from tricast.audit.rms.common import RAW, Desk, place_of, request_of
from tricast.audit.rms.facts import Told
from tricast.audit.rms.outcomes import position, read


class Products:
    """Fed with the records of each topic."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take_letter(self, record: KafkaRecord) -> None:
        """Take a dead letter in."""
        headers = dict(record.headers)
        place = place_of(record)
        source, code = ((headers.get(name) or b"").decode(errors="replace") for name in ("tc-source", "tc-code"))
        topic, *numbers = source.split("/")
        is_whole = len(numbers) in (2, 3) and all(number.isdecimal() for number in numbers)
        if not code or not is_whole or topic not in {self._desk.prefix + name for name in (RAW, BETS, PENDING)}:
            self._desk.report.find("unexpected", f"{place}: no source or no code: {source!r}, {code!r}")
            return
        self._desk.report.dead_letters[code] += 1
        partition, offset, index = [*map(int, numbers), -1][:3]
        name = topic.removeprefix(self._desk.prefix)
        request = request_of(record, "tc-replay-request", self._desk.prefix + name)
        if request is not None:
            partition, offset = request
        self._desk.cabinet.put_letter(name, (partition, offset, index), place, code, record.value or b"")

    def take_approval(self, record: KafkaRecord) -> None:
        """Take a record of ``rms.approvals`` in."""
        source = self._identity(record, RAW)
        if source is not None:
            self._desk.cabinet.put_approval(source, place_of(record), record.key or b"", record.value or b"")

    def take_decision(self, record: KafkaRecord) -> None:
        """Take a record of ``rms.decisions`` in."""
        kind = (dict(record.headers).get("ce_type") or b"").decode(errors="replace")
        source = self._identity(record, PENDING)
        if source is None:
            return
        value, place = record.value or b"", place_of(record)
        outcome = read(kind, value)
        if outcome is None:
            self._desk.report.find("unexpected", f"{place}: no {kind or 'record of a known type'}")
            return
        slip, code = (None if each is msgspec.UNSET else each for each in (outcome.bet_slip_id, outcome.bet_code))
        self._desk.report.normalized[kind] += 1
        if isinstance(outcome, Decision):
            self._desk.report.bets[outcome.outcome] += 1
        suffix = slip if slip is not None else f"code:{code}"
        if record.key != f"{outcome.customer}/{suffix}".encode():
            self._desk.report.find("false", f"{place}: key {record.key!r} of {outcome.customer}/{suffix}")
        told = Told(position=place, source=f"{source[0]}/{source[1]}", kind=kind, value=value)
        self._desk.cabinet.put(outcome.customer, slip, code, told)

    def _identity(self, record: KafkaRecord, source_topic: str) -> tuple[int, int] | None:
        """Return the source that a ``ce_id`` names; report one that is there twice, or names none."""
        identity = (dict(record.headers).get("ce_id") or b"").decode(errors="replace")
        request = request_of(record, "ce_replayed", self._desk.prefix + source_topic)
        source = position(identity, self._desk.prefix + source_topic) if request is None else request
        if source is None or identity.count("/") != (3 if request is None else 4):
            self._desk.report.find(
                "unexpected", f"{place_of(record)}: ce_id {identity!r} names no record of {source_topic}"
            )
            return None
        before = self._desk.cabinet.is_new(identity, place_of(record))
        if before is not None:
            self._desk.report.find("duplicated", f"{place_of(record)}: {identity} is there already: {before}")
            return None
        return source
