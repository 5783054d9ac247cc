"""Judge the first two hops: raw to approvals, bets to the join. Each record comes out once, or says why not."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET

from schemas.rms.approvals import Approval as Record
from tricast.audit.records import Raw
from tricast.audit.report import Report
from tricast.audit.rms.cabinet import Letter
from tricast.audit.rms.case import MARGIN_NS
from tricast.audit.rms.facts import Word
from tricast.audit.rms.packets import Approval, Bad
from tricast.audit.rms.values import plain

_MIS_SAID = frozenset(
    {"rms.no-id", "rms.bad-id", "rms.not-an-object", "rms.not-json", "rms.bad-packet", "rms.wrong-customer"}
)
_DECODER = msgspec.json.Decoder(Record)
_Key = tuple[str, str, str | None, str | None]


@dataclass(slots=True)
class Heard:
    """What became a record, and when it was last said; for ``remember_s``. Memory: the decisions of that time."""

    remember_ns: int
    _recorded: dict[_Key, int] = field(default_factory=dict)
    _said: dict[_Key, int] = field(default_factory=dict)

    def record(self, customer: str, part: Approval, received_ns: int) -> bool:
        """Note that a decision became a record; return whether it should have been passed over."""
        key = (customer, part.said, part.slip, part.code)
        before = self._recorded.get(key)
        self._recorded[key] = received_ns
        for known in self._keys(customer, part):
            self._said[known] = received_ns
        if len(self._said) > 200_000:
            self._forget(received_ns)
        return before is not None and received_ns - before < self.remember_ns - MARGIN_NS

    def repeats(self, customer: str, part: Approval, received_ns: int) -> bool:
        """Return whether a decision may be passed over, as all that it says was said before."""
        key = (customer, part.said, part.slip, part.code)
        before = max(
            (self._said.get(known, -1) for known in (key, (*key[:3], None), (*key[:2], None, key[3]))), default=-1
        )
        if before < 0 or received_ns - before > self.remember_ns + MARGIN_NS:
            return False
        self._said[key] = received_ns
        return True

    def _keys(self, customer: str, part: Approval) -> Iterator[_Key]:
        yield customer, part.said, part.slip, part.code
        if part.slip is not None and part.code is not None:
            yield customer, part.said, part.slip, None
            yield customer, part.said, None, part.code

    def _forget(self, now_ns: int) -> None:
        for table in (self._recorded, self._said):
            for key in [key for key, at_ns in table.items() if now_ns - at_ns > self.remember_ns + MARGIN_NS]:
                del table[key]


@dataclass(slots=True)
class ApprovalsHop:
    """Accounts for the decisions in one packet after the other, in the order of raw."""

    prefix: str
    report: Report
    heard: Heard

    def judge(
        self, raw: Raw, parts: list[Approval | Bad], made: list[tuple[str, bytes, bytes]], letters: list[Letter]
    ) -> Iterator[Word]:
        """Yield what was said and became a record; report what did not, and what nobody said."""
        records = [(place, key, self._decode(place, value)) for place, key, value in made]
        letters = list(letters)
        for index, part in enumerate(parts):
            self.report.candidates += 1
            if isinstance(part, Bad):
                if not _take(letters, index):
                    self.report.find("lost", f"{self._name(raw)}/{index}: {part.why}, and no dead letter")
                continue
            found = next((each for each in records if each[2] is not None and _is_of(part, each[2])), None)
            if found is not None and found[2] is not None:
                records.remove(found)
                self._check(raw, part, found[0], found[1], found[2])
                yield self._word(raw, index, part, found[2])
            elif self.heard.repeats(raw.key, part, raw.received_ns):
                self.report.duplicates += 1
            else:
                letter = _take(letters, index)
                if letter is None:
                    self.report.find("lost", f"{self._name(raw)}/{index}: {_text(part)} has no record")
                elif part.is_sure and letter.code in _MIS_SAID:
                    self.report.find("false", f"{letter.place}: {letter.code}, but {_text(part)} is in it")
        for place, _, _ in records:
            self.report.find("unexpected", f"{place}: {self._name(raw)} does not say so")

    def _decode(self, place: str, value: bytes) -> Record | None:
        try:
            return _DECODER.decode(value)
        except msgspec.MsgspecError as error:
            self.report.find("unexpected", f"{place}: no approval: {error}")
            return None

    def _check(self, raw: Raw, part: Approval, place: str, key: bytes, record: Record) -> None:
        self.report.normalized[Record.ce_type] += 1
        said = Approval(said=part.said, slip=_set(record.bet_slip_id), code=_set(record.bet_code))
        if self.heard.record(raw.key, said, raw.received_ns):
            self.report.find("duplicated", f"{place}: {_text(part)} is there already")
        suffix = said.slip if said.slip is not None else f"code:{said.code}"
        wanted = {
            "key": (key.decode(errors="replace"), f"{raw.key}/{suffix}"),
            "customer": (record.customer, raw.key),
            "received_ns": (record.received_ns, raw.received_ns),
            "line": (record.line, raw.line),
            "connection": (record.connection, raw.connection),
            "raw": (record.raw, self._name(raw)),
        }
        if part.is_sure and part.decided_ns is not None:
            wanted["decided_ns"] = (record.decided_ns, part.decided_ns)
        if part.is_sure and part.reason is not None:
            wanted["reason"] = (record.reason, part.reason)
        for name, number, own in (("stake", record.stake, part.stake), ("odds", record.odds, part.odds)):
            if part.is_sure and own is not None:
                wanted[name] = (None if number is UNSET else plain(number), own)
        for name, (there, here) in wanted.items():
            if there != here:
                self.report.find("false", f"{place}: {name} is {there!r}, {self._name(raw)} has {here!r}")

    def _word(self, raw: Raw, index: int, part: Approval, record: Record) -> Word:
        return Word(
            place=(raw.partition, raw.offset, index),
            is_look_up=False,
            said=part.said,
            slip=_set(record.bet_slip_id),
            code=_set(record.bet_code),
            received_ns=raw.received_ns,
            after_ns=raw.after_ns,
            decided_ns=part.decided_ns,
            reason=part.reason,
            stake=part.stake,
            odds=part.odds,
        )

    def _name(self, raw: Raw) -> str:
        return f"{self.prefix}rms.raw/{raw.partition}/{raw.offset}"


def _is_of(part: Approval, record: Record) -> bool:
    slip, code = _set(record.bet_slip_id), _set(record.bet_code)
    if record.said != part.said:
        return False
    if part.is_sure:
        return (slip, code) == (part.slip, part.code)
    return slip == part.slip or code == part.code


def _take(letters: list[Letter], index: int) -> Letter | None:
    """Take the dead letter of a part; one of the whole record stands for each of its parts."""
    whole = next((letter for letter in letters if letter.index < 0), None)
    own = next((letter for letter in letters if letter.index == index), None) or next(iter(letters), None)
    if whole is None and own is not None:
        letters.remove(own)
    return whole or own


def _set(value: object) -> str | None:
    return None if value is UNSET else str(value)


def _text(part: Approval) -> str:
    return f"{part.said} of slip {part.slip!r}, code {part.code!r}"
