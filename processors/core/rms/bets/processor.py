"""The router of bets: what bet platforms wrote goes, normalized, to the task of its slip and of its bet code."""

from typing import Final

import msgspec

from processors.core.processor import Context, Hole, SourceRecord
from processors.core.replay import Replay
from processors.core.rms.bets.read import RejectedError, read_bet
from schemas.raw import Header
from schemas.rms.fields import BETS, PENDING
from schemas.rms.pending import Alias, Answered, code_key, encode, slip_key

_MS_NS: Final = 1_000_000
_SECOND_NS: Final = 1_000_000_000


class RmsBets:
    """Check and normalize bets and answers; without state, so that equal records always say the same.

    Repeats pass: the join knows of each bet what it said before.

    Args:
        remember_s: How long the join remembers a bet, seconds: an older one is not sent there, ever.
    """

    name = "rms.bets"
    feed = "rms"
    sources = (BETS,)
    outputs = (PENDING,)

    def __init__(self, *, remember_s: int = 21_600) -> None:
        self._remember_ns = remember_s * _SECOND_NS

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one record of a bet platform."""
        self._take(record, context, None)

    def replay(self, replay: Replay, context: Context) -> bool:
        """Process one record again; the join refuses it where the slip had its like, or is decided."""
        self._take(replay.record, context, replay)
        return False

    def _take(self, record: SourceRecord, context: Context, replay: Replay | None) -> None:
        value = record.value or b""
        try:
            read = read_bet(
                value,
                record.key,
                logged_ns=record.timestamp * _MS_NS,
                remember_ns=self._remember_ns,
                position=f"{record.topic}/{record.partition}/{record.offset}",
            )
        except RejectedError as error:
            context.dead_letter(value, error.code, error.detail)
            return
        for count in read.counts:
            context.count(count)
        bet, marks = read.message, list[Header]()
        if replay is not None:
            bet, marks = msgspec.structs.replace(bet, replay=replay.request), [replay.mark]
        context.forward(PENDING, slip_key(bet.customer, bet.slip), encode(bet), marks)
        if isinstance(bet, Answered) and bet.code is not None:
            alias = Alias(customer=bet.customer, code=bet.code, slip=bet.slip, position=bet.position)
            context.forward(PENDING, code_key(bet.customer, bet.code), encode(alias), marks)

    def on_hole(self, hole: Hole, context: Context) -> None:
        """Never told: bet platforms do not number their records."""
