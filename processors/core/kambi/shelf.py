"""When which entry of the book ends: kept beside the store, rebuilt from it, one per stream task.

Nothing here decides what goes out by itself: it is a second look at the store, so a restart changes nothing.
Whole seconds are dropped at once, so that the order within one, which a rebuilt shelf does not know, decides nothing.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from processors.core.kambi import entries
from processors.core.kambi.dedupe import WINDOW_S
from processors.core.kambi.index import ELSEWHERE, decode_place
from processors.core.processor import Store

MAX_EVENTS: Final = 20_000
"""Events of one task; a large offering has 500 live ones and some thousands before their start. The oldest go."""
MAX_OFFERS: Final = 300_000
"""Offers of one task, about 150 MB: 300 each for 1,000 events. The oldest events go with their offers."""
MAX_ELSEWHERE: Final = 200_000
"""Offers of other shards' events (and of removed ones) whose event is remembered, about 25 MB. The oldest go."""
DELETES_PER_TICK: Final = 5_000
"""Removed entries that one tick deletes, about: so that no transaction grows without bound."""


class Changes(msgspec.Struct, gc=False):
    """What a record did to the book, as far as the shelf must know.

    Attributes:
        events: Events that got an entry, with the second of it.
        offers: How many offer entries there are more than before.
        removed: Keys of entries that were marked removed.
        elsewhere: Offers whose event is remembered from now on.
    """

    events: list[int] = []
    offers: int = 0
    removed: list[bytes] = []
    elsewhere: list[bytes] = []


class Shelf:
    """Events by age, removed entries by time of removal, remembered places by age.

    Args:
        store: Read through once.
        max_events: See ``MAX_EVENTS``.
        max_offers: See ``MAX_OFFERS``.
        max_elsewhere: See ``MAX_ELSEWHERE``.
    """

    def __init__(
        self,
        store: Store,
        max_events: int = MAX_EVENTS,
        max_offers: int = MAX_OFFERS,
        max_elsewhere: int = MAX_ELSEWHERE,
    ) -> None:
        self._max_events, self._max_offers, self._max_elsewhere = max_events, max_offers, max_elsewhere
        self._events: dict[int, set[int]] = {}
        self._removed: dict[int, set[bytes]] = {}
        self._elsewhere: dict[int, list[bytes]] = {}
        self._event_count = self._offer_count = self._elsewhere_count = 0
        created: list[tuple[int, int]] = []
        removed: list[tuple[int, bytes]] = []
        places: list[tuple[int, bytes]] = []
        for key, value in store.items():
            kind = key[:1]
            if kind == entries.OFFER:
                self._offer_count += 1
                gone_s = entries.decode_offer(value).removed_s
                if gone_s:
                    removed.append((gone_s, key))
            elif kind == entries.EVENT:
                event = entries.decode_event(value)
                created.append((event.created_s, entries.key_id(key)))
                if event.removed_s:
                    removed.append((event.removed_s, key))
            elif kind == ELSEWHERE:
                places.append((decode_place(value)[1], key))
        for second, event_id in sorted(created):
            self._events.setdefault(second, set()).add(event_id)
        self._event_count = len(created)
        for second, key in sorted(removed):
            self._removed.setdefault(second, set()).add(key)
        for second, key in sorted(places):
            self._elsewhere.setdefault(second, []).append(key)
        self._elsewhere_count = len(places)

    def event_ids(self) -> list[int]:
        """Return the ids of all events that have an entry, in order."""
        return sorted(event_id for ids in self._events.values() for event_id in ids)

    def note(self, changes: Changes, store: Store, now_s: int) -> int:
        """Take over what a record did at stream time ``now_s``; return how many events had to go for it."""
        if changes.events:
            self._events.setdefault(now_s, set()).update(changes.events)
            self._event_count += len(changes.events)
        self._offer_count += changes.offers
        if changes.removed:
            self._removed.setdefault(now_s, set()).update(changes.removed)
        if changes.elsewhere:
            self._elsewhere.setdefault(now_s, []).extend(changes.elsewhere)
            self._elsewhere_count += len(changes.elsewhere)
        gone = 0
        while self._event_count > self._max_events or self._offer_count > self._max_offers:
            if not self._events:
                break
            for event_id in sorted(self._events.pop(next(iter(self._events)))):
                self._event_count -= 1
                gone += 1
                self._drop_event(event_id, store)
        while self._elsewhere_count > self._max_elsewhere:
            for key in self._elsewhere.pop(next(iter(self._elsewhere))):
                store.delete(key)
                self._elsewhere_count -= 1
        return gone

    def expire(self, store: Store, now_s: int) -> int:
        """Delete entries that were removed longer ago than facts may be late; return how many."""
        deleted = 0
        for second in list(self._removed):
            if now_s - second <= WINDOW_S or deleted >= DELETES_PER_TICK:
                break
            keys = sorted(self._removed.pop(second))
            deleted += self._drop_offers((key for key in keys if key[:1] == entries.OFFER), second, store)
            for key in keys:
                stored = store.get(key) if key[:1] == entries.EVENT else None
                if stored is not None:
                    event = entries.decode_event(stored)
                    if event.removed_s == second and event.newest() > (now_s - WINDOW_S) * 1000:
                        # A clock or score came after the removal, and older ones may still come after it.
                        event.removed_s = now_s
                        store.put(key, entries.encode(event))
                        self._removed.setdefault(now_s, set()).add(key)
                    elif event.removed_s == second:
                        event_id = entries.key_id(key)
                        ids = self._events[event.created_s]
                        ids.discard(event_id)
                        if not ids:
                            del self._events[event.created_s]
                        self._event_count -= 1
                        self._drop_event(event_id, store)
                        deleted += 1
        return deleted

    def _drop_event(self, event_id: int, store: Store) -> None:
        for offer_id in _members(event_id, store):
            store.delete(entries.offer_key(offer_id))
            self._offer_count -= 1
        store.delete(entries.members_key(event_id))
        store.delete(entries.event_key(event_id))

    def _drop_offers(self, keys: Iterable[bytes], second: int, store: Store) -> int:
        """Delete offers that were removed at ``second`` and not added again since."""
        by_event: dict[int, set[int]] = {}
        for key in keys:
            stored = store.get(key)
            if stored is not None:
                offer = entries.decode_offer(stored)
                if offer.removed_s == second:
                    store.delete(key)
                    self._offer_count -= 1
                    by_event.setdefault(offer.event_id, set()).add(entries.key_id(key))
        for event_id in sorted(by_event):
            left = [offer_id for offer_id in _members(event_id, store) if offer_id not in by_event[event_id]]
            store.put(entries.members_key(event_id), entries.encode(left))
        return sum(map(len, by_event.values()))


def _members(event_id: int, store: Store) -> list[int]:
    stored = store.get(entries.members_key(event_id))
    return [] if stored is None else entries.decode_members(stored)
