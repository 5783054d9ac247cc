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


def newest_ms(store: Store) -> int:
    """Return the newest plausible vendor time of a task, UTC ms; 0 = none yet."""
    value = store.get(NEWEST)
    return 0 if value is None else _DECODER.decode(value)


def note_newest(time_ms: int, store: Store) -> None:
    """Take note of a plausible time; the newest is kept."""
    if time_ms > newest_ms(store):
        store.put(NEWEST, _ENCODER.encode(time_ms))


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
