"""The offering as a consumer of the normalized topics knows it: one thread, every record in the order of its source.

``docs/kambi.md``, "Records": to follow an event, skip what is late, apply the rest; across topics the source position
in ``ce_id`` says what came first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.checker.kambi_accounts import kind_of
from tests.chaos.checker.record import Record
from tests.chaos.checker.verdict import Verdict

Json = dict[str, Any]
_ADDED = frozenset({"event.added", "event.opened"})


@dataclass
class Event:
    """One event; ``offers`` by id, their outcomes by id."""

    state: str | None = None
    description: str | None = None
    parts: dict[str, Json] = field(default_factory=dict)
    offers: dict[int, Json] = field(default_factory=dict)


class Offering:
    """Fed with records in order; knows what holds, and notes what went back."""

    def __init__(self, verdict: Verdict) -> None:
        self.events: dict[int, Event] = {}
        self._verdict = verdict
        self._newest: dict[tuple[Any, ...], tuple[int, str]] = {}

    def take(self, record: Record, value: Json) -> None:
        """Apply one normalized record, unless it is late."""
        kind = kind_of(record)
        if kind in {"outcome.settled", "offers.removed", "scores.removed"} or "event_id" not in value:
            return  # who reads all topics has the end of an event from event.removed
        self._watch_versions(record, kind, value)
        if value.get("late"):
            self._verdict.count("kambi: late records")
            return
        event_id = value["event_id"]
        if kind == "event.removed":
            self.events.pop(event_id, None)
            return
        event = self.events.setdefault(event_id, Event())
        if kind in _ADDED or kind == "event.state-changed":
            event.state = value.get("state", event.state)
        elif kind == "event.description-changed":
            event.description = value.get("description")
        elif kind == "clock.removed":
            event.parts.pop("clock", None)
        elif kind in {"clock.changed", "score.changed", "statistics.changed"}:
            event.parts[kind.partition(".")[0]] = value
        elif kind == "offers.suspended":
            for offer in event.offers.values():
                offer["suspended"] = True
        elif "offer_id" in value:
            _offer(event, kind, value)

    def _watch_versions(self, record: Record, kind: str, value: Json) -> None:
        """What is not marked late is no older than what was current of the same thing."""
        if "ce_replayed" in record.headers or value.get("source") == "snapshot":
            return
        for entity, late, t in _said(kind, value):
            if late or t is None:
                continue
            newest, where = self._newest.get(entity, (0, ""))
            if t < newest:
                self._verdict.find("reordered", f"{record.place}: {entity} of {t} is current after {newest} ({where})")
            else:
                self._newest[entity] = (t, record.place)


def _said(kind: str, value: Json) -> Iterator[tuple[tuple[Any, ...], bool, int | None]]:
    """Yield entity, lateness and vendor time of everything that a record says."""
    late, t, event = bool(value.get("late")), value.get("vendor_time_ms"), value["event_id"]
    aspect = kind.partition(".")[0]
    if aspect in {"odds", "outcomes"}:
        # Odds and status are two values of an outcome; adding and removing say both.
        sides = {"odds.changed": ("odds",), "outcomes.status-changed": ("status",)}.get(kind, ("odds", "status"))
        for outcome in value.get("outcomes", ()):
            for side in sides:
                yield (event, value["offer_id"], outcome["id"], side), late or bool(outcome.get("late")), t
    elif aspect in {"offer", "clock", "score", "statistics"}:
        yield (event, value.get("offer_id"), aspect), late, t
    elif kind == "event.description-changed":
        yield (event, "description"), late, t


def _offer(event: Event, kind: str, value: Json) -> None:
    if kind == "offer.removed":
        event.offers.pop(value["offer_id"], None)
        return
    offer = event.offers.setdefault(value["offer_id"], {"suspended": None, "visible": True, "outcomes": {}})
    outcomes: dict[int, Json] = offer["outcomes"]
    current = [outcome for outcome in value.get("outcomes", ()) if not outcome.get("late")]
    if kind == "offer.added":
        offer.update(suspended=value["suspended"], visible=True, outcomes={one["id"]: _outcome(one) for one in current})
    elif kind == "offer.status-changed":
        offer.update(suspended=value["suspended"], visible=value["visible"])
    elif kind == "outcomes.added":
        outcomes.update({one["id"]: _outcome(one) for one in current})
    elif kind == "outcomes.removed":
        for one in current:
            outcomes.pop(one["id"], None)
    elif kind == "odds.changed":
        for one in current:
            outcomes.setdefault(one["id"], {"status": None})["odds"] = _odds(one)
    elif kind == "outcomes.status-changed":
        for one in current:
            outcomes.setdefault(one["id"], {"odds": None})["status"] = one.get("status")


def _outcome(outcome: Json) -> Json:
    return {"odds": _odds(outcome), "status": outcome.get("status")}


def _odds(outcome: Json) -> int | None:
    return -1 if outcome.get("starting_price") else outcome.get("odds_thousandths")


def judge_final(
    known: Mapping[int, Event],
    vendor: Mapping[str, Json],
    by_raw: Mapping[int, Event],
    mentioned: set[int],
    verdict: Verdict,
    *,
    was_restarted: bool = False,
) -> None:
    """Compare what a consumer knows with what the simulator has.

    Args:
        known: By the topics.
        vendor: The simulator's own state.
        by_raw: What raw alone adds up to: says whether it was there to be known.
        mentioned: Events that stand in the raw of their shard. One that is still to come, has no offers and stands not
            there was announced in a gap of its shard, and nothing tells of it again before it opens.
        verdict: Where differences go.
        was_restarted: A connector was. The next one does not know what was only announced to the one before it, so an
            event that opened and ended in gaps stays as it was announced, with what came of its offers between: a
            limit, counted.
    """
    there = {int(event_id): event for event_id, event in vendor.items()}
    verdict.count("kambi: events at the end", len(there))
    verdict.count("kambi: offers at the end", sum(len(event["offers"]) for event in there.values()))
    for event_id in sorted(there.keys() | known.keys() | by_raw.keys()):
        mine, raw = known.get(event_id), by_raw.get(event_id)
        theirs = _without_hidden(there.get(event_id), mine, raw, verdict)
        wrong = list(_differences(mine, theirs))
        is_in_raw = not list(_differences(raw, theirs))
        verdict.count("kambi: events that raw alone does not add up to", not is_in_raw)
        if not wrong:
            continue
        is_to_come = theirs is not None and theirs["state"] == "NOT_STARTED" and not theirs["offers"]
        if mine is None and is_to_come and event_id not in mentioned:
            verdict.count("kambi: events to come whose announcement fell into a gap")
            continue
        if mine is not None and theirs is None and was_restarted and _is_announced(mine, raw):
            verdict.count("kambi: events that ended in a gap before they opened")
            continue
        for text in wrong:
            whose = "right by raw alone" if is_in_raw else "raw alone does not have it"
            verdict.find("final-state", f"event {event_id}: {text} ({whose})")


def _without_hidden(vendor: Json | None, mine: Event | None, by_raw: Event | None, verdict: Verdict) -> Json | None:
    """Leave out offers that are hidden, and that nobody was told of being hidden.

    No answer has a hidden offer, nor one that is gone: hidden in a gap, it is gone for whoever has to go by answers.
    """
    if vendor is None:
        return None
    told = {offer_id for event in (mine, by_raw) if event is not None for offer_id in event.offers}
    shown = {name: offer for name, offer in vendor["offers"].items() if offer["visible"] or int(name) in told}
    verdict.count("kambi: offers that were hidden in a gap", len(vendor["offers"]) - len(shown))
    return {**vendor, "offers": shown}


def _is_announced(mine: Event, by_raw: Event | None) -> bool:
    """Tell whether nothing said that an event had opened, as far as raw goes."""
    told = (mine.state if mine is not None else None, by_raw.state if by_raw is not None else None)
    return all(state in {None, "NOT_STARTED"} for state in told)


def _differences(mine: Event | None, theirs: Json | None) -> Iterator[str]:
    if mine is not None and theirs is not None:
        yield from _event(mine, theirs)
    elif mine is not None or theirs is not None:
        yield "it is unknown" if mine is None else "it is not there any more"


def _event(known: Event, vendor: Json) -> Iterator[str]:
    yield from _differ("state", known.state, vendor["state"])
    yield from _differ("description", known.description or None, vendor.get("description") or None)
    # A clock that runs is counted on by whoever shows it: what was said last is named by its version.
    clocks = (known.parts.get("clock"), vendor.get("clock"))
    yield from _differ("clock", *(_fields(clock, "version", "running", "period") for clock in clocks))
    # "No score" is empty texts (vendor sheet §8); a race has none at all.
    scores = (score if score and (score["home"] or score["away"]) else None for score in _scores(known, vendor))
    yield from _differ("score", *(_fields(score, "home", "away", "who", "version") for score in scores))
    yield from _differ("statistics", _statistics(known.parts.get("statistics")), _vendor_statistics(vendor))
    offers = {int(offer_id): offer for offer_id, offer in vendor["offers"].items()}
    if vendor["state"] == "NOT_STARTED" and not offers:
        return  # of an event that never was live the state has none, and push tells none; an answer may
    for offer_id in sorted(known.offers.keys() | offers.keys()):
        mine, theirs = known.offers.get(offer_id), offers.get(offer_id)
        if mine is None or theirs is None:
            yield f"offer {offer_id} is {'unknown' if mine is None else 'not there any more'}"
        else:
            yield from (f"offer {offer_id}: {text}" for text in _offers(mine, theirs))


def _scores(known: Event, vendor: Json) -> tuple[Json | None, Json | None]:
    return known.parts.get("score"), vendor.get("score")


def _offers(mine: Json, theirs: Json) -> Iterator[str]:
    for name in ("suspended", "visible"):
        yield from _differ(name, bool(mine[name]), bool(theirs[name]))
    outcomes = {int(outcome_id): outcome for outcome_id, outcome in theirs["outcomes"].items()}
    for outcome_id in sorted(mine["outcomes"].keys() | outcomes.keys()):
        one, other = mine["outcomes"].get(outcome_id), outcomes.get(outcome_id)
        if one is None or other is None:
            yield f"outcome {outcome_id} is {'unknown' if one is None else 'not there any more'}"
        else:
            for name in ("odds", "status"):
                yield from _differ(f"outcome {outcome_id}: {name}", one.get(name), other.get(name))


def _statistics(value: Json | None) -> Json:
    football, sets = (value or {}).get("football") or {}, (value or {}).get("sets") or {}
    return {
        **{f"football {side}": football.get(side) for side in ("home", "away")},
        **{f"sets {side}": sets.get(side) for side in ("home", "away")},
    }


def _vendor_statistics(vendor: Json) -> Json:
    names = {"yellowCards": "yellow_cards", "redCards": "red_cards", "corners": "corners"}
    statistics = vendor.get("statistics") or {}
    football = {
        side: {names[name]: count for name, count in counts.items()}
        for side, counts in (statistics.get("football") or {}).items()
    }
    return _statistics({"football": football, "sets": statistics.get("sets")})


def _fields(value: Json | None, *names: str) -> list[Any] | None:
    return None if value is None else [value.get(name) for name in names]


def _differ(name: str, mine: Any, theirs: Any) -> Iterator[str]:
    if mine != theirs:
        yield f"{name} is {mine}, not {theirs}"
