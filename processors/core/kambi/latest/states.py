"""One fact on its way into the states that it is about."""

from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from processors.core.kambi.latest.folds import (
    EVENT_FACTS,
    OFFER_FACTS,
    PLAY_FACTS,
    fold_event,
    fold_offer,
    fold_play,
)
from processors.core.kambi.latest.lines import Lines
from processors.core.kambi.latest.members import Members
from processors.core.kambi.latest.trailing import ended_before, is_trailing, note_end
from processors.core.latest import Fact, Json, Latest, stored
from processors.core.processor import Context
from schemas.kambi import events
from schemas.kambi.codes import Count

_SOURCE: Final = b"tricast/kambi/state"
_ENDS: Final = frozenset(model.ce_type for model in (events.EventRemoved, events.OffersRemoved, events.ScoresRemoved))
"""The end of an event, as each topic tells it."""


class States:
    """The states of one topic and partition, as one fact finds and leaves them.

    Args:
        fact: The fact.
        value: What it says.
        context: Of its record.

    Raises:
        FACT_ERRORS: It names no event.
    """

    __slots__ = ("_context", "_event_id", "_fact", "_latest", "_store", "_value")

    def __init__(self, fact: Fact, value: Json, context: Context) -> None:
        self._fact, self._value, self._context, self._store = fact, value, context, context.store
        self._event_id = _number(value["event_id"])
        self._latest = Latest(fact, _SOURCE, events.STATE, context)

    def fold(self) -> bool:
        """Change, and tell, the states that the fact is about; return whether there was anything to change.

        Raises:
            FACT_ERRORS: It is no fact of ours; nothing was changed.
        """
        kind, value = self._fact.kind, self._value
        if kind in OFFER_FACTS:
            return self._offer(_number(value["offer_id"]), kind, value)
        if kind == events.OfferRemoved.ce_type:
            return self._end_offers(self._event_id, {_number(value["offer_id"])})
        if kind == events.OffersSuspended.ce_type:
            return self._suspend()
        if kind in _ENDS:
            note_end(self._event_id, self._fact.received_ns, self._store)
            return self._end_all(self._event_id)
        return self._of_event(kind, value)

    def sweep(self) -> None:
        """Drop what trails behind the ends of events."""
        now_ns = self._fact.received_ns
        for event_id in ended_before(now_ns, self._store):
            self._end_all(event_id, trailing_at_ns=now_ns)
            play = stored(self._store, self._key("play", event_id))
            if play is not None:
                note_end(event_id, now_ns, self._store)  # it is still said: look again

    def _of_event(self, kind: str, value: Json) -> bool:
        if kind in EVENT_FACTS:
            key = self._key("event")
            before = stored(self._store, key)
            return self._set(key, events.EventLatest, before, fold_event(before, kind, value))
        if kind in PLAY_FACTS:
            key = self._key("play")
            before = stored(self._store, key)
            return self._set(key, events.PlayLatest, before, fold_play(before, kind, value, self._fact.received_ns))
        return False

    def _key(self, what: str, event_id: int | None = None) -> bytes:
        return f"{self._event_id if event_id is None else event_id}#{what}".encode()

    def _set(self, key: bytes, model: type[events.Normalized], before: Json | None, after: Json | None) -> bool:
        if after is None:
            return before is not None and self._end(key, self._event_id, model)
        return self._latest.change(key, b"%d" % self._event_id, model, before, after)

    def _end(self, key: bytes, event_id: int, model: type[events.Normalized]) -> bool:
        if self._store.get(key) is None:
            return False
        self._latest.end(key, b"%d" % event_id, model)
        return True

    def _end_all(self, event_id: int, *, trailing_at_ns: int | None = None) -> bool:
        """End all there is of an event, or only what trails behind its end; return whether there was any."""

        def is_over(key: bytes) -> bool:
            state = None if trailing_at_ns is None else stored(self._store, key)
            return trailing_at_ns is None or (state is not None and is_trailing(state, trailing_at_ns))

        offers = Members(event_id, self._store).ids
        over = {offer_id: None for offer_id in offers if is_over(self._key(f"offer/{offer_id}", event_id))}
        was_any = self._end_offers(event_id, over)
        for what, model in (("event", events.EventLatest), ("play", events.PlayLatest)):
            key = self._key(what, event_id)
            if is_over(key):
                was_any |= self._end(key, event_id, model)
        return was_any

    # Offers; the event's list says which there are.

    def _offer(self, offer_id: int, kind: str, value: Json) -> bool:
        key = self._key(f"offer/{offer_id}")
        before = stored(self._store, key)
        after = fold_offer(before, kind, value)
        if after is None:
            return False
        if before is None and not Members(self._event_id, self._store).add(offer_id):
            self._context.count(Count.UNKEPT)
            return False
        mains = self._lines(self._event_id).change({offer_id: (before, after)})
        is_changed = self._set(key, events.OfferLatest, before, _as_main(after, is_main=mains.pop(offer_id)))
        self._tell_mains(self._event_id, mains)
        return is_changed

    def _end_offers(self, event_id: int, offer_ids: Collection[int]) -> bool:
        ended = {
            offer_id: (before, None)
            for offer_id in offer_ids
            if (before := stored(self._store, self._key(f"offer/{offer_id}", event_id))) is not None
        }
        mains = self._lines(event_id).change(ended)
        for offer_id in ended:
            self._end(self._key(f"offer/{offer_id}", event_id), event_id, events.OfferLatest)
        Members(event_id, self._store).remove(offer_ids)
        self._tell_mains(event_id, {offer_id: is_main for offer_id, is_main in mains.items() if offer_id not in ended})
        return bool(ended)

    def _lines(self, event_id: int) -> Lines:
        def offers() -> Iterator[tuple[int, Json]]:
            for offer_id in Members(event_id, self._store).ids:
                state = stored(self._store, self._key(f"offer/{offer_id}", event_id))
                if state is not None:
                    yield offer_id, state

        return Lines(event_id, self._store, offers)

    def _tell_mains(self, event_id: int, mains: dict[int, bool]) -> None:
        """Tell of other offers that became main lines, or are it no more."""
        for offer_id, is_main in mains.items():
            key = self._key(f"offer/{offer_id}", event_id)
            before = stored(self._store, key)
            if before is not None:
                after = _as_main(before, is_main=is_main)
                self._latest.change(key, b"%d" % event_id, events.OfferLatest, before, after)

    def _suspend(self) -> bool:
        is_changed = False
        for offer_id in Members(self._event_id, self._store).ids:
            key = self._key(f"offer/{offer_id}")
            before = stored(self._store, key)
            if before is not None:
                is_changed |= self._set(key, events.OfferLatest, before, before | {"suspended": True})
        return is_changed


def _as_main(offer: Json, *, is_main: bool) -> Json:
    if is_main:
        return offer | {"main_line": True}
    return {name: value for name, value in offer.items() if name != "main_line"}


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise msgspec.ValidationError(f"{value!r:.40} is no id")
    return value
