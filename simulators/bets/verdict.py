"""What answers of the bet API mean for a bet (fact sheet §5.4, §8). Pure.

The question behind all of it is whether the vendor may have the bet. Where that cannot be told, nobody may say so:
the bet is then ``unknown``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from schemas.rms.fields import Disposition

_ACCEPTED: Final = frozenset({"accepted", "approved", "accept"})
_REJECTED: Final = frozenset({"rejected", "declined", "reject", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer of HTTP.

    Attributes:
        status: HTTP status; 0 when no whole answer came, ``None`` when the request cannot have left.
        body: Its JSON; ``None`` if it is none.
        retry_after_s: What the vendor asks to wait, seconds.
    """

    status: int | None
    body: Any = None
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of a bet.

    Attributes:
        disposition: As ``rms.bets`` has it.
        code: Bet code, where it is known.
        short_code: Short code, where it is known.
        result: What place-bet answered; ``None`` if nobody knows.
    """

    disposition: Disposition
    code: str | None = None
    short_code: str | None = None
    result: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Nothing is decided; try again.

    Attributes:
        may_be_placed: Whether this try may have placed the bet all the same.
        token_is_bad: Whether another token is needed first.
    """

    may_be_placed: bool
    token_is_bad: bool = False


def placing(reply: Reply, *, may_be_placed: bool) -> Found | Again:
    """Return what an answer of place-bet says.

    Args:
        reply: The answer.
        may_be_placed: Whether an earlier try may have placed the bet: then a refusal may be about its repetition.
    """
    body = reply.body if isinstance(reply.body, Mapping) else {}
    match reply.status:
        case 200 if isinstance(body.get("result"), bool):
            code, short_code = _id(body.get("bet_code")), _id(body.get("shortCode"))
            result = body["result"]
            disposition: Disposition = "unknown" if result else "rejected"  # bet/detail knows more
            return Found(disposition=disposition, code=code, short_code=short_code, result=result)
        case None | 429:
            return Again(may_be_placed=False)
        case 401:
            return Again(may_be_placed=False, token_is_bad=True)
        case 400 | 403 | 404 | 409 | 422:
            return Found(disposition="unknown") if may_be_placed else Found(disposition="rejected", result=False)
        case _:
            return Again(may_be_placed=True)


def given_up(*, may_be_placed: bool) -> Found:
    """Return what became of a bet that no try has decided: one that never left is none."""
    return Found(disposition="unknown" if may_be_placed else "rejected")


def detailed(found: Found, reply: Reply) -> Found:
    """Return what is known of a bet that place-bet took, by the answer of bet/detail: not accepted yet is referred."""
    body = reply.body if isinstance(reply.body, Mapping) else {}
    told = body.get("data")
    status = told.get("status") if isinstance(told, Mapping) and _id(told.get("code")) == found.code else None
    if reply.status != 200 or not isinstance(status, str) or not status:
        return found
    disposition: Disposition = "referred"
    if status.lower() in _ACCEPTED:
        disposition = "accepted"
    elif status.lower() in _REJECTED:
        disposition = "rejected"
    return Found(disposition=disposition, code=found.code, short_code=found.short_code, result=found.result)


def _id(value: Any) -> str | None:
    """Return an id as text: the vendor writes one id as text here and as a number there (fact sheet §12)."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None
