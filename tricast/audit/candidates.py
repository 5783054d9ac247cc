"""Which outputs each child of a Kambi bulk calls for, and which facts each of them states.

Written from the vendor's sheet and the rules in the README ("Topics"), not from the processor. A *candidate* has an
index in its frame; a *fact* is what must appear once however many lines carried it: (event, mt, entity, value, t, n-th
occurrence on its line).
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

_PREFIX = "tricast.kambi."
DEAD_LETTER = "dead letter"
"""Kind of a candidate that cannot become a record."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place in a frame that must end as a record, a duplicate or a dead letter.

    Attributes:
        kind: The ``ce_type`` it becomes, or ``DEAD_LETTER``.
        facts: Entity and identity of each fact, in order; the entity is the outcome id where it is about an outcome.
        by_outcome: Whether the facts are about outcomes, so that the record carries only the new ones.
    """

    kind: str
    facts: list[tuple[str, bytes]]
    by_outcome: bool = False


_UNREADABLE = Candidate(DEAD_LETTER, [])


def of_child(child: Any) -> list[Candidate]:
    """Return the candidates of one child, in the order of their indices; at least one."""
    try:
        return _of_message(child["mt"], child) or [_UNREADABLE]
    except (KeyError, TypeError, AttributeError, IndexError):
        return [_UNREADABLE]


def _of_message(mt: Any, child: dict[str, Any]) -> list[Candidate]:  # noqa: PLR0911 - the sheet's table, a row a case
    stamp = str(child.get("t"))
    match mt:
        case 4:
            return [_whole("event.added", child["ea"]["event"]["id"], mt, child["ea"], stamp)]
        case 5:
            return _live_event_opened(child["leo"], stamp)
        case 18:
            return [_whole("event.removed", child["er"]["eventId"], mt, child["er"], stamp)]
        case 34:
            body = child["esu"]
            return [_whole("event.state-changed", body.get("id", body.get("eventId")), mt, body, stamp)]
        case 6:
            body = child["boa"]
            offer = body["betOffer"]
            event = body.get("eventId", offer.get("eventId"))
            return [_whole("offer.added", event, mt, offer, stamp, entity=offer["id"])]
        case 7:
            body = child["bor"]
            return [_whole("offer.removed", body["eventId"], mt, body, stamp, entity=body["betOfferId"])]
        case 8:
            body = child["bosu"]
            return [_whole("offer.status-changed", body["eventId"], mt, body, stamp, entity=body["betOfferId"])]
        case 11:
            return _per_offer("odds.changed", mt, child["boou"], stamp)
        case 22:
            return _per_offer("outcomes.added", mt, child["booa"], stamp)
        case 23:
            return _per_offer("outcomes.removed", mt, child["boor"], stamp)
        case _:
            return []


def _live_event_opened(body: dict[str, Any], stamp: str) -> list[Candidate]:
    event = body["event"]["id"]
    opened = {name: value for name, value in body.items() if name != "mainBetOffer"}
    candidates = [_whole("event.opened", event, 5, opened, stamp)]
    offer = body.get("mainBetOffer")
    if offer is not None:
        candidates.append(_whole("offer.added", event, 5, offer, stamp, entity=f"offer {offer['id']}"))
    return candidates


def _whole(name: str, event: Any, mt: int, value: Any, stamp: str, *, entity: Any = "") -> Candidate:
    return Candidate(f"{_PREFIX}{name}.v1", [(str(entity), _identity(event, mt, entity, value, stamp))])


def _per_offer(name: str, mt: int, body: dict[str, Any], stamp: str) -> list[Candidate]:
    """Return one candidate a bet offer, in order of first appearance; its entities are the outcomes."""
    event = body["eventId"]
    offers: dict[str, list[tuple[str, bytes]]] = {}
    for outcome in body["outcomes"]:
        offer = outcome["betOfferId"] if "betOfferId" in outcome else body["betOfferId"]
        entity = str(outcome["id"])
        identity = _identity(event, mt, f"{offer}/{entity}", outcome, stamp)
        offers.setdefault(str(offer), []).append((entity, identity))
    return [Candidate(f"{_PREFIX}{name}.v1", facts, by_outcome=True) for facts in offers.values()]


def _identity(event: Any, mt: int, entity: Any, value: Any, stamp: str) -> bytes:
    canonical = json.dumps([str(event), mt, str(entity), value, stamp], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(canonical.encode("utf-8", "surrogatepass"), digest_size=12).digest()
