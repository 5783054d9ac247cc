"""Whether the scorer collects, as family A tells it (fact sheet §4.5, §7): suspension is manual, and not the upstream.

The action "Status Updated" says it when it happens, in its metadata; the summary beside every action follows, perhaps a
packet later. So a summary counts only where it changes.
"""

from typing import Final, Literal

import msgspec

from schemas.fastpath.wire import COLLECTION_STATUSES

Collection = Literal["running", "suspended", "dropped"]

_MEANING: Final[dict[str, Collection]] = {"collectionsuspended": "suspended", "collectiondropped": "dropped"}


class Collecting(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one feed.

    Attributes:
        collection: What the scorer does.
        status: The vendor's word for it, as in a summary; empty before the first.
        summary: Status in the newest summary that had one.
    """

    collection: Collection = "running"
    status: str = ""
    summary: str = ""


def take_collection(known: Collecting, *, told: int | str | None, summary: str | None) -> Collecting:
    """Return what is known after a packet of family A that goes out in its place; others say nothing new.

    Args:
        known: Before it.
        told: ``collectionStatus`` of its metadata, a number or a name.
        summary: ``collectionStatus`` of its summary.
    """
    said = _name(told) if told is not None else None if summary == known.summary else summary
    if said is None:
        return known
    return Collecting(_MEANING.get(said.casefold(), "running"), said, known.summary if summary is None else summary)


def _name(status: int | str) -> str:
    if isinstance(status, str):
        return status
    return COLLECTION_STATUSES[status] if 0 <= status < len(COLLECTION_STATUSES) else str(status)
