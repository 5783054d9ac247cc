"""From a record of ``rms.bets`` to the messages the join understands. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, get_args

from processors.core.exact import FlawedError, canonical, read_object
from processors.core.rms.bets.fields import amount, text, time_ns
from processors.core.rms.ids import MAX_ID, customer_text
from schemas.rms.codes import Code, Count
from schemas.rms.fields import Disposition
from schemas.rms.pending import Answered, Placed, slip_key

CONTEXTS: Final = frozenset({"prematch", "live", "inplay", "mixed"})
"""Those with a known meaning; only prematch waits long."""

_DISPOSITIONS: Final = frozenset(get_args(get_args(Disposition)[0]))
_CONTEXT_LETTERS: Final = 40
_PLATFORM_LETTERS: Final = 40
_HOUR_NS: Final = 3_600_000_000_000
_HASH_BYTES: Final = 8
_MAX_SELECTIONS: Final = 100
"""No betting slip has more. Their odds go along to the join, whose state of a bet has to stay small."""


class RejectedError(Exception):
    """A record becomes a dead letter: the code and, for people, what was wrong; leaves a deep place."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a record says, and what is worth counting of it."""

    message: Placed | Answered
    counts: tuple[Count, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    """What both kinds of record have."""

    tree: Mapping[str, Any]
    customer: str
    slip: str
    logged_ns: int
    remember_ns: int
    position: str

    def time_ns(self, name: str) -> int:
        """Return a required time that is near enough to the record's own."""
        value = self.tree.get(name)
        at_ns = time_ns(value)
        if at_ns is None:
            raise RejectedError(
                Code.BAD_TIME, f"{name} {value!r:.60} is no RFC 3339 time with offset, and no milliseconds since 1970"
            )
        if at_ns > self.logged_ns + _HOUR_NS:
            raise RejectedError(Code.FUTURE_TIME, f"{name} {value!r:.60} is over an hour after the record's time")
        if at_ns < self.logged_ns - self.remember_ns:
            raise RejectedError(
                Code.BET_TOO_OLD,
                f"{name} {value!r:.60} is over {self.remember_ns // 1_000_000_000} s before the record's time",
            )
        return at_ns


def read_bet(value: bytes, key: bytes | None, *, logged_ns: int, remember_ns: int, position: str) -> Read:
    """Return the message in a record.

    Args:
        value: The record's.
        key: The record's, if it has one.
        logged_ns: Its Kafka timestamp, UTC ns.
        remember_ns: How long a bet is remembered, ns: an older one must not be opened again.
        position: Of the record.

    Raises:
        RejectedError: It is no usable record; says why.
    """
    if not value:
        raise RejectedError(Code.EMPTY, "a record without a value")
    if logged_ns < 0:
        raise RejectedError(Code.BAD_TIME, "the record has no Kafka timestamp")
    tree = _object(value)
    kind = tree.get("type")
    if kind not in ("placed", "answered"):
        raise RejectedError(Code.UNKNOWN_TYPE, f"type {kind!r:.60}")
    customer = customer_text(tree.get("customer"))
    if customer is None:
        raise RejectedError(Code.BAD_CUSTOMER, f"customer {tree.get('customer')!r:.60}")
    slip = _slip(tree.get("bet_slip_id"))
    if key is not None and key not in (slip_key(customer, slip), slip.encode()):
        raise RejectedError(Code.KEY_DIFFERS, f"key {key[:60]!r} of a bet {customer}/{slip}"[:200])
    envelope = _Envelope(
        tree=tree, customer=customer, slip=slip, logged_ns=logged_ns, remember_ns=remember_ns, position=position
    )
    return _placed(envelope) if kind == "placed" else _answered(envelope)


def _object(value: bytes) -> dict[str, Any]:
    try:
        return read_object(value)
    except FlawedError as error:
        raise RejectedError(Code[error.flaw.name], error.detail) from error


def _slip(value: Any) -> str:
    if value is None or value == "":
        raise RejectedError(Code.NO_SLIP_ID, "bet_slip_id is missing or empty")
    slip = text(value, MAX_ID)
    if slip is None:
        raise RejectedError(Code.NO_SLIP_ID, f"bet_slip_id {value!r:.60} is no text of 1 to {MAX_ID} letters")
    return slip


def _placed(bet: _Envelope) -> Read:
    tree = bet.tree
    placed_ns = bet.time_ns("placed_at")
    context = text(tree.get("context"), _CONTEXT_LETTERS)
    if context is None or type(tree["context"]) is not str:
        raise RejectedError(Code.BAD_CONTEXT, f"context {tree.get('context')!r:.60}")
    stake = amount(tree.get("stake"))
    if stake is None:
        raise RejectedError(Code.BAD_STAKE, f"stake {tree.get('stake')!r:.60}")
    platform = text(tree.get("platform_id"), _PLATFORM_LETTERS)
    selections, odds = _selections(tree.get("selections"))
    is_odd = (platform is None and tree.get("platform_id") is not None) or odds is None
    content = [context, stake, platform, _same(tree.get("bet_type")), _same(tree.get("user_id")), selections]
    message = Placed(
        customer=bet.customer,
        slip=bet.slip,
        context=context,
        stake=stake,
        odds=odds or (),
        platform=platform,
        placed_ns=placed_ns,
        logged_ns=bet.logged_ns,
        content=_hash(content),
        position=bet.position,
    )
    counts = (Count.UNKNOWN_CONTEXT,) * (context not in CONTEXTS) + (Count.ODD_FIELD,) * is_odd
    return Read(message=message, counts=counts)


def _answered(bet: _Envelope) -> Read:
    tree = bet.tree
    answered_ns = bet.time_ns("answered_at")
    disposition = tree.get("disposition")
    if type(disposition) is not str or disposition not in _DISPOSITIONS:
        raise RejectedError(Code.UNKNOWN_DISPOSITION, f"disposition {disposition!r:.60}")
    code = None
    if tree.get("bet_code") not in (None, ""):  # a rejected bet may have none
        code = text(tree["bet_code"], MAX_ID)
        if code is None:
            raise RejectedError(
                Code.BAD_FIELD, f"bet_code {tree['bet_code']!r:.60} is no text of 1 to {MAX_ID} letters"
            )
    short_code = text(tree.get("short_code"), MAX_ID)
    is_odd = short_code is None and tree.get("short_code") not in (None, "")
    is_odd |= type(tree.get("result")) not in (bool, type(None))
    message = Answered(
        customer=bet.customer,
        slip=bet.slip,
        disposition=disposition,  # type: ignore[arg-type]  # one of the literal's
        code=code,
        short_code=short_code,
        answered_ns=answered_ns,
        logged_ns=bet.logged_ns,
        position=bet.position,
    )
    return Read(message=message, counts=(Count.ODD_FIELD,) * is_odd)


def _selections(value: Any) -> tuple[Any, tuple[str, ...] | None]:
    """Return what selections say, and the odds of each; no odds when these are not what they should be."""
    if value is None:
        return [], ()
    if type(value) is not list or len(value) > _MAX_SELECTIONS or any(type(one) is not dict for one in value):
        return value, None
    said: list[Any] = []
    odds: list[str | None] = []
    for selection in value:
        odds.append(amount(selection.get("odds")))
        ids = [_same(selection.get(name)) for name in ("event_id", "market_id", "line", "outcome_id")]
        said.append([*ids, odds[-1] or selection.get("odds")])
    if any(odd is None and said_of[-1] is not None for odd, said_of in zip(odds, said, strict=True)):
        return said, None
    known = tuple(odd for odd in odds if odd is not None)
    return said, known if len(known) == len(odds) else ()


def _same(value: Any) -> Any:
    """Return ``value``, a whole number as text: both mean the same."""
    return str(value) if type(value) is int else value


def _hash(content: list[Any]) -> str:
    return blake2b(canonical(content), digest_size=_HASH_BYTES).hexdigest()
