"""What processors of latest states have in common: a fact as they read it, its time, and a state on its way out.

They fold facts as plain JSON, so that a field they do not know goes through untouched, whichever of the two parts is
upgraded first.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from processors.core.cloudevents import CONTENT, TYPE_HEADERS, VERSION
from processors.core.processor import Context, SourceRecord, Store
from schemas.normalized import Normalized
from schemas.raw import Header

Json = dict[str, Any]
FACT_ERRORS: Final = (
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    RecursionError,
    msgspec.DecodeError,
)
"""What reading and folding raises of a record that is no fact of ours."""
POSITION: Final = ("fact", "fact_id")
"""Fields of every state: where its last change stands, and that fact's ``ce_id``."""

_SWEPT: Final = b"t"
"""Store key of the hour of the last sweep. Keys of states have a ``#``, so it is none."""
_HOUR_NS: Final = 3_600_000_000_000
_DECODER = msgspec.json.Decoder(Json)
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Fact:
    """A normalized record, without its value.

    Attributes:
        kind: Its ``ce_type``.
        position: ``<topic>/<partition>/<offset>``, physical topic.
        identity: Its ``ce_id``.
        time: Its ``ce_time``.
        received_ns: When tricast received what it rests on.
    """

    kind: str
    position: str
    identity: str
    time: bytes
    received_ns: int


def read_fact(record: SourceRecord) -> Fact:
    """Return the fact in ``record``.

    Raises:
        FACT_ERRORS: It is none.
    """
    headers = dict(record.headers)
    return Fact(
        headers["ce_type"].decode(),
        f"{record.topic}/{record.partition}/{record.offset}",
        headers["ce_id"].decode(),
        headers["ce_time"],
        int(headers["ce_tcreceived"]),
    )


def read_value(record: SourceRecord) -> Json:
    """Return the value of ``record``.

    Raises:
        FACT_ERRORS: It is no JSON object.
    """
    return _DECODER.decode(record.value or b"")


def stored(store: Store, key: bytes) -> Json | None:
    """Return the state of ``key``, or ``None``."""
    value = store.get(key)
    return None if value is None else _DECODER.decode(value)


def is_time_to_sweep(store: Store, now_ns: int) -> bool:
    """Tell, once an hour of the facts' own time, that it is time to look for what is forgotten.

    Facts carry no stamps that the engine's stream time is made of; theirs is when tricast received what they rest on.
    """
    value = store.get(_SWEPT)
    hour = now_ns // _HOUR_NS
    if value is not None and int(value) >= hour:
        return False
    store.put(_SWEPT, b"%d" % hour)
    return value is not None


def fact_key(store_key: bytes) -> bytes | None:
    """Return the key of the facts that an entry of a store is made of; ``None``: of all.

    What is kept of an event beside its states stands under a letter and the event, and may go on behind a ``/``.
    """
    if b"#" in store_key:
        return store_key.rpartition(b"#")[0]
    return store_key[1:].partition(b"/")[0] or None


class Latest:
    """What one fact makes of the states: kept, and told, each with the position of the fact.

    Args:
        fact: The fact.
        source: ``ce_source`` of all states.
        topic: Where they go.
        context: Of the record.
    """

    __slots__ = ("_context", "_fact", "_index", "_source", "_topic")

    def __init__(self, fact: Fact, source: bytes, topic: str, context: Context) -> None:
        self._fact, self._source, self._topic, self._context = fact, source, topic, context
        self._index = 0

    def change(self, key: bytes, subject: bytes, model: type[Normalized], before: Json | None, after: Json) -> bool:
        """Keep and tell a state that is another than ``before``; return whether it is."""
        if before is not None and before == after | {name: before[name] for name in POSITION}:
            return False
        self.put(key, subject, model, after)
        return True

    def put(self, key: bytes, subject: bytes, model: type[Normalized], after: Json) -> None:
        """Keep and tell a state."""
        fact = self._fact
        value = _ENCODER.encode(after | {"fact": fact.position, "fact_id": fact.identity})
        self._context.store.put(key, value)
        self._tell(key, subject, model, value)

    def end(self, key: bytes, subject: bytes, model: type[Normalized]) -> None:
        """Forget a state, and tell that it is gone: a tombstone, with headers like a state's."""
        self._context.store.delete(key)
        self._tell(key, subject, model, None)

    def _tell(self, key: bytes, subject: bytes, model: type[Normalized], value: bytes | None) -> None:
        fact = self._fact
        ce_type, schema = TYPE_HEADERS[model]
        headers: list[Header] = [
            VERSION,
            ("ce_id", f"{fact.position}/{self._index}".encode()),
            ("ce_source", self._source),
            ce_type,
            ("ce_time", fact.time),
            ("ce_subject", subject),
            CONTENT,
            schema,
            ("ce_tcreceived", b"%d" % fact.received_ns),
        ]
        self._context.forward(self._topic, key, value, headers)
        self._index += 1
