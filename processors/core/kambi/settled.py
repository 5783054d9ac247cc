"""When each outcome was last settled, by the vendor's time: what a replayed settlement is measured by.

A table of slots by outcome id, so that it is bounded without anybody looking for what is old: a full slot forgets the
oldest of its outcomes and remembers how old that was.
"""

from typing import Final

import msgspec

from processors.core.processor import Store

SLOTS: Final = 2**16
PER_SLOT: Final = 8
"""Outcomes of one slot: 524,288 in all, about 10 MB, of which each settlement writes a slot of 100 bytes."""
PREFIX: Final = b"s"
"""First byte of the store keys."""

_Slot = tuple[int, dict[int, int]]
"""Order time of the newest that was forgotten, and outcome → order time; UTC ms."""
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Slot)


def settled_ms(outcome_id: int, store: Store) -> int | None:
    """Return the order time of what is out of an outcome, at the latest; ``None``: it was never settled."""
    floor, known = _slot(outcome_id, store)
    return known.get(outcome_id, floor or None)


def note_settled(outcome_id: int, order: int, store: Store) -> None:
    """Keep that a settlement of ``order`` is out."""
    floor, known = _slot(outcome_id, store)
    if known.get(outcome_id, -1) >= order:
        return
    known[outcome_id] = order
    if len(known) > PER_SLOT:
        oldest = min(known, key=lambda one: (known[one], one))
        floor = max(floor, known.pop(oldest))
    store.put(_key(outcome_id), _ENCODER.encode((floor, known)))


def _slot(outcome_id: int, store: Store) -> _Slot:
    stored = store.get(_key(outcome_id))
    return (0, {}) if stored is None else _DECODER.decode(stored)


def _key(outcome_id: int) -> bytes:
    return PREFIX + (outcome_id % SLOTS).to_bytes(2, "big")
