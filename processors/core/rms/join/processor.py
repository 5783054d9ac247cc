"""The join: what is pending in; decisions, look-ups and messages to its own tasks out."""

from typing import Final

import msgspec

from processors.core.processor import Context, Hole, SourceRecord
from processors.core.rms.join import codes, slips
from processors.core.rms.join.book import Book, Customer, book
from processors.core.rms.join.case import Place
from processors.core.rms.join.coverage import take_time
from processors.core.rms.join.passage import heal, take_passed
from processors.core.rms.join.settings import SECOND_NS, JoinSettings
from processors.core.rms.join.teller import Teller
from processors.core.rms.join.wakes import Name
from schemas.rms import pending
from schemas.rms.codes import Code
from schemas.rms.fields import DECISIONS, LOOKUPS, PENDING
from schemas.rms.pending import Alias, Answered, AnyMessage, Evident, Known, Passed, Placed, Time

_CUSTOMER_DIGITS: Final = 20
_RAW: Final = "rms.raw"


class RmsJoin:
    """One final decision per referred bet; pure, so one instance may serve any number of stream tasks.

    Args:
        window_prematch_s: How long a trader may take for a prematch bet, seconds.
        window_live_s: The same for every other context.
        orphan_s: How long an approval waits for its bet before it is told as an orphan, seconds.
        verify_s: How long a look-up may take after a window that ended in doubt, seconds.
        unanswered_s: How long a bet waits for place-bet's answer, seconds.
        remember_s: How long what is final is remembered, seconds.
        look_ups: How many bets a task asks about when a gap ends; about the others it asks when their windows end.
    """

    name = "rms.join"
    feed = "rms"
    sources = (PENDING,)
    outputs = (PENDING, DECISIONS, LOOKUPS)

    def __init__(
        self,
        *,
        window_prematch_s: int = 600,
        window_live_s: int = 120,
        orphan_s: int = 600,
        verify_s: int = 900,
        unanswered_s: int = 3_600,
        remember_s: int = 21_600,
        look_ups: int = 50,
    ) -> None:
        self._settings = JoinSettings(
            window_prematch_ns=window_prematch_s * SECOND_NS,
            window_live_ns=window_live_s * SECOND_NS,
            orphan_ns=orphan_s * SECOND_NS,
            verify_ns=verify_s * SECOND_NS,
            unanswered_ns=unanswered_s * SECOND_NS,
            remember_ns=remember_s * SECOND_NS,
            look_ups=look_ups,
        )

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one message."""
        message = _read(record.value)
        if isinstance(message, str):
            context.dead_letter(record.value or b"", Code.BAD_MESSAGE, message)
            return
        try:
            task = _Task(record, book(context.store, context.memory, self._settings), context)
            task.take(message)
        except Exception:
            # The store is taken back, memory is not and may be ahead of it; it is made anew from the store.
            context.memory.clear()
            raise

    def on_hole(self, hole: Hole, context: Context) -> None:
        """Do nothing: messages of the join carry no frame numbers."""


class _Task:
    """One message on its way."""

    __slots__ = ("_book", "_context", "_raw_topic", "_teller", "_value")

    def __init__(self, record: SourceRecord, held: Book, context: Context) -> None:
        self._book, self._context = held, context
        self._value = record.value or b""
        self._raw_topic = record.topic.removesuffix(PENDING) + _RAW
        self._teller = Teller(f"{record.topic}/{record.partition}/{record.offset}", context)

    def take(self, message: AnyMessage) -> None:
        place = self._book.place(message.customer, self._raw_topic)
        match message:
            case Placed() | Answered() | Known():
                self._slip(place, message.slip, message)
            case Evident():
                if message.slip is not None:
                    self._slip(place, message.slip, message)
                elif message.code is not None:
                    self._code(place, message.code, message)
            case Alias():
                self._code(place, message.code, message)
            case Passed():
                known = self._book.customer(message.customer)
                moved = take_passed(known.passage, message.ordinal, known.clock.now_ns)
                self._book.write_passage(message.customer)
                if moved:
                    self._look(place, known, known.wakes.take_passed(known.passage.mark))
            case Time():
                self._time(place, message)

    def _slip(self, place: Place, slip: str, message: Placed | Answered | Evident | Known) -> None:
        case = self._book.slip(place, slip)
        if isinstance(message, Placed | Answered) and message.replay is not None:
            known = slips.known(case, message)
            if known is not None:
                self._context.dead_letter(self._value, Code.REPLAY_REFUSED, f"slip {slip}: {known}")
                return
        refused = slips.take(case, message)
        if refused is not None:
            self._context.dead_letter(self._value, refused, refused.meaning)
            return
        self._teller.effects(case.effects)
        self._book.write_slip(case)

    def _code(self, place: Place, code: str, message: Alias | Evident) -> None:
        case = self._book.code(place, code)
        refused = None
        if isinstance(message, Alias):
            codes.take_alias(case, message)
        else:
            refused = codes.take_evident(case, message)
        if refused is not None:
            self._context.dead_letter(self._value, refused, refused.meaning)
        for sent in case.sent:
            self._teller.send(sent)
        self._teller.effects(case.effects)
        self._book.write_code(case)
        if isinstance(message, Evident) and message.ordinal:
            self._teller.passed(Passed(customer=message.customer, ordinal=message.ordinal))

    def _time(self, place: Place, message: Time) -> None:
        known = self._book.customer(message.customer)
        clock, wakes = known.clock, known.wakes
        gap, is_changed = take_time(clock, message)
        self._book.write_clock(message.customer)
        if heal(known.passage, clock.now_ns, place.settings.order_ns):
            self._book.write_passage(message.customer)
        names = wakes.take_due(clock.now_ns)
        names |= wakes.take_passed(known.passage.mark)
        names |= wakes.take_proven(clock.now_ns if is_changed else clock.proven_ns)
        if is_changed and clock.since_ns is not None:
            names |= {(False, slip) for slip in known.waiting}  # once a gap
        self._look(place, known, names, gap)

    def _look(self, place: Place, known: Customer, names: set[Name], gap: tuple[int, int] | None = None) -> None:
        # What waits for a trader comes first, oldest first: so it stands in the queue for look-ups.
        left = place.settings.look_ups
        for is_code, name in sorted(names, key=lambda one: (one[0], known.waiting.get(one[1], 0), one[1])):
            if is_code:
                code = self._book.code(place, name)
                codes.look(code)
                self._teller.effects(code.effects)
                self._book.write_code(code)
            else:
                slip = self._book.slip(place, name)
                left -= slips.look(slip, gap if left > 0 else None)
                self._teller.effects(slip.effects)
                self._book.write_slip(slip)


def _read(value: bytes | None) -> AnyMessage | str:
    """Return the message in a record, or what is wrong with it."""
    if value is None:
        return "a record without value"
    try:
        message = pending.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return str(error) or type(error).__name__
    customer = message.customer
    if not (customer.isascii() and customer.isdigit() and len(customer) <= _CUSTOMER_DIGITS):
        return "the customer is no number of up to 20 digits"
    if isinstance(message, Evident) and message.slip is None and message.code is None:
        return "evidence without slip and code"
    return message
