"""Judge each fact against the book: current, and then the book changes; or late, and then it is only marked.

The order time of a fact is its ``t`` if that is plausible. Sockets lag behind each other by up to 75 s, so an old price
may arrive after a new one; it goes out marked, for history, and never as the current one. Of two facts of one time the
one that came later is current, but a removal of an event or an offer outweighs what is of its time.
"""

from typing import Any, Final

from processors.core.kambi.book import Book
from processors.core.kambi.judge_events import EVENT_JUDGES
from processors.core.kambi.judge_offers import OFFER_JUDGES

FUTURE_MS: Final = 60_000
"""How far the vendor's clock may be ahead of ours; a time beyond that would make everything after it late."""
_JUDGES = {**OFFER_JUDGES, **EVENT_JUDGES}


def order_time_ms(time_ms: int | None, received_ms: int) -> int:
    """Return the vendor's time, if it is usable and not in the future, else the time of receipt; all UTC ms."""
    if time_ms is None or time_ms > received_ms + FUTURE_MS:
        return received_ms
    return time_ms


def judge(candidate: Any, payload: bytes, order: int, book: Book) -> bool:
    """Mark what of ``candidate`` is late and put the rest into the book; return whether anything was marked.

    Args:
        candidate: A normalized record whose facts are new.
        payload: The same as bytes.
        order: Its order time, UTC ms.
        book: What is known so far.
    """
    return _JUDGES[type(candidate)](candidate, payload, order, book)
