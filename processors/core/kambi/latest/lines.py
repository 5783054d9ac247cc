"""The main line: of an event's offers of one type and criterion, the one whose two odds are closest (fact sheet §9).

Push never says it. What is compared stands in the store, so that a change of odds reads no other offer. Not known here:
that in baseball the main handicap is the favourite's -1.5 whatever its odds, for offers do not name their sport.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from processors.core.latest import Json
from processors.core.processor import Store

PREFIX: Final = b"g"
"""First byte of the store keys; event id, type and criterion follow, with ``/`` between."""
_Gaps = dict[int, int]
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Gaps)
_PAIR: Final = 2


class Line(NamedTuple):
    """What makes an offer a line: those it is compared with, and by what."""

    group: bytes
    gap: int
    """Between its two odds, thousandths."""


def line_of(offer: Json | None) -> Line | None:
    """Return the line that an offer is; ``None``: it is not there, is hidden, has no line, or not two odds."""
    if offer is None or offer.get("visible") is False or len(offer["outcomes"]) != _PAIR:
        return None
    first, second = offer["outcomes"]
    type_id, criterion = offer.get("type_id"), offer.get("criterion", {}).get("id")
    if type_id is None or criterion is None or not {"line_thousandths", "odds_thousandths"} <= first.keys() & second:
        return None
    return Line(b"%d/%d" % (type_id, criterion), abs(first["odds_thousandths"] - second["odds_thousandths"]))


class Lines:
    """The lines of one event.

    Args:
        event_id: Which.
        store: State of the task.
        offers: Yields id and state of all offers of the event; asked only where an earlier version kept no lines.
    """

    __slots__ = ("_event_id", "_offers", "_store")

    def __init__(self, event_id: int, store: Store, offers: Callable[[], Iterable[tuple[int, Json]]]) -> None:
        self._event_id, self._store, self._offers = event_id, store, offers

    def change(self, changes: Mapping[int, tuple[Json | None, Json | None]]) -> dict[int, bool]:
        """Compare anew; return which offers are main lines, of those that change and of those that become or cease to.

        Args:
            changes: Offers by id, before and after.
        """
        moved: dict[bytes, list[tuple[int, Line | None, Line | None]]] = {}
        for offer_id, states in changes.items():
            was, now = map(line_of, states)
            for group in {line.group: None for line in (was, now) if line is not None}:
                moved.setdefault(group, []).append((offer_id, was, now))
        mains = dict.fromkeys(changes, False)
        for group, lines in moved.items():
            gaps = self._gaps(group, [offer_id for offer_id, was, _ in lines if was is not None and was.group == group])
            before = _closest(gaps)
            for offer_id, _, now in lines:
                if now is None or now.group != group:
                    gaps.pop(offer_id, None)
                else:
                    gaps[offer_id] = now.gap
            after = _closest(gaps)
            mains |= {offer_id: offer_id in after for offer_id in sorted((before ^ after) - changes.keys())}
            mains |= dict.fromkeys(sorted(after & changes.keys()), True)
            self._put(group, gaps)
        return mains

    def _gaps(self, group: bytes, known: Iterable[int]) -> _Gaps:
        value = self._store.get(self._key(group))
        gaps: _Gaps = {} if value is None else _DECODER.decode(value)
        if all(offer_id in gaps for offer_id in known):
            return gaps
        lines = {offer_id: line_of(offer) for offer_id, offer in self._offers()}
        return {offer_id: line.gap for offer_id, line in lines.items() if line is not None and line.group == group}

    def _put(self, group: bytes, gaps: _Gaps) -> None:
        if gaps:
            self._store.put(self._key(group), _ENCODER.encode(gaps))
        else:
            self._store.delete(self._key(group))

    def _key(self, group: bytes) -> bytes:
        return b"%b%d/%b" % (PREFIX, self._event_id, group)


def _closest(gaps: _Gaps) -> set[int]:
    """Return the offers with the smallest gap: more than one, where they are equal."""
    least = min(gaps.values(), default=0)
    return {offer_id for offer_id, gap in gaps.items() if gap == least}
