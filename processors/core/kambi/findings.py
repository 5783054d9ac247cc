"""What reading found when it is no record: values, and the exception that carries one out of a deep place."""

from dataclasses import dataclass
from typing import Final

import msgspec

from schemas.kambi.codes import Code, Count
from schemas.kambi.events import OfferRemoved


class InexactError(Exception):
    """A number that no reader can hold exactly. No ``ValueError``: msgspec would wrap it."""


READ_ERRORS: Final = (msgspec.DecodeError, UnicodeError, RecursionError, ValueError, InexactError)
"""What msgspec, json and our float hook raise on bytes that are not what they should be."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Nothing to normalize in it, by design."""

    what: Count


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that become a dead letter: the code and, for people, what was wrong."""

    code: Code
    detail: str


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A candidate that lacks nothing but its event: a removed bet offer, as the vendor may send it (fact sheet §6).

    It takes an index like any candidate. Who knows the event of the bet offer completes it by ``placed_in``; if nobody
    does, it is a dead letter. A settled outcome without event is no such case: its record can do without.
    """

    offer_id: int
    vendor_time_ms: int | msgspec.UnsetType

    def placed_in(self, event_id: int) -> OfferRemoved:
        """Return the record, now that its event is known."""
        return OfferRemoved(event_id=event_id, offer_id=self.offer_id, vendor_time_ms=self.vendor_time_ms)


class RejectedError(Exception):
    """Leaves the reading of one part; whoever reads a part takes the finding and goes on with the next."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.finding = Unreadable(code, detail)
