"""The Kambi processor: raw frames in; events, offers and line health out; every child accounted for."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from processors.core.kambi.debulk import open_bulk
from processors.core.kambi.dedupe import FactMemory, Sighting, entry_key, fact_number, line_number
from processors.core.kambi.findings import PassedOver, Unplaced, Unreadable
from processors.core.kambi.health import read_control, read_hole
from processors.core.kambi.normalize import normalize, vendor_time_ms
from processors.core.kambi.packet import read_packet
from processors.core.processor import Context, Hole, SourceRecord
from schemas.codec import MODELS, encode, schema_file
from schemas.kambi import events
from schemas.kambi.codes import Code, Count
from schemas.raw import Header

_SECOND_NS = 1_000_000_000
_FACTS = "kambi.facts"
_PER_OUTCOME = frozenset(
    {events.OddsChanged, events.OutcomesAdded, events.OutcomesRemoved, events.OutcomesStatusChanged}
)
"""Records whose facts are their outcomes; the fact of every other record is the record."""
_HEALTH_KINDS = frozenset({"opened", "closed", "overflow"})
_TYPE_HEADERS: dict[type[events.Normalized], tuple[Header, Header]] = {
    model: (("ce_type", ce_type.encode()), ("ce_dataschema", schema_file(ce_type).encode()))
    for ce_type, model in MODELS.items()
}
_VERSION: Header = ("ce_specversion", b"1.0")
_CONTENT: Header = ("content-type", b"application/json")
_ENCODER = msgspec.json.Encoder()


@lru_cache(maxsize=256)
def _time(time_ms: int) -> bytes:
    seconds, milliseconds = divmod(time_ms, 1000)
    return (
        f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}".rjust(19, "0").encode() + b".%03dZ" % milliseconds
    )


class KambiProcessor:
    """Debulk, normalize and dedupe in one hop; pure, so one instance may serve any number of stream tasks."""

    name = "kambi"
    feed = "kambi"
    sources = ("kambi.raw",)
    outputs = (events.EVENTS, events.OFFERS, events.SCORES, events.SETTLEMENTS, events.HEALTH)

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one raw record of any kind."""
        value = record.value or b""
        stamps = dict(record.headers)
        try:
            kind = stamps["tc-kind"].decode()
            line = stamps["tc-line"].decode()
            connection = stamps["tc-connection"].decode()
            received_ns = int(stamps["tc-received-ns"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # Kafka allows null headers, too
            context.dead_letter(value, Code.BAD_HEADERS, f"{type(error).__name__}: {error}")
            return
        if kind == "frame":
            self._frame(record, line, received_ns, context)
        elif kind == "tick":
            _facts(context).expire(context.store, context.stream_time_ns // _SECOND_NS)
        elif kind in _HEALTH_KINDS:
            found = read_control(kind, value, line=line, connection=connection, received_ns=received_ns)
            if isinstance(found, Unreadable):
                context.dead_letter(value, found.code, found.detail)
            else:
                _forward_health(found, f"{record.topic}/{record.partition}/{record.offset}", context)
        else:
            context.dead_letter(value, Code.UNKNOWN_KIND, f"tc-kind {kind[:40]}")

    def on_hole(self, hole: Hole, context: Context) -> None:
        """Record frames that never reached the raw topic."""
        _forward_health(read_hole(hole), f"{hole.line}/{hole.connection}/{hole.first}-{hole.last}", context)

    def _frame(self, record: SourceRecord, line: str, received_ns: int, context: Context) -> None:
        value = record.value or b""
        packet = read_packet(value)
        if isinstance(packet, Unreadable):
            context.dead_letter(value, packet.code, packet.detail)
            return
        bulk = packet if isinstance(packet, PassedOver) else open_bulk(packet.text)
        if isinstance(bulk, PassedOver):
            context.count(bulk.what)
            return
        now_s = context.stream_time_ns // _SECOND_NS
        sighting = Sighting(context.store, line_number(line.encode()), now_s)
        source: Header = ("ce_source", f"tricast/kambi/{line}".encode())
        receipt: Header = ("ce_tcreceived", b"%d" % received_ns)
        position = f"{record.topic}/{record.partition}/{record.offset}".encode()
        index = 0
        for number, child in enumerate(bulk.children):
            if isinstance(child, Unreadable):
                context.dead_letter(bulk.parts()[number], child.code, child.detail, index)
                index += 1
                continue
            time_ms = vendor_time_ms(child.t)
            candidates = normalize(child, time_ms)
            if isinstance(candidates, Unreadable):
                context.dead_letter(bulk.parts()[number], candidates.code, candidates.detail, index)
                index += 1
                continue
            if time_ms is None:
                context.count(Count.NO_VENDOR_TIME)
                t, time = _ENCODER.encode(child.t).decode(), _time(received_ns // 1_000_000)
            else:
                t, time = str(time_ms), _time(time_ms)
            for candidate in candidates:
                if isinstance(candidate, Unplaced):
                    context.dead_letter(bulk.parts()[number], Code.NO_EVENT_ID, "no event id", index)
                    index += 1
                    continue
                payload = _new_part(candidate, child.mt, t, sighting, context)
                if payload is not None:
                    key = b"%d" % _key(candidate)
                    ce_type, schema = _TYPE_HEADERS[type(candidate)]
                    context.forward(
                        candidate.topic,
                        key,
                        payload,
                        [
                            _VERSION,
                            ("ce_id", b"%b/%d" % (position, index)),
                            source,
                            ce_type,
                            ("ce_time", time),
                            ("ce_subject", key),
                            _CONTENT,
                            schema,
                            receipt,
                        ],
                    )
                index += 1
        # Last, after all that may raise: see Context.memory.
        evicted = _facts(context).keep(sighting, context.store, now_s)
        if evicted:
            context.count(Count.FACTS_EVICTED, evicted)


def _facts(context: Context) -> FactMemory:
    memory = context.memory.get(_FACTS)
    if not isinstance(memory, FactMemory):
        memory = context.memory[_FACTS] = FactMemory(context.store)
    return memory


def _new_part(candidate: Any, mt: int, t: str, sighting: Sighting, context: Context) -> bytes | None:
    """Return the value of ``candidate`` with those of its facts that are new, ``None`` if none is."""
    if type(candidate) in _PER_OUTCOME:
        key = entry_key(f"{candidate.event_id}|{mt}|{candidate.offer_id}|{t}")
        outcomes: list[Any] = candidate.outcomes
        new = [outcome for outcome in outcomes if sighting.is_new(key, fact_number(_ENCODER.encode(outcome)))]
        if not new:
            context.count(Count.DUPLICATE)
            return None
        if len(new) < len(outcomes):
            context.count(Count.PARTIAL_DUPLICATE)
            candidate.outcomes = new
        return encode(candidate)
    payload = encode(candidate)
    entity = getattr(candidate, "offer_id", "")
    if sighting.is_new(entry_key(f"{candidate.event_id}|{mt}|{entity}|{t}"), fact_number(payload)):
        return payload
    context.count(Count.DUPLICATE)
    return None


def _key(candidate: Any) -> int:
    key: int = candidate.outcome_id if type(candidate) is events.OutcomeSettled else candidate.event_id
    return key


def _forward_health(found: list[events.LineHealth], origin: str, context: Context) -> None:
    for index, health in enumerate(found):
        line = health.line.encode()
        ce_type, schema = _TYPE_HEADERS[events.LineHealth]
        # The topic is compacted: a line's newest state replaces the one before, but no gap is ever replaced.
        key = f"{health.line}@{origin}".encode() if health.state == "gapped" else line
        context.forward(
            events.HEALTH,
            key,
            encode(health),
            [
                _VERSION,
                ("ce_id", f"{origin}/{index}".encode()),
                ("ce_source", b"tricast/kambi/" + line),
                ce_type,
                ("ce_time", _time(health.since_ns // 1_000_000)),
                ("ce_subject", line),
                _CONTENT,
                schema,
                ("ce_tcreceived", b"%d" % health.since_ns),
            ],
        )
