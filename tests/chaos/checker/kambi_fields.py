"""What a normalized record of Kambi says, field by field, against the vendor's own words in the frame."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.checker.kambi_children import Candidate

Json = Mapping[str, Any]
_ODDS = frozenset({"odds.changed", "outcomes.added", "offer.added"})
_STATUS = frozenset({"outcomes.status-changed", "outcomes.added", "offer.added"})
_PLAIN = {
    "event.added": ("state",),
    "event.opened": ("state",),
    "event.state-changed": ("state",),
    "score.changed": ("home", "away", "who", "version"),
    "clock.changed": ("minute", "second", "running", "period", "version"),
}
"""Fields that have the vendor's name and value."""


def differences(candidate: Candidate, value: Json) -> Iterator[str]:
    """Yield what ``value`` says otherwise than its ``candidate``; what it leaves out is judged elsewhere."""
    stamp = candidate.facts[0].entry[3]
    if stamp.isdigit() and "vendor_time_ms" in value:
        yield from _differ("vendor_time_ms", value["vendor_time_ms"], int(stamp))
    for name, said in (("event_id", candidate.event), ("offer_id", candidate.offer)):
        if said and name in value:
            yield from _differ(name, str(value[name]), said)
    bodies = [json.loads(fact.value) for fact in candidate.facts]
    for name in _PLAIN.get(candidate.kind or "", ()):
        if name in bodies[0] and name in value:
            yield from _differ(name, value[name], bodies[0][name])
    told = bodies[0].get("outcomes") or () if candidate.kind == "offer.added" else bodies
    if candidate.kind in _ODDS | _STATUS:
        said = {str(outcome["id"]): outcome for outcome in told}
        for outcome in value.get("outcomes", ()):
            yield from _outcome(candidate.kind, outcome, said.get(str(outcome["id"]), {}))


def _outcome(kind: str | None, mine: Json, said: Json) -> Iterator[str]:
    name = f"outcome {mine['id']}"
    if kind in _ODDS and said.get("odds") is not None:
        odds = -1 if mine.get("starting_price") else mine.get("odds_thousandths")
        yield from _differ(f"{name}: odds", odds, said["odds"])
    if kind in _STATUS and said.get("status") is not None:
        yield from _differ(f"{name}: status", mine.get("status"), said["status"])


def _differ(name: str, mine: Any, said: Any) -> Iterator[str]:
    if mine != said:
        yield f"{name} is {mine}, the vendor said {said}"
