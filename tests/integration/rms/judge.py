"""Whether an outcome is right by what the vendor's desk knows; used on simulated afternoons."""

from collections.abc import Iterator, Sequence
from typing import Any

from simulators.rms.bets import Bet
from tests.integration.rms.story import Afternoon

SLACK_NS = 31_000_000_000
"""A socket that dies was heard last up to one ping and one tick before: only until then nothing was missed."""
_SAYS = {"accepted": "accept", "rejected": "reject"}


def wrong(afternoon: Afternoon) -> list[str]:
    """Return in words what is not as promised: none missing, none twice, none guessed."""
    found = [f"a second decision: {value}" for value in afternoon.told.again]
    known = set()
    for bet in afternoon.bets:
        place = (bet.customer, bet.slip_id or "")
        known.add(place)
        decision = afternoon.told.decisions.get(place)
        waits = bet.disposition == "referred" or bet.number in afternoon.unknown | afternoon.unanswered
        if decision is None and waits:
            found.append(f"bet {bet.number} has no outcome")
        elif decision is not None and not waits:
            found.append(f"bet {bet.number} was answered {bet.disposition} and has an outcome")
        elif decision is not None:
            found += [f"bet {bet.number} {text}: {_brief(decision)}" for text in _of(bet, decision, afternoon)]
    found += [f"never placed: {place}" for place in afternoon.told.decisions.keys() - known]
    return found


def in_doubt(bet: Bet, decision: dict[str, Any], afternoon: Afternoon) -> bool:
    """Return whether something may have been missed about ``bet`` before its deadline."""
    return _overlaps(afternoon.deaf[bet.customer], bet.placed_ns, decision["deadline_ns"])


def _overlaps(deaf: Sequence[tuple[int, int]], first_ns: int, last_ns: int) -> bool:
    return any(began - SLACK_NS <= last_ns and first_ns <= ended for began, ended in deaf)


def _of(bet: Bet, decision: dict[str, Any], afternoon: Afternoon) -> Iterator[str]:
    outcome, evidence = decision["outcome"], decision["evidence"]
    said = [one for one in bet.decisions if one.outcome != "ignore"]
    match outcome, evidence:
        case (("accepted" | "rejected"), "approval"):
            heard = [one.outcome for one in said if one.reached]
            # Of a bet whose answer never came nobody knows the code: what names that alone is an orphan.
            if _SAYS[outcome] not in (heard if bet.number in afternoon.unanswered else heard[:1]):
                yield f"rests on an approval that was not the first heard of {heard}"
        case (("accepted" | "rejected"), "looked_up"):
            if bet.status("waiting") != outcome:
                yield f"rests on a look-up, and the vendor has {bet.status('waiting')}"
        case "expired", _:
            in_time = [one for one in said if one.at_ns <= decision["deadline_ns"]]
            if in_time or bet.disposition != "referred":
                yield f"expired, and {in_time or bet.disposition} was said in time"
        case "expired_unverified", "deadline":
            reasons = {
                "unanswered": bet.number in afternoon.unanswered,
                "unknown-disposition": bet.number in afternoon.unknown,
                "feed-down": in_doubt(bet, decision, afternoon),
                "no-answer": bet.number in afternoon.unknown or in_doubt(bet, decision, afternoon),
            }
            if not reasons.get(decision.get("why", ""), False):
                yield "is unverified without need"
        case _:
            yield "rests on nothing"


def _brief(decision: dict[str, Any]) -> str:
    return " ".join(f"{name}={decision.get(name)}" for name in ("outcome", "evidence", "why", "positions"))
