"""Read one approval out of its JSON: tolerant of spellings and of everything nobody here knows (fact sheet §4, §12).

Names are compared without case and underscores, so that ``betSlipId``, ``bet_slip_id`` and ``BetSlipId`` are one.
Nothing but a missing id makes an approval useless: any other field of another type than it should have stays in
``details`` under the vendor's name, as everything does that is not named here.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar

import msgspec

from processors.core.exact import FlawedError, read_object
from processors.core.rms.amounts import amount
from processors.core.rms.approvals.findings import FLAWS, Unreadable
from processors.core.rms.ids import MAX_ID, customer_text, id_text
from processors.core.rms.times import time_ns
from schemas.rms.codes import Code

_T = TypeVar("_T")
_SLIP: Final = ("betslipid",)
_CODE: Final = ("betcode", "code")
_TIMES: Final = {"accept": ("acceptedat", "timestamp"), "reject": ("rejectedat", "timestamp")}
_MAX_PLATFORM: Final = 40
_MAX_REASON: Final = 1_000
"""Letters of a reason that goes along to the join, whose state of a bet has to stay small whatever is sent."""
_AHEAD_NS: Final = 3_600_000_000_000
"""So far a time of decision may lie after its receipt: clocks differ, and more than an hour is no difference."""

_encode = msgspec.json.Encoder().encode


class Announced(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an approval says, beside accept or reject; at least one of ``slip`` and ``code`` is there.

    Attributes:
        slip: Bet slip id.
        code: Bet code.
        decided_ns: When it was decided, UTC ns; ``None``: not told, no time, or in the future.
        decided_at: The same as sent.
        details: All other fields.
        odd_fields: How many fields had another type than they should.
    """

    slip: str | None
    code: str | None
    short_code: str | None
    platform: str | None
    reason: str | None
    user: str | None
    stake: Decimal | None
    odds: Decimal | None
    decided_ns: int | None
    decided_at: str | None
    details: dict[str, msgspec.Raw]
    odd_fields: int


def read_announced(
    part: bytes, said: Literal["accept", "reject"], customer: str, received_ns: int
) -> Announced | Unreadable:
    """Return what the approval ``part`` says, received at ``received_ns`` on a socket of ``customer``."""
    try:
        fields = _Fields(read_object(part))
        if any(not _same_customer(named, customer) for named in fields.all("customerid", customer_text)):
            return Unreadable(Code.WRONG_CUSTOMER, f"on a socket of customer {customer}")
        slip, code = fields.take_id(*_SLIP), fields.take_id(*_CODE)
    except FlawedError as error:
        return Unreadable(FLAWS[error.flaw], error.detail)
    except _IdsDifferError as error:
        return Unreadable(Code.IDS_DIFFER, f"two values of {error}")
    if slip is None and code is None:
        return Unreadable(Code.NO_ID, f"fields {', '.join(list(fields.left)[:8])}"[:120])
    fields.take("customerid", read=customer_text)
    at = fields.take(*_TIMES[said], read=_Moment.read)
    return Announced(
        slip=slip,
        code=code,
        short_code=fields.take("shortcode", read=id_text),
        platform=fields.take("platformid", read=_platform),
        reason=fields.take("reason", read=_reason),
        user=fields.take("userid", read=id_text) or _user(fields),
        stake=fields.take("approvedstake", "stake", read=amount),
        odds=fields.take("odds", read=amount),
        decided_ns=None if at is None or at.ns is None or at.ns > received_ns + _AHEAD_NS else at.ns,
        decided_at=None if at is None else at.text,
        details={name: msgspec.Raw(_encode(value)) for name, value in fields.left.items()},
        odd_fields=fields.odd,
    )


class _IdsDifferError(Exception):
    """Two spellings of one id have different values."""


class _Fields:
    """The fields of one approval; what is taken is gone from ``left``."""

    __slots__ = ("_keys", "left", "odd")

    def __init__(self, tree: dict[str, Any]) -> None:
        self.left = tree
        self.odd = 0
        self._keys: dict[str, list[str]] = {}
        for key in tree:
            self._keys.setdefault(key.replace("_", "").casefold(), []).append(key)

    def all(self, name: str, read: Callable[[Any], _T | None]) -> list[_T]:
        """Return every usable value of ``name``, however it is spelled."""
        values = [read(self.left[key]) for key in self._keys.get(name, ())]
        return [value for value in values if value is not None]

    def take(self, *names: str, read: Callable[[Any], _T | None]) -> _T | None:
        """Take the first usable value of the first of ``names`` that has one."""
        for name in names:
            values = self.all(name, read)
            for key in self._keys.get(name, ()):
                if values and read(self.left[key]) == values[0]:
                    del self.left[key]
                elif self.left[key] is not None:
                    self.odd += 1
            if values:
                return values[0]
        return None

    def take_id(self, *names: str) -> str | None:
        """Take an id; there is no first among two values of it."""
        for name in names:
            if len(set(self.all(name, id_text))) > 1:
                raise _IdsDifferError(name)
            taken = self.take(name, read=id_text)
            if taken is not None:
                return taken
        return None


class _Moment(msgspec.Struct, frozen=True, gc=False):
    text: str
    ns: int | None

    @classmethod
    def read(cls, value: Any) -> "_Moment | None":
        text = str(value) if type(value) is int and abs(value) < 10**MAX_ID else value
        return cls(text, time_ns(value)) if type(text) is str and 0 < len(text) <= MAX_ID else None


def _same_customer(named: str, customer: str) -> bool:
    return named.lstrip("0") == customer.lstrip("0")


def _platform(value: Any) -> str | None:
    text = id_text(value)
    return text if text is not None and len(text) <= _MAX_PLATFORM else None


def _reason(value: Any) -> str | None:
    return value if type(value) is str and len(value) <= _MAX_REASON else None


def _user(fields: _Fields) -> str | None:
    for user in fields.all("userinfo", lambda value: value if type(value) is dict else None):
        found = id_text(user.get("id"))
        if found is not None:
            return found
    return None
