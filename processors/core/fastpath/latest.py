"""The processor of ``fastpath.state``: actions and event elements in, where each fixture stands out."""

from typing import Any, Final

import msgspec

from processors.core.latest import FACT_ERRORS, POSITION, Fact, Latest, is_time_to_sweep, read_fact
from processors.core.processor import Context, Hole, SourceRecord
from schemas.fastpath.codes import Code, Count
from schemas.fastpath.events import ACTIONS, STATE, Action, EventElement, FixtureLatest

KEPT_NS: Final = 48 * 3_600_000_000_000
"""How long after its last packet a fixture is kept: nights between the days of a tournament are shorter."""
_SOURCE: Final = b"tricast/fastpath/state"
_OUT_OF_ORDER: Final = ("late", "repaired", "conflict")
"""Marks of records that may come after what is newer than they are."""
_OF_PACKET: Final = (
    "feed",
    "fixture_id",
    "sequence",
    "vendor_time_ns",
    "vendor_time",
    "received_ns",
    "delivery",
    "connection_state",
)
"""Fields of every packet's record that say where it stands: those of the last one hold, also that it has none."""
_OF_KIND: Final = {
    Action.ce_type: ("finished", "summary"),
    EventElement.ce_type: ("element_type", "details"),
}
"""Fields of a kind that hold until another one says them."""

_Fields = dict[str, msgspec.Raw]
_FIELDS: Final = msgspec.json.Decoder(_Fields)
"""Values as sent: what is the vendor's own goes through byte for byte."""
_TEXT: Final = msgspec.json.Decoder(str)
_RECEIVED: Final = msgspec.json.Decoder(int)


class FastpathState:
    """Keeps of each fixture, by each feed, what its last packet in order said, and the last summary."""

    name = "fastpath.state"
    feed = "fastpath"
    sources = (ACTIONS,)
    outputs = (STATE,)

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one record of ``fastpath.actions``."""
        try:
            fact, said = read_fact(record), _FIELDS.decode(record.value or b"")
            fixture, feed = _TEXT.decode(said["fixture_id"]), _TEXT.decode(said["feed"])
            _RECEIVED.decode(said["received_ns"])
        except FACT_ERRORS as error:
            context.dead_letter(record.value or b"", Code.BAD_FACT, f"{type(error).__name__}: {error}")
            return
        latest = Latest(fact, _SOURCE, STATE, context)
        if fact.kind in _OF_KIND and not any(mark in said for mark in _OUT_OF_ORDER):
            key = f"{fixture}#{feed}".encode()
            stored = context.store.get(key)
            known: _Fields = {} if stored is None else _FIELDS.decode(stored)
            latest.put(key, fixture.encode(), FixtureLatest, fold(known, fact.kind, said))
        else:
            context.count(Count.NO_STATE)
        if is_time_to_sweep(context.store, fact.received_ns):
            _sweep(fact, latest, context)

    def on_hole(self, hole: Hole, context: Context) -> None:
        """Never told: actions have no numbers of connections."""


def fold(known: _Fields, kind: str, said: _Fields) -> dict[str, Any]:
    """Return the state of a fixture after a packet in order."""
    kept = {name: value for name, value in known.items() if name not in _OF_PACKET and name not in POSITION}
    return (
        {name: said[name] for name in _OF_PACKET if name in said}
        | kept
        | {name: said[name] for name in _OF_KIND[kind] if name in said}
    )


def _sweep(fact: Fact, latest: Latest, context: Context) -> None:
    """Forget the fixtures of which nothing came for long."""
    old = []
    for key, value in context.store.items():
        if b"#" in key:
            state = _FIELDS.decode(value)
            if _RECEIVED.decode(state["received_ns"]) < fact.received_ns - KEPT_NS:
                old.append((key, _TEXT.decode(state["fixture_id"])))
    for key, fixture in sorted(old):
        latest.end(key, fixture.encode(), FixtureLatest)
