"""Which bets are to be looked up, and when. Pure.

A look-up is answered by a request that was sent after it was asked for: what an older one says is older than the doubt.
So of several for one bet that wait, one request serves all; and what another connector of the customer recorded serves
as well.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec

from schemas.rms.lookups import LookUp

MOST: Final = 10_000
"""Look-ups that wait; what the limits allow in the time that anybody waits for them is a hundredth of that."""
_ANSWERS: Final = 20_000
"""Answers that are remembered, for look-ups that are read after them."""
_MOST_AHEAD_NS: Final = 60 * 1_000_000_000
"""Where another machine's clock is ahead of ours, a request waits until ours is there, but not for longer than this."""
_RETRY_S: Final = (5.0, 30.0, 120.0)
"""When to ask again after the first, second and third failure: the API gets some minutes to recover."""
_NS_A_S: Final = 1_000_000_000

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Ns = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A look-up, as far as the connector needs to know it."""

    customer: Annotated[str, msgspec.Meta(pattern="^[0-9]{1,20}$")]
    bet_slip_id: _Id
    bet_code: _Id
    asked_ns: _Ns
    until_ns: _Ns


@dataclass(frozen=True, slots=True)
class BadLookUp:
    """A record that is no look-up; ``detail`` says why."""

    detail: str


@dataclass(frozen=True, slots=True)
class OtherRecord:
    """A record of another type: of a version to come, not for us."""

    type: str


_WANTED = msgspec.json.Decoder(Wanted)


def read_look_up(value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> Wanted | OtherRecord | BadLookUp:
    """Return what a record of the topic asks for."""
    kind = next((text or b"" for name, text in headers if name == "ce_type"), LookUp.ce_type.encode())
    if kind != LookUp.ce_type.encode():
        return OtherRecord(kind.decode("utf-8", "replace"))
    try:
        wanted = _WANTED.decode(value or b"")
        f"{wanted.bet_slip_id}{wanted.bet_code}".encode()  # half a surrogate pair is no text that a request could carry
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return BadLookUp(str(error))
    return wanted


@dataclass(frozen=True, slots=True)
class Bet:
    """Whose state is asked for."""

    slip: str
    code: str


@dataclass(frozen=True, slots=True)
class Due:
    """A look-up whose turn it is; ``asked_ns``: a request that is sent now serves what was asked for until then."""

    bet: Bet
    asked_ns: int


@dataclass(frozen=True, slots=True)
class Later:
    """None is due; the next is in ``in_s`` seconds, ``None``: there is none."""

    in_s: float | None


@dataclass(slots=True, kw_only=True)
class _Entry:
    """One bet that waits: asked for from ``first_ns`` until ``asked_ns``, till ``until_ns``, to be asked not before
    ``from_ns``.
    """

    first_ns: int
    asked_ns: int
    until_ns: int
    from_ns: int
    failures: int = 0


Taken = Literal["taken", "merged", "answered", "too-late", "too-many"]


class LookUpQueue:
    """Look-ups of one customer that wait, oldest first. Times are UTC nanoseconds.

    Args:
        patience_s: How long this connector leaves a look-up to others before it asks itself, seconds.
    """

    def __init__(self, *, patience_s: float = 0.0) -> None:
        self._patience_ns = round(patience_s * _NS_A_S)
        self._waiting: dict[Bet, _Entry] = {}
        self._answers: OrderedDict[Bet, int] = OrderedDict()
        self.too_late = 0
        """Those that waited until nobody waited for them."""

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, wanted: Wanted, now_ns: int) -> Taken:
        """Take a look-up in; return what became of it."""
        bet = Bet(wanted.bet_slip_id, wanted.bet_code)
        if now_ns > wanted.until_ns:
            return "too-late"
        if self._answers.get(bet, -1) >= wanted.asked_ns:
            return "answered"
        from_ns = min(wanted.asked_ns + self._patience_ns, now_ns + self._patience_ns + _MOST_AHEAD_NS)
        entry = self._waiting.get(bet)
        if entry is not None:
            if wanted.asked_ns > entry.asked_ns:
                entry.asked_ns, entry.from_ns, entry.failures = wanted.asked_ns, max(entry.from_ns, from_ns), 0
            entry.first_ns = min(entry.first_ns, wanted.asked_ns)
            entry.until_ns = max(entry.until_ns, wanted.until_ns)
            return "merged"
        if len(self._waiting) >= MOST:
            return "too-many"
        self._waiting[bet] = _Entry(
            first_ns=wanted.asked_ns, asked_ns=wanted.asked_ns, until_ns=wanted.until_ns, from_ns=from_ns
        )
        return "taken"

    def next(self, now_ns: int) -> Due | Later:
        """Return the oldest that is due; what nobody waits for any more is dropped and counted."""
        late = [bet for bet, entry in self._waiting.items() if now_ns > entry.until_ns]
        for bet in late:
            del self._waiting[bet]
        self.too_late += len(late)
        # Not as they were read: several tasks of the join write them, each in its own time.
        due = [(entry.first_ns, bet) for bet, entry in self._waiting.items() if entry.from_ns <= now_ns]
        if due:
            _, bet = min(due, key=lambda each: each[0])
            return Due(bet, self._waiting[bet].asked_ns)
        froms_ns = [entry.from_ns for entry in self._waiting.values()]
        return Later((min(froms_ns) - now_ns) / _NS_A_S if froms_ns else None)

    def done(self, due: Due) -> None:
        """It was answered; what was asked for meanwhile still waits."""
        entry = self._waiting.get(due.bet)
        if entry is not None and entry.asked_ns == due.asked_ns:
            del self._waiting[due.bet]

    def failed(self, due: Due, now_ns: int) -> bool:
        """The request led nowhere; return whether it will be tried again, else it is given up."""
        entry = self._waiting.get(due.bet)
        if entry is None:
            return True
        if entry.failures == len(_RETRY_S):
            self.done(due)
            return False
        entry.from_ns = now_ns + round(_RETRY_S[entry.failures] * _NS_A_S)
        entry.failures += 1
        return True

    def recorded(self, bet: Bet, requested_ns: int) -> None:
        """An answer to a request of then is in Kafka, whoever sent it."""
        self._answers[bet] = max(requested_ns, self._answers.pop(bet, 0))
        if len(self._answers) > _ANSWERS:
            self._answers.popitem(last=False)
        entry = self._waiting.get(bet)
        if entry is not None and requested_ns >= entry.asked_ns:
            del self._waiting[bet]
