"""Read a record of ``rms.bets``: what a bet platform says. The audit's own reading."""

import json
from dataclasses import dataclass
from typing import Any

from tricast.audit.rms.facts import Answered, Placed
from tricast.audit.rms.values import Broken, Whole, amount, customer, identifier, load, time_ns

DISPOSITIONS = frozenset({"accepted", "rejected", "referred", "unknown"})
_HOUR_NS = 3600 * 10**9


@dataclass(frozen=True, slots=True)
class Bet:
    """A usable record, and of whom."""

    customer: str
    slip: str
    fact: Placed | Answered


@dataclass(frozen=True, slots=True)
class Unusable:
    """A record that needs a dead letter."""

    why: str


def read_bet(
    value: bytes | None,
    key: bytes | None,
    *,
    place: tuple[int, int],
    logged_ns: int,
    remember_ns: int,
    is_settled: bool = True,
) -> Bet | Unusable:
    """Return what a record says."""
    tree = _object(value or b"")
    if tree is None:
        return Unusable("no JSON object")
    who, slip, kind = customer(tree.get("customer")), identifier(tree.get("bet_slip_id")), tree.get("type")
    if who is None or slip is None or kind not in ("placed", "answered"):
        return Unusable("no customer, no slip, or no type")
    if key is not None and key not in (slip.encode(), f"{who}/{slip}".encode()):
        return Unusable("key of another bet")
    at_ns = time_ns(tree.get(f"{kind}_at"), zone_needed=True)
    if at_ns is None or not logged_ns - remember_ns <= at_ns <= logged_ns + _HOUR_NS:
        return Unusable("no time, or one too far from the record's")
    fact = _placed(tree) if kind == "placed" else _answered(tree)
    if isinstance(fact, Unusable):
        return fact
    where: dict[str, Any] = {
        "partition": place[0],
        "offset": place[1],
        "logged_ns": logged_ns,
        f"{kind}_ns": at_ns,
        "is_settled": is_settled,
    }
    return Bet(who, slip, Placed(**where, **fact) if kind == "placed" else Answered(**where, **fact))


def _object(value: bytes) -> dict[str, Any] | None:
    try:
        tree = load(value.removeprefix(b"\xef\xbb\xbf").decode())
    except ValueError:
        return None
    return tree if isinstance(tree, dict) else None


def _placed(tree: dict[str, Any]) -> dict[str, Any] | Unusable:
    context, stake = tree.get("context"), amount(tree.get("stake"))
    if type(context) is not str or identifier(context) is None or len(context) > 40:
        return Unusable("no context")
    if stake is None:
        return Unusable("no stake")
    selections = tree.get("selections") or []
    platform = identifier(tree.get("platform_id"))
    return {
        "context": context,
        "stake": stake,
        "odds": _odds(selections),
        "platform": platform,
        "content": json.dumps([context, stake, _canonical(selections)], sort_keys=True),
    }


def _answered(tree: dict[str, Any]) -> dict[str, Any] | Unusable:
    disposition, code = tree.get("disposition"), tree.get("bet_code")
    if type(disposition) is not str or disposition not in DISPOSITIONS:
        return Unusable("no disposition")
    if code in (None, ""):
        code = None
    elif identifier(code) is None:
        return Unusable("no bet code")
    short = identifier(tree.get("short_code"))
    return {"disposition": disposition, "code": None if code is None else str(code), "short_code": short}


def _odds(selections: Any) -> tuple[str, ...] | None:
    if not isinstance(selections, list) or not all(isinstance(each, dict) for each in selections):
        return None
    odds = [amount(each.get("odds")) for each in selections]
    return tuple(odd for odd in odds if odd is not None) if None not in odds else None


def _canonical(selections: Any) -> Any:
    if not isinstance(selections, list) or not all(isinstance(each, dict) for each in selections):
        return None
    names = ("event_id", "market_id", "line", "outcome_id")
    return [[*(_text(each.get(name)) for name in names), amount(each.get("odds"))] for each in selections]


def _text(value: Any) -> str | None:
    return str(value) if type(value) in (str, Whole, Broken) else None
