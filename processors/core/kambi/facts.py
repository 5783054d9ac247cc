"""What of a candidate is new: its facts, each by the identity (event, mt, entity, value, t, n-th on its line)."""

from typing import Any, Final

import msgspec

from processors.core.kambi.copies import NearSighting, NewFact
from processors.core.kambi.dedupe import Sighting, entry_key, fact_number
from processors.core.kambi.judging import PART_NAMES
from processors.core.processor import Context
from schemas.codec import encode
from schemas.kambi import events
from schemas.kambi.codes import Count

_PER_OUTCOME: Final = frozenset(
    {events.OddsChanged, events.OutcomesAdded, events.OutcomesRemoved, events.OutcomesStatusChanged}
)
"""Records whose facts are their outcomes; the fact of every other record is the record."""
_ENTITIES: Final[dict[type[events.Normalized], str]] = {
    events.OfferAdded: "offer_id",
    events.OfferRemoved: "offer_id",
    events.OfferStatusChanged: "offer_id",
    events.LiveStatisticChanged: "occurrence_type_id",
    events.TickerAdded: "ticker_id",
    events.OccurrenceChanged: "occurrence_id",
    events.VisualizationChanged: "visualization_id",
    events.OutcomeSettled: "outcome_id",
}
"""What names the entity of a record beside its event; of other records the event has one of the kind."""
_encode_value = msgspec.json.Encoder().encode


class Facts:
    """The facts of one frame.

    Args:
        context: Where copies are counted.
        line: Number of the line.
        now_s: Stream time, whole seconds.
        copy_skew_ms: How far apart the ``t`` of copies may be; 0: they are equal.

    Attributes:
        sighting: What was seen, to be written in the end.
    """

    __slots__ = ("_context", "_near", "_new", "sighting")

    def __init__(self, context: Context, line: int, now_s: int, copy_skew_ms: int) -> None:
        self._context = context
        self.sighting = Sighting(context.store, line, now_s)
        self._near = NearSighting(self.sighting, line, copy_skew_ms) if copy_skew_ms else None
        self._new: list[tuple[Any, NewFact]] = []

    def new_part(self, candidate: Any, mt: int, t: str, time_ms: int | None) -> bytes | None:
        """Return the value of ``candidate`` with those of its facts that are new, ``None`` if none is.

        Args:
            candidate: A normalized record; loses the outcomes that are copies.
            mt: The vendor's message type.
            t: The vendor's time as it stands in the identity.
            time_ms: The same if it is usable.
        """
        if self._near is not None and time_ms is not None:
            return self._new_near_part(candidate, f"{_event(candidate)}|{mt}|{_entity(candidate)}", time_ms)
        if type(candidate) not in _PER_OUTCOME:
            payload = encode(candidate)
            key = entry_key(f"{_event(candidate)}|{mt}|{_entity(candidate)}|{t}")
            if self.sighting.is_new(self.sighting.facts_of(key), fact_number(payload)):
                return payload
            self._context.count(Count.DUPLICATE)
            return None
        key = entry_key(f"{candidate.event_id}|{mt}|{candidate.offer_id}|{t}")
        is_new, known = self.sighting.is_new, self.sighting.facts_of(key)
        new = [outcome for outcome in candidate.outcomes if is_new(known, fact_number(_encode_value(outcome)))]
        return self._reduced(candidate, new)

    def _new_near_part(self, candidate: Any, identity: str, time_ms: int) -> bytes | None:
        assert self._near is not None
        if type(candidate) in _PER_OUTCOME:
            new = [outcome for outcome in candidate.outcomes if self._is_new(identity, time_ms, outcome)]
            return self._reduced(candidate, new)
        candidate.vendor_time_ms = msgspec.UNSET
        is_new = self._is_new(identity, time_ms, candidate)
        candidate.vendor_time_ms = time_ms
        if is_new:
            return encode(candidate)
        self._context.count(Count.DUPLICATE)
        return None

    def _is_new(self, identity: str, time_ms: int, subject: Any) -> bool:
        assert self._near is not None
        seen = self._near.observe(identity, time_ms, fact_number(_encode_value(subject)))
        if isinstance(seen, NewFact):
            self._new.append((subject, seen))
            return True
        if seen == "near":
            self._context.count(Count.COPY)
        return False

    def _reduced(self, candidate: Any, new: list[Any]) -> bytes | None:
        if not new:
            self._context.count(Count.DUPLICATE)
            return None
        if len(new) < len(candidate.outcomes):
            self._context.count(Count.PARTIAL_DUPLICATE)
            candidate.outcomes = new
        return encode(candidate)

    def judged(self) -> None:
        """Take note of which of the new facts of the last candidate were found to be late."""
        if self._new:
            for subject, new in self._new:
                if subject.late is True:
                    new.mark_late()
            self._new.clear()


def _event(candidate: Any) -> int | str:
    # A settled outcome is told by its own id alone: one copy may name the event and another not.
    event_id: int | str = "" if type(candidate) is events.OutcomeSettled else candidate.event_id
    return event_id


def _entity(candidate: Any) -> int | str:
    kind = type(candidate)
    name = "offer_id" if kind in _PER_OUTCOME else _ENTITIES.get(kind)
    entity: int | str = PART_NAMES.get(kind, "") if name is None else getattr(candidate, name)
    return entity
