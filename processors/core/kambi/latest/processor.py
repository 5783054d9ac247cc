"""The processor of ``kambi.state``: facts in, what holds now out, and tombstones of what is gone."""

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
from processors.core.kambi.latest.members import Members
from processors.core.latest import FACT_ERRORS, Fact, Json, Latest, read_fact, stored
from processors.core.processor import Context, Hole, SourceRecord
from schemas.kambi import events
from schemas.kambi.codes import Code, Count

_SOURCE: Final = b"tricast/kambi/state"


class KambiState:
    """Folds the facts of one topic and partition; each task knows what its own topic says, and nothing else."""

    name = "kambi.state"
    feed = "kambi"
    sources = (events.EVENTS, events.OFFERS, events.SCORES)
    outputs = (events.STATE,)

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one fact of any topic."""
        try:
            fact = read_fact(record)
            is_changed = fact.value.get("late") is not True and _Fold(fact, context).fold()
        except FACT_ERRORS as error:
            # Nothing is written before all of it was read.
            context.dead_letter(record.value or b"", Code.BAD_FACT, f"{type(error).__name__}: {error}")
            return
        if not is_changed:
            context.count(Count.NO_STATE)

    def on_hole(self, hole: Hole, context: Context) -> None:
        """Never told: facts have no numbers of connections."""


class _Fold:
    """One fact on its way into the states."""

    __slots__ = ("_context", "_event_id", "_fact", "_latest", "_subject")

    def __init__(self, fact: Fact, context: Context) -> None:
        self._fact, self._context = fact, context
        self._event_id = _number(fact.value["event_id"])
        self._subject = b"%d" % self._event_id
        self._latest = Latest(fact, _SOURCE, events.STATE, context)

    def fold(self) -> bool:
        """Change, and tell, the states that the fact is about; return whether there was anything to change."""
        kind, value = self._fact.kind, self._fact.value
        if kind in EVENT_FACTS:
            key = self._key("event")
            before = stored(self._context, key)
            return self._set(key, events.EventLatest, before, fold_event(before, kind, value))
        if kind in PLAY_FACTS:
            key = self._key("play")
            before = stored(self._context, key)
            return self._set(key, events.PlayLatest, before, fold_play(before, kind, value, self._fact.received_ns))
        if kind in OFFER_FACTS:
            return self._offer(_number(value["offer_id"]), kind, value)
        if kind == events.OfferRemoved.ce_type:
            return self._end_offer(_number(value["offer_id"]))
        if kind == events.OffersSuspended.ce_type:
            return self._suspend()
        if kind == events.OffersRemoved.ce_type:
            return self._end_offers()
        if kind == events.EventRemoved.ce_type:
            return self._end(self._key("event"), events.EventLatest)
        return kind == events.ScoresRemoved.ce_type and self._end(self._key("play"), events.PlayLatest)

    def _key(self, what: str) -> bytes:
        return b"%b#%b" % (self._subject, what.encode())

    def _set(self, key: bytes, model: type[events.Normalized], before: Json | None, after: Json | None) -> bool:
        if after is None:
            return before is not None and self._end(key, model)
        return self._latest.change(key, self._subject, model, before, after)

    def _end(self, key: bytes, model: type[events.Normalized]) -> bool:
        if self._context.store.get(key) is None:
            return False
        self._latest.end(key, self._subject, model)
        return True

    # Offers; the event's list says which there are.

    def _offer(self, offer_id: int, kind: str, value: Json) -> bool:
        key = self._key(f"offer/{offer_id}")
        before = stored(self._context, key)
        after = fold_offer(before, kind, value)
        if after is None:
            return False
        if before is None and not Members(self._event_id, self._context.store).add(offer_id):
            self._context.count(Count.UNKEPT)
            return False
        return self._set(key, events.OfferLatest, before, after)

    def _end_offer(self, offer_id: int) -> bool:
        Members(self._event_id, self._context.store).remove(offer_id)
        return self._end(self._key(f"offer/{offer_id}"), events.OfferLatest)

    def _suspend(self) -> bool:
        is_changed = False
        for offer_id in Members(self._event_id, self._context.store).ids:
            key = self._key(f"offer/{offer_id}")
            before = stored(self._context, key)
            if before is not None:
                is_changed |= self._set(key, events.OfferLatest, before, before | {"suspended": True})
        return is_changed

    def _end_offers(self) -> bool:
        members = Members(self._event_id, self._context.store)
        for offer_id in members.ids:
            self._end(self._key(f"offer/{offer_id}"), events.OfferLatest)
        return members.clear()


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise msgspec.ValidationError(f"{value!r:.40} is no id")
    return value
