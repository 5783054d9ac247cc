"""What consumers know against what the vendor has: every event, offer, outcome, score and clock."""

from collections.abc import Iterator
from typing import Any

from tests.endurance.reader import Event, Offering

_STATISTICS = {"yellowCards": "yellow_cards", "redCards": "red_cards", "corners": "corners"}


def unannounced(known: Offering, vendor: dict[str, Any]) -> list[int]:
    """Return the events to come that nobody told of: their announcement fell into a gap, and they have no offers yet.

    Neither push nor the list of live events tells of them again before they open.
    """
    return [
        int(event_id)
        for event_id, event in vendor.items()
        if int(event_id) not in known and event["state"] == "NOT_STARTED" and not event["offers"]
    ]


def differences(known: Offering, vendor: dict[str, Any]) -> list[str]:
    """Return every difference in words; none when both are the same but for :func:`unannounced` events."""
    found: list[str] = []
    there = {int(event_id) for event_id in vendor} - set(unannounced(known, vendor))
    found += [f"event {event_id} is unknown" for event_id in sorted(there - known.keys())]
    found += [f"event {event_id} is not there any more" for event_id in sorted(known.keys() - there)]
    for event_id in sorted(there & known.keys()):
        found += [f"event {event_id}: {text}" for text in _event(known[event_id], vendor[str(event_id)])]
    return found


def _event(known: Event, vendor: dict[str, Any]) -> Iterator[str]:
    if known.state != vendor["state"]:
        yield f"state {known.state}, not {vendor['state']}"
    if (known.description or None) != (vendor.get("description") or None):
        yield f"description {known.description!r}, not {vendor.get('description')!r}"
    yield from _clock(known.clock, vendor.get("clock"))
    yield from _score(known.score, vendor.get("score"))
    yield from _statistics(known.statistics, vendor.get("statistics"))
    offers = {int(offer_id): offer for offer_id, offer in vendor["offers"].items()}
    for offer_id in sorted(known.offers.keys() | offers.keys()):
        if offer_id not in known.offers:
            yield f"offer {offer_id} is unknown"
        elif offer_id not in offers:
            yield f"offer {offer_id} is not there any more"
        else:
            yield from (f"offer {offer_id}: {text}" for text in _offer(known.offers[offer_id], offers[offer_id]))


def _offer(known: dict[str, Any], vendor: dict[str, Any]) -> Iterator[str]:
    for name in ("suspended", "visible"):
        if bool(known[name]) != bool(vendor[name]):
            yield f"{name} is {known[name]}, not {vendor[name]}"
    outcomes = {int(outcome_id): outcome for outcome_id, outcome in vendor["outcomes"].items()}
    for outcome_id in sorted(known["outcomes"].keys() | outcomes.keys()):
        mine, theirs = known["outcomes"].get(outcome_id), outcomes.get(outcome_id)
        if mine is None or theirs is None:
            yield f"outcome {outcome_id} is {'unknown' if mine is None else 'not there any more'}"
            continue
        for name in ("odds", "status"):
            if mine.get(name) != theirs.get(name):
                yield f"outcome {outcome_id}: {name} {mine.get(name)}, not {theirs.get(name)}"


def _clock(known: dict[str, Any] | None, vendor: dict[str, Any] | None) -> Iterator[str]:
    # A running clock is ticked by whoever shows it; what was said last is named by its version.
    if (known is None) != (vendor is None):
        yield f"clock {known}, not {vendor}"
    elif known is not None and vendor is not None:
        fields = ("version", "running", "period")
        mine, theirs = ([clock.get(name) for name in fields] for clock in (known, vendor))
        if mine != theirs:
            yield f"clock {mine}, not {theirs}"


def _score(known: dict[str, Any] | None, vendor: dict[str, Any] | None) -> Iterator[str]:
    fields = ("home", "away", "who", "version")
    # The vendor writes "no score" as empty strings (sheet §8); a race has none.
    there = ({} if not score or not (score["home"] or score["away"]) else score for score in (known, vendor))
    mine, theirs = ([score.get(name) for name in fields] for score in there)
    if mine != theirs:
        yield f"score {mine}, not {theirs}"


def _statistics(known: dict[str, Any] | None, vendor: dict[str, Any] | None) -> Iterator[str]:
    known, vendor = known or {}, vendor or {}
    for side in ("home", "away"):
        mine = (known.get("football") or {}).get(side)
        theirs = (vendor.get("football") or {}).get(side)
        if theirs is not None:
            theirs = {_STATISTICS[name]: count for name, count in theirs.items()}
        if mine != theirs:
            yield f"football statistics {side} {mine}, not {theirs}"
        mine, theirs = ((body.get("sets") or {}).get(side) for body in (known, vendor))
        if mine != theirs:
            yield f"sets {side} {mine}, not {theirs}"
