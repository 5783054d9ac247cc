"""Read the records of ``rms.decisions``, and the positions in them."""

import msgspec

from schemas.rms.decisions import Conflict, Decision, Late, Orphan
from tricast.audit.rms.facts import Told

Outcome = Decision | Late | Conflict | Orphan

_DECODERS = {kind.ce_type: msgspec.json.Decoder[Outcome](kind) for kind in (Decision, Late, Conflict, Orphan)}


def read(kind: str, value: bytes) -> Outcome | None:
    """Return a record; ``None`` when it is none of these or not as their schema has it."""
    decoder = _DECODERS.get(kind)
    try:
        return decoder.decode(value) if decoder is not None else None
    except msgspec.MsgspecError:
        return None


def read_told(told: Told) -> Outcome:
    """Return a record that could be read before."""
    return _DECODERS[told.kind].decode(told.value)


def position(text: object, topic: str) -> tuple[int, int] | None:
    """Return partition and offset of a position in ``topic``, whatever its prefix; ``None`` when it is elsewhere."""
    if not isinstance(text, str):
        return None
    name, *numbers = text.split("/")
    is_there = name.endswith(topic) and len(numbers) in (2, 3) and all(n.isascii() and n.isdecimal() for n in numbers)
    return (int(numbers[0]), int(numbers[1])) if is_there else None
