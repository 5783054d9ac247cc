"""Place-bet requests as they come in, bets as bet/detail tells them (sheet §8.1, §8.2). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.rms.bets import Bet, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """HTTP status and JSON body."""

    status: int
    body: Json


def error(status: int, message: str) -> Answer:
    """Return an error of the bet API."""
    return Answer(status=status, body={"result": False, "message": message})


def read_slip(body: Any) -> dict[str, Any] | Answer:
    """Return the slip of a place-bet request, or how it is refused."""
    if not isinstance(body, dict) or not _is_whole(body):
        return error(400, "Invalid request")
    selections = body["selections"]
    if len(selections) != body["totalSelections"] or not all(_is_selection(selection) for selection in selections):
        return error(422, "Selections give no valid bet")
    return body


def detail(bet: Bet, waiting: str) -> Answer:
    """Return what bet/detail says; ``waiting`` is the status of a bet that was referred and is not decided."""
    return Answer(
        status=200,
        body={
            "success": True,
            "data": {
                "code": bet.code,
                "platform_id": bet.platform,
                "user_id": _number(_at(bet.slip, "userInfo", "id")),
                "type": bet.slip.get("betType"),
                "bet_context": bet.slip.get("betSlipContext"),
                "status": bet.status(waiting),
                "result": "pending",
                "odds": [_odds(selection) for selection in bet.slip.get("selections", [])],
            },
        },
    )


def _is_whole(body: Json) -> bool:
    total = _at(body, "stake", "totalAmount")
    slip_id = body.get("betSlipId", "x")
    return (
        isinstance(slip_id, str)
        and bool(slip_id)
        and all(isinstance(body.get(name), str) for name in ("betSlipContext", "betType"))
        and isinstance(total, int | float)
        and not isinstance(total, bool)
        and total > 0
        and isinstance(body.get("totalSelections"), int)
        and isinstance(body.get("selections"), list)
    )


def _is_selection(selection: Any) -> bool:
    return all(
        isinstance(_at(selection, *names), str) for names in (("eventId",), ("market", "id"), ("bet", "id"))
    ) and isinstance(_at(selection, "bet", "odds"), int | float)


def _odds(selection: Any) -> dict[str, Any]:
    event, market, outcome = _at(selection, "eventId"), _at(selection, "market", "id"), _at(selection, "bet", "id")
    return {
        "id_market": _number(market),
        "market_unique_id": market,
        "market_name": "Total",
        "id_outcome": _number(outcome),
        "unique_id": f"{event};{market};{outcome}",
        "outcome_alias": "Over",
    }


def _number(text: Any) -> Any:
    """Return an id as this call has it: a number, where place-bet has text (sheet §12); JSON has 64 bits here."""
    is_number = isinstance(text, str) and text.isascii() and text.isdecimal() and int(text) < 1 << 63
    return int(text) if is_number else text


def _at(body: Any, *names: str) -> Any:
    for name in names:
        if not isinstance(body, Mapping):
            return None
        body = body.get(name)
    return body
