"""What one stream task remembers between records, and how the end of a record writes it."""

from typing import Final

import msgspec

from processors.core.kambi.book import Book
from processors.core.kambi.dedupe import Copies, FactMemory, Sighting
from processors.core.kambi.shelf import Shelf
from processors.core.processor import Context, Store
from schemas.kambi.codes import Count

NEWEST: Final = b"t"
"""Store key of the newest plausible vendor time of the task."""
_FACTS = "kambi.facts"
_SHELF = "kambi.shelf"
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(int)


class NewestTime:
    """The newest plausible vendor time of a task.

    Attributes:
        stored: As it was before this record, UTC ms; 0 = none yet.
    """

    __slots__ = ("_seen", "_store", "stored")

    def __init__(self, store: Store) -> None:
        self._store = store
        value = store.get(NEWEST)
        self.stored: int = 0 if value is None else _DECODER.decode(value)
        self._seen = 0

    def see(self, time_ms: int) -> None:
        """Take note of a plausible time."""
        self._seen = max(self._seen, time_ms)

    def write(self) -> None:
        """Put what was seen into the store, if it is newer."""
        if self._seen > self.stored:
            self._store.put(NEWEST, _ENCODER.encode(self._seen))


def facts(context: Context) -> FactMemory:
    """Return the task's memory of facts, made anew after a restart."""
    memory = context.memory.get(_FACTS)
    if not isinstance(memory, FactMemory):
        memory = context.memory[_FACTS] = FactMemory(context.store)
    return memory


def shelf(context: Context) -> Shelf:
    """Return the task's shelf, made anew after a restart."""
    memory = context.memory.get(_SHELF)
    if not isinstance(memory, Shelf):
        memory = context.memory[_SHELF] = Shelf(context.store)
    return memory


def keep(sighting: Sighting | None, book: Book, context: Context, now_s: int) -> None:
    """Write what a record saw and changed. The last step of a record: memory is not taken back when one fails."""
    store = context.store
    fact_memory, book_shelf = facts(context), shelf(context)
    book.write()
    evicted = 0 if sighting is None else fact_memory.keep(sighting, store, now_s)
    dropped = book_shelf.note(book.changes, store, now_s)
    if evicted:
        context.count(Count.FACTS_EVICTED, evicted)
    if dropped:
        context.count(Count.EVENTS_EVICTED, dropped)
    if book.contradictions:
        context.count(Count.CONTRADICTION, book.contradictions)
    if book.unkept:
        context.count(Count.UNKEPT, book.unkept)


def tidy(context: Context, now_s: int, copies: Copies) -> None:
    """Delete what ended, and have ``copies`` count what became of it; done on ticks."""
    facts(context).expire(context.store, now_s, copies)
    shelf(context).expire(context.store, now_s)
