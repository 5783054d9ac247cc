"""What a consumer knows who keeps every fact and finds what holds by looking back; from the schemas' words alone."""

from typing import Any

Json = dict[str, Any]
_ABOUT = {"vendor_time_ms", "source", "late"}
_PRICE = {"odds_thousandths", "starting_price", "odds_fractional", "odds_american"}


def states(history: list[tuple[str, Json]], received_ns: list[int]) -> dict[str, Json]:
    """Return all states by key, without where they stand.

    Args:
        history: Type and value of every fact, each topic's in order.
        received_ns: Of each.
    """
    facts = [
        (ce_type.removeprefix("tricast.kambi.").removesuffix(".v1"), value, at_ns)
        for (ce_type, value), at_ns in zip(history, received_ns, strict=True)
        if not value.get("late")
    ]
    found: dict[str, Json | None] = {}
    for event_id in {value["event_id"] for _, value, _ in facts}:
        own = [fact for fact in facts if fact[1]["event_id"] == event_id]
        found[f"{event_id}#event"] = _event(_since(own, "event.removed"))
        found[f"{event_id}#play"] = _play(event_id, _since(own, "scores.removed"))
        for offer_id in {value["offer_id"] for _, value, _ in own if "offer_id" in value}:
            of_offer = [fact for fact in _since(own, "offers.removed") if fact[1].get("offer_id") in {None, offer_id}]
            found[f"{event_id}#offer/{offer_id}"] = _offer(_since(of_offer, "offer.removed"))
    there = {key: state for key, state in found.items() if state is not None}
    for key, state in there.items():
        rivals = [
            _gap(other) for other in there.values() if _lined(other) is not None and _lined(other) == _lined(state)
        ]
        if _lined(state) is not None and _gap(state) == min(rivals):
            there[key] = state | {"main_line": True}
    return there


def _lined(state: Json) -> Any:
    """What an offer's line is compared within; none where it has no line that can be bet on two ways."""
    known = [
        one
        for one in state.get("outcomes", [])
        if "line_thousandths" in one and one.get("odds_thousandths") is not None
    ]
    is_pair = len(known) == len(state.get("outcomes", [])) == 2 and state.get("visible") is not False
    named = state.get("type_id"), state.get("criterion", {}).get("id")
    return (state["event_id"], *named) if is_pair and None not in named else None


def _gap(state: Json) -> int:
    odds = [one["odds_thousandths"] for one in state["outcomes"]]
    return int(max(odds) - min(odds))


def _since(facts: list[Any], end: str) -> list[Any]:
    ends = [number for number, (kind, _, _) in enumerate(facts) if kind == end]
    return facts[ends[-1] + 1 :] if ends else facts


def _last(facts: list[Any], *kinds: str) -> Any:
    return next((fact for fact in reversed(facts) if fact[0] in kinds), None)


def _event(facts: list[Any]) -> Json | None:
    whole = _last(facts, "event.added", "event.opened")
    states = [value["state"] for kind, value, _ in facts if kind.startswith("event.") and "state" in value]
    described = _last(facts, "event.description-changed")
    partial = {"event_id": facts[0][1]["event_id"], "partial": True} if facts else {}
    state = partial if whole is None else _said(whole[1])
    state |= {"state": states[-1]} if states else {}
    description = described and described[1].get("description")
    state |= {"description": description} if description else {}
    # A description that was taken away, and nothing else, makes no event.
    is_any = whole or states or any(kind == "event.description-changed" and "description" in v for kind, v, _ in facts)
    return state if is_any else None


def _offer(facts: list[Any]) -> Json | None:
    state: Json | None = None
    for kind, value, _ in facts:
        said = _said(value)
        outcomes = [outcome for outcome in said.pop("outcomes", []) if not outcome.get("late")]
        if kind == "offer.added":
            state = said | {"visible": True, "outcomes": outcomes}
            continue
        if kind == "offers.suspended":
            state = state and state | {"suspended": True}
            continue
        if "offer_id" not in value or (kind != "offer.status-changed" and not outcomes):
            continue
        if state is None:
            state = {"event_id": value["event_id"], "offer_id": value["offer_id"], "partial": True, "outcomes": []}
        if kind == "offer.status-changed":
            state |= said
        for outcome in outcomes:
            known = next((one for one in state["outcomes"] if one["id"] == outcome["id"]), {})
            others = [one for one in state["outcomes"] if one["id"] != outcome["id"]]
            if kind == "outcomes.removed":
                state = state | {"outcomes": others}
            elif kind == "outcomes.added":
                state = state | {"outcomes": [*others, outcome]}
            elif kind == "odds.changed":
                kept = {name: what for name, what in known.items() if name not in _PRICE}
                state = state | {"outcomes": [*others, kept | outcome]}
            else:
                state = state | {"outcomes": [*others, known | outcome]}
    return state


def _play(event_id: int, facts: list[Any]) -> Json | None:
    state: Json = {}
    for name in ("clock", "score", "statistics"):
        last = _last(facts, f"{name}.changed", f"{name}.removed")
        if last is not None and last[0] == f"{name}.changed":
            time = {name: last[1][name] for name in ("vendor_time_ms",) if name in last[1]}
            part = {name: value for name, value in _said(last[1]).items() if name != "event_id"}
            state[name] = part | time | {"received_ns": last[2]}
    live = {value["occurrence_type_id"]: value["value"] for kind, value, _ in facts if kind == "live-statistic.changed"}
    state |= {"live_statistics": live} if live else {}
    return {"event_id": event_id} | state if state else None


def _said(value: Json) -> Json:
    return {name: what for name, what in value.items() if name not in _ABOUT}
