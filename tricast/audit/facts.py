"""What one place in a frame states: candidates and their facts, and how vendor values are compared."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

DEAD_LETTER = "dead letter"
"""Kind of a candidate that cannot become a record."""
PREFIX = "tricast.kambi."
_IDS = frozenset({"id", "participantId", "groupId", "groupSortOrder"})
_LABELS = frozenset({"periodId", "occurrenceTypeId"})
"""Sent as numbers or as strings (sheet §13); the same either way."""

_ABOUT_OFFERS = frozenset({5, 6, 7, 8})


@dataclass(frozen=True, slots=True)
class Fact:
    """What must appear once.

    Attributes:
        entity: Outcome id where it is about an outcome, else empty.
        group: Digest of (event, mt, bet offer or other entity, t): facts of one message about one thing are remembered
            and forgotten together.
        value: Digest of what is said.
        said: Digest of what is said of what, whenever: of copies whose ``t`` differs, the same.
        time_ms: The vendor's time, ``None`` if it is none.
    """

    entity: str
    group: bytes
    value: bytes
    said: bytes
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place in a frame that must end as a record, a duplicate or a dead letter.

    Attributes:
        kind: The ``ce_type`` it becomes, or ``DEAD_LETTER``.
        facts: What it states.
        by_outcome: Whether the facts are about outcomes, so that the record carries only the new ones.
        event: Id of the event it is about; empty when the message names none.
        offer: Id of the bet offer it is about, if there is one.
    """

    kind: str
    facts: list[Fact]
    by_outcome: bool = False
    event: str = ""
    offer: str = ""


def whole(name: str, group: tuple[str, int, str, str], value: Any) -> Candidate:
    """Return the candidate of a record whose one fact is the record; ``group`` is (event, mt, entity, t)."""
    event, mt, entity, _ = group
    about_offer = mt in _ABOUT_OFFERS and entity.isdecimal()
    return Candidate(
        f"{PREFIX}{name}.v1", [fact_of("", group, value)], event=event, offer=entity if about_offer else ""
    )


def id_of(value: Any) -> str:
    """Return an id by its number: it may come as text (sheet §8)."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError("id")
    return str(int(value))


def pick(body: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """Return those of ``fields`` that are present, ids as numbers."""
    present = {name: body[name] for name in fields if body.get(name) is not None}
    present |= {name: str(value) for name, value in present.items() if name in _LABELS}
    return {name: id_of(value) if name in _IDS else value for name, value in present.items()}


def fact_of(entity: str, group: tuple[str, int, str, str], value: Any) -> Fact:
    """Return the fact that says ``value`` of ``entity``."""
    *thing, time = (str(part) for part in group)
    return Fact(
        entity,
        _digest([*thing, time]),
        _digest(value),
        _digest([*thing, entity, value]),
        int(time) if time.isdecimal() else None,
    )


def _digest(value: Any) -> bytes:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(canonical.encode(), digest_size=12).digest()
