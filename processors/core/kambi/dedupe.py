"""Tell a fact that is new from a copy that came over another routing key or line.

Kambi sends a change of a main offer on the general and on the event keys, once each, without any number (fact sheet
§4). The identity of a fact is (event, mt, entity, value, t, n-th occurrence on its line): the n-th sighting on one line
is new only if no other line saw it n times before. So copies vanish, and A→B→A at one ``t`` stays three facts.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec

from processors.core.processor import Store

WINDOW_S: Final = 120
"""How long a fact is remembered, seconds of stream time.

Copies arrive within milliseconds; the latest comes from a socket that stalls and lives on, and that is 75 s at most
(ping 55 s + 20 s, fact sheet §2). A copy that is later than this goes out a second time, with its old
``vendor_time_ms``.
"""
MAX_ENTRIES: Final = 500_000
"""Bound of a task's memory, about 125 MB: 4,000 messages a second over the whole window; beyond it the oldest go."""
MAX_FACTS: Final = 100_000
"""Facts of one entry, about 3 MB: an offer with more outcomes at one ``t`` than this forgets the earlier ones."""
DELETES_PER_TICK: Final = 20_000
"""So that a task that was away for hours does not put all its tombstones into one transaction."""
PREFIX: Final = b"f"
"""First byte of the store keys of facts."""

AWAITED: Final = 0
"""In place of a fact: a general line said some of this entry, and copies are to come on the event's own keys."""

# Seen at (seconds of stream time), fact → line → how often that line said it. One entry holds all facts of one
# (event, mt, entity, t), and its window starts with the first of them: a message with eight outcomes of one offer
# costs one write, not eight.
_LINE_MASK: Final = 2**32 - 1
_Facts = dict[int, dict[int, int]]
_Entry = tuple[int, _Facts]
_KEY: Final = blake2b(digest_size=16)
_FACT: Final = blake2b(digest_size=8)
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Entry)


def entry_key(identity: str) -> bytes:
    """Return the store key of all facts of one ``event|mt|entity|t``."""
    digest = _KEY.copy()  # a third less than to make one anew
    digest.update(identity.encode("utf-8", "surrogatepass"))
    return PREFIX + digest.digest()


def fact_number(value: bytes) -> int:
    """Return the number that stands for ``value`` within its entry."""
    digest = _FACT.copy()
    digest.update(value)
    return int.from_bytes(digest.digest(), "big")


@lru_cache(maxsize=4096)
def line_number(line: bytes) -> int:
    """Return the number that stands for ``line`` in entries; 4 bytes, so that entries stay small."""
    return int.from_bytes(blake2b(line, digest_size=4).digest(), "big") or 1  # 0 stands for what is no line


class Sighting:
    """The facts of one frame, seen on one line. Nothing is written before ``FactMemory.keep``.

    Args:
        store: State of the stream task.
        line: Number of the line.
        now_s: Stream time, whole seconds.

    Attributes:
        awaits_copies: What is seen now are to be met by copies on other lines; see ``FactMemory.expire``.
    """

    __slots__ = ("_line", "_now_s", "_store", "awaits_copies", "entries", "opened", "unstored")

    def __init__(self, store: Store, line: int, now_s: int) -> None:
        self._store = store
        self._line = line
        self._now_s = now_s
        self.awaits_copies = False
        self.entries: dict[bytes, _Entry] = {}
        self.opened: list[bytes] = []
        self.unstored = 0

    def facts_of(self, key: bytes) -> _Facts:
        """Return the facts of an entry, which is opened if there is none; for ``is_new``."""
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = self._entry(key)
        return entry[1]

    def is_new(self, facts: _Facts, fact: int) -> bool:
        """Count ``fact`` of ``facts`` once more on this line; return whether no line had it that often."""
        if self.awaits_copies:
            facts[AWAITED] = {}
        lines = facts.get(fact)
        if lines is None:
            if len(facts) >= MAX_FACTS:
                facts.clear()
            facts[fact] = {self._line: 1}
            return True
        occurrence = lines.get(self._line, 0) + 1
        is_new = occurrence > max(lines.values())
        lines[self._line] = occurrence
        return is_new

    def lines_of(self, key: bytes, fact: int) -> dict[int, int]:
        """Return what lines said ``fact``, to be changed by who counts in another way than ``is_new``."""
        facts = self.facts_of(key)
        if self.awaits_copies:
            facts[AWAITED] = {}
        if fact not in facts and len(facts) >= MAX_FACTS:
            facts.clear()
        return facts.setdefault(fact, {})

    def known_lines_of(self, key: bytes, fact: int) -> dict[int, int]:
        """Return what lines said ``fact``; nothing is opened if nobody did. A change holds if one did."""
        entry = self.entries.get(key)
        if entry is None:
            stored = self._store.get(key)
            if stored is None:
                return {}
            entry = _DECODER.decode(stored)
            if self._now_s - entry[0] > WINDOW_S or fact not in entry[1]:
                return {}
            self.entries[key] = entry
        return entry[1].get(fact, {})

    def _entry(self, key: bytes) -> _Entry:
        stored = self._store.get(key)
        if stored is None:
            self.unstored += 1
        else:
            entry: _Entry = _DECODER.decode(stored)
            # Whether housekeeping has come by yet must make no difference: an entry past its window is not there.
            if self._now_s - entry[0] <= WINDOW_S:
                return entry
        self.opened.append(key)
        return self._now_s, {}


class Copies:
    """How many facts of general lines were said by another line, too, within their window.

    Args:
        general: Numbers of the general lines.

    Attributes:
        met: General line → facts of it whose copy came.
        unmet: Likewise, whose copy did not come.
    """

    __slots__ = ("_general", "met", "unmet")

    def __init__(self, general: Collection[int]) -> None:
        self._general = frozenset(general)
        self.met: Counter[int] = Counter()
        self.unmet: Counter[int] = Counter()

    def note(self, facts: Mapping[int, Mapping[int, int]]) -> None:
        """Count the facts of an entry that ended."""
        for lines in facts.values():
            # Beside the number of a line there may be a time (``copies``), and 0 where no line stands.
            said = {line & _LINE_MASK for line in lines} - {0}
            here = said & self._general
            for line in here:
                (self.met if said - self._general else self.unmet)[line] += 1


class FactMemory:
    """When which entry of the store ends, kept beside the store and rebuilt from it; one per stream task.

    Args:
        store: Read through once.
        max_entries: See ``MAX_ENTRIES``.
    """

    def __init__(self, store: Store, max_entries: int = MAX_ENTRIES) -> None:
        self._max_entries = max_entries
        self._size = 0
        self._by_second: dict[int, list[bytes]] = {}
        for second, key in sorted((_DECODER.decode(value)[0], key) for key, value in store.items(PREFIX)):
            self._by_second.setdefault(second, []).append(key)
            self._size += 1

    def keep(self, sighting: Sighting, store: Store, now_s: int) -> int:
        """Write what ``sighting`` saw; return how many older entries had to go for it."""
        for key, entry in sighting.entries.items():
            store.put(key, _ENCODER.encode(entry))
        if sighting.opened:
            self._by_second.setdefault(now_s, []).extend(sighting.opened)
            self._size += sighting.unstored
        evicted = 0
        # Whole seconds, so that the order within one, which a rebuilt memory does not know, decides nothing.
        while self._size > self._max_entries:
            evicted += self._forget(next(iter(self._by_second)), store)
        return evicted

    def expire(self, store: Store, now_s: int, copies: Copies | None = None) -> int:
        """Delete entries whose window ended, oldest first, about ``DELETES_PER_TICK`` at most; return how many.

        Args:
            store: State of the stream task.
            now_s: Stream time, whole seconds.
            copies: Shown the facts of entries that awaited copies.
        """
        deleted = 0
        for second in list(self._by_second):
            if now_s - second <= WINDOW_S or deleted >= DELETES_PER_TICK:
                break
            deleted += self._forget(second, store, copies)
        return deleted

    def _forget(self, second: int, store: Store, copies: Copies | None = None) -> int:
        deleted = 0
        for key in self._by_second.pop(second):
            stored = store.get(key)
            if stored is None:
                continue
            opened_s, facts = _DECODER.decode(stored)
            # An entry that ended and was opened anew belongs to its later second.
            if opened_s == second:
                store.delete(key)
                deleted += 1
                if copies is not None and AWAITED in facts:
                    copies.note(facts)
        self._size -= deleted
        return deleted
