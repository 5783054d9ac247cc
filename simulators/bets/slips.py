"""From a slip of place-bet, and from what became of it, to records of ``rms.bets``. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from schemas.rms.bets import BetAnswered, BetPlaced, Selection
from simulators.bets.verdict import Found

_US_NS: Final = 1_000

Slip = Mapping[str, Any]


def placed(customer: str, platform: int, slip: Slip, at_ns: int) -> bytes:
    """Return the record that says that ``slip`` is sent to place-bet."""
    return msgspec.json.encode(
        BetPlaced(
            customer=customer,
            bet_slip_id=slip["betSlipId"],
            placed_at=rfc3339(at_ns),
            platform_id=platform,
            context=slip["betSlipContext"],
            bet_type=slip["betType"],
            stake=_decimal(slip["stake"]["totalAmount"]),
            selections=[
                Selection(
                    event_id=selection["eventId"],
                    market_id=selection["market"]["id"],
                    line=selection["market"]["line"],
                    outcome_id=selection["bet"]["id"],
                    odds=_decimal(selection["bet"]["odds"]),
                )
                for selection in slip["selections"]
            ],
            user_id=slip["userInfo"]["id"],
        )
    )


def answered(customer: str, slip: Slip, found: Found, at_ns: int) -> bytes:
    """Return the record that says what became of ``slip``."""
    return msgspec.json.encode(
        BetAnswered(
            customer=customer,
            bet_slip_id=slip["betSlipId"],
            answered_at=rfc3339(at_ns),
            bet_code=found.code or msgspec.UNSET,
            short_code=found.short_code or msgspec.UNSET,
            result=msgspec.UNSET if found.result is None else found.result,
            disposition=found.disposition,
        )
    )


def key(customer: str, slip: Slip) -> bytes:
    """Return the key that both records have, so that they stand in one partition, in order."""
    return f"{customer}/{slip['betSlipId']}".encode()


def rfc3339(at_ns: int) -> str:
    """Return UTC nanoseconds as RFC 3339 with microseconds."""
    seconds, rest_ns = divmod(at_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns // _US_NS:06d}Z"


def _decimal(number: float) -> Decimal:
    """Return a number as it is written: ``Decimal(12.35)`` would have all digits of the float."""
    return Decimal(repr(number))
