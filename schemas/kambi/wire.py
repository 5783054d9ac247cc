"""Kambi Offering Push messages as they come (fact sheet §6, §8, §9, §13), for the types that concern offers.

Extra fields are ignored, describing enums are open strings, every field but the ids may be absent or ``null``.
msgspec and not pydantic: this is the hot path, and a 1.25 kB message takes 3 µs instead of 11 there.
Models are strict: msgspec's lax mode would read ``"9007199254740993.0"`` as an id and round it.
"""

from types import MappingProxyType
from typing import Annotated, Any

from msgspec import Meta, Struct

MAX_ID = 2**63 - 1
"""Largest id we take: the largest signed 64-bit number, so that every consumer's long holds it."""

Id = Annotated[int, Meta(ge=0, le=MAX_ID)] | Annotated[str, Meta(pattern=r"^[0-9]{1,19}\Z")]
"""Ids pass 2^53 and come as numbers or as strings of digits; ``int(id)`` is exact for both."""

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Whole numbers that every consumer's long holds."""


class PathStep(Struct, rename="camel", gc=False):
    """One step from sport down to league."""

    id: Id | None = None
    name: str | None = None
    english_name: str | None = None
    term_key: str | None = None


class Event(Struct, rename="camel", gc=False):
    """An event (§8); ``awayName`` and ``nameDelimiter`` are missing on competitions (§13)."""

    id: Id
    name: str | None = None
    english_name: str | None = None
    name_delimiter: str | None = None
    home_name: str | None = None
    away_name: str | None = None
    start: str | None = None
    group: str | None = None
    group_id: Id | None = None
    group_sort_order: Id | None = None
    path: list[PathStep] | None = None
    sport: str | None = None
    state: str | None = None
    tags: list[str] | None = None
    live_bo_count: Int64 | None = None
    non_live_bo_count: Int64 | None = None


class Criterion(Struct, rename="camel", gc=False):
    """What a bet offer is about; ids group but do not sort (§8)."""

    id: Id | None = None
    label: str | None = None
    english_label: str | None = None
    occurrence_type: str | None = None
    lifetime: str | None = None


class BetOfferType(Struct, rename="camel", gc=False):
    """Kind of bet offer; ids are an open list."""

    id: Id
    name: str | None = None
    english_name: str | None = None


class Outcome(Struct, rename="camel", gc=False):
    """An outcome, whole (``boa``, ``booa``) or as odds only (``boou``)."""

    id: Id
    bet_offer_id: Id | None = None
    odds: Int64 | None = None
    odds_fractional: str | None = None
    odds_american: str | None = None
    line: Int64 | None = None
    label: str | None = None
    english_label: str | None = None
    type: str | None = None
    status: str | None = None
    cash_out_status: str | None = None
    changed_date: str | None = None
    participant: str | None = None
    participant_id: Id | None = None


class BetOffer(Struct, rename="camel", gc=False):
    """A bet offer; ``suspended`` omitted means false, ``betOfferType`` is an object or its bare id (§6, §8)."""

    id: Id
    event_id: Id | None = None
    criterion: Criterion | None = None
    bet_offer_type: Id | BetOfferType | None = None
    outcomes: list[Outcome] | None = None
    tags: list[str] | None = None
    suspended: bool | None = None
    closed: str | None = None
    cash_out_status: str | None = None


class EventAdded(Struct, rename="camel", gc=False):
    """``ea``, mt 4."""

    event: Event


class LiveEventOpened(Struct, rename="camel", gc=False):
    """``leo``, mt 5."""

    event: Event
    main_bet_offer: BetOffer | None = None


class BetOfferAdded(Struct, rename="camel", gc=False):
    """``boa``, mt 6; the event id stands here or in the bet offer."""

    bet_offer: BetOffer
    event_id: Id | None = None


class BetOfferRemoved(Struct, rename="camel", gc=False):
    """``bor``, mt 7."""

    bet_offer_id: Id
    event_id: Id | None = None


class BetOfferStatusUpdated(Struct, rename="camel", gc=False):
    """``bosu``, mt 8; ``suspended`` is false and ``visible`` true when missing (§6)."""

    bet_offer_id: Id
    event_id: Id | None = None
    suspended: bool | None = None
    visible: bool | None = None
    cash_out_status: str | None = None


class OutcomesChanged(Struct, rename="camel", gc=False):
    """``boou``, ``booa``, ``boor``, mt 11, 22, 23; ``betOfferId`` stands on the outcome or here (§13)."""

    outcomes: list[Outcome]
    event_id: Id | None = None
    bet_offer_id: Id | None = None


class EventRemoved(Struct, rename="camel", gc=False):
    """``er``, mt 18."""

    event_id: Id | None = None


class EventStateUpdated(Struct, rename="camel", gc=False):
    """``esu``, mt 34; the event id is ``id`` here, ``eventId`` as an alias."""

    state: str
    id: Id | None = None
    event_id: Id | None = None


class Child(Struct, gc=False):
    """One message of a bulk: type, vendor time and the element that the type names.

    ``t`` is a string or an integer of milliseconds; whatever else it is makes the time unusable, not the child.
    """

    mt: int
    t: Any = None
    ea: EventAdded | None = None
    leo: LiveEventOpened | None = None
    boa: BetOfferAdded | None = None
    bor: BetOfferRemoved | None = None
    bosu: BetOfferStatusUpdated | None = None
    boou: OutcomesChanged | None = None
    booa: OutcomesChanged | None = None
    boor: OutcomesChanged | None = None
    er: EventRemoved | None = None
    esu: EventStateUpdated | None = None


ELEMENTS: MappingProxyType[int, tuple[str, type[Struct]]] = MappingProxyType(
    {
        4: ("ea", EventAdded),
        5: ("leo", LiveEventOpened),
        6: ("boa", BetOfferAdded),
        7: ("bor", BetOfferRemoved),
        8: ("bosu", BetOfferStatusUpdated),
        11: ("boou", OutcomesChanged),
        18: ("er", EventRemoved),
        22: ("booa", OutcomesChanged),
        23: ("boor", OutcomesChanged),
        34: ("esu", EventStateUpdated),
    }
)
"""Message type → name and model of its element, for the types that are normalized."""

LATER_TYPES: MappingProxyType[int, str] = MappingProxyType(
    {
        9: "abos",
        12: "mcr",
        15: "mcu",
        16: "score",
        17: "stats",
        19: "tu",
        20: "desc",
        24: "os",
        25: "mo",
        27: "vo",
        28: "ls",
        32: "osu",
    }
)
"""Types of the sheet that are kept but not normalized yet."""
