"""Take in the records of all RMS topics, each hop judged on the way, and hand out one case a bet in the end."""

from collections.abc import Callable, Iterator

import msgspec

from schemas.record import KafkaRecord
from schemas.rms.fields import PENDING
from schemas.rms.pending import Alias, Evident, Time, decode
from schemas.rms.pending import Answered as AnsweredMessage
from schemas.rms.pending import Placed as PlacedMessage
from tricast.audit.ledger import Ledger
from tricast.audit.rms.cabinet import name_of
from tricast.audit.rms.case import Case
from tricast.audit.rms.common import RAW, Desk, place_of
from tricast.audit.rms.coverage import Coverage
from tricast.audit.rms.facts import Replayed, Truth
from tricast.audit.rms.platform import Platform
from tricast.audit.rms.products import Products
from tricast.audit.rms.vendor import Vendor


class Books:
    """Fed topic after topic: decisions, dead letters, approvals, pending, raw, bets; each partition in its order.

    Args:
        desk: Where facts and findings go.
        ledger: Told of every raw record.
    """

    def __init__(self, desk: Desk, ledger: Ledger | None = None) -> None:
        self._desk = desk
        self._now: dict[tuple[int, str], int] = {}
        self.products = Products(desk)
        self.vendor = Vendor(desk, ledger)
        self.platform = Platform(desk)

    @property
    def coverage(self) -> dict[str, Coverage]:
        """When somebody listened, by customer."""
        return self.vendor.coverage

    def take_pending(self, record: KafkaRecord) -> None:
        """Take a message to the join in: what went in there, and at which time of its customer."""
        value = record.value or b""
        letters = self._desk.cabinet.take_letters(PENDING, record.partition, record.offset, value)
        try:
            message = decode(value)
        except msgspec.MsgspecError as error:
            if not letters:
                self._desk.report.find("lost", f"{place_of(record)}: no message, and no dead letter: {error}")
            return
        seen_ns = self._now.get((record.partition, message.customer))
        match message:
            case Time():
                key = (record.partition, message.customer)
                self._now[key] = max(self._now.get(key, 0), message.now_ns)
            case PlacedMessage() | AnsweredMessage():
                name = message.replay or message.position
                if message.replay is not None:
                    self._desk.cabinet.put(message.customer, message.slip, None, Replayed(request=name))
                what = f"{type(message).__name__.lower()} {message.customer}/{message.slip}"
                self._desk.cabinet.put_passage(name, what, seen_ns)
                self._desk.dropped |= {name} if letters else set()
            case Alias():
                what = f"alias {message.customer}/{message.code}/{message.slip}"
                self._desk.cabinet.put_passage(f"alias {message.position}", what, seen_ns)
            case Evident() if (request := dict(record.headers).get("ce_replayed")) is not None:
                name = request.decode(errors="replace")
                self._desk.cabinet.put_passage(f"replay {name}", message.customer, seen_ns)
                self._desk.cabinet.put(message.customer, message.slip, message.code, Replayed(request=name))
            case Evident() if message.slip is None or not message.ordinal:
                self._desk.cabinet.put_passage(f"evident {name_of(message.raw)}", message.customer, seen_ns)
                self._desk.dropped |= {name_of(message.raw)} if letters else set()
            case Evident():
                self._desk.dropped |= {name_of(message.raw)} if letters else set()
            case _:
                pass

    def put_truth(self, customer: str, slip: str, truth: Truth) -> None:
        """Take in what the simulator knows of a bet."""
        self._desk.cabinet.put(customer, slip, None, truth)

    # -- in the end --------------------------------------------------------------------------------------------------

    def leftovers(self, begins: Callable[[str, int], int] = lambda *_: 0) -> None:
        """Report what came out of records that are not there.

        Args:
            begins: Which record of a source (registry name, partition) was the first that was read.
        """
        for topic, partition, offset, place in self._desk.cabinet.letters_left():
            if offset < begins(topic, partition):
                continue
            self._desk.report.find(
                "unexpected", f"{place}: its source {self._desk.prefix}{topic}/{partition}/{offset} is not there"
            )
        for partition, offset, place in self._desk.cabinet.approvals_left():
            if offset < begins(RAW, partition):
                continue
            self._desk.report.find(
                "unexpected", f"{place}: its source {self._desk.prefix}{RAW}/{partition}/{offset} is not there"
            )

    def cases(self) -> Iterator[Case]:
        """Yield one case a slip id."""
        for customer, slip, facts in self._desk.cabinet.bets():
            coverage = self.coverage.setdefault(customer, Coverage())
            case = Case(customer=customer, slip=slip, coverage=coverage, windows=self._desk.windows)
            for fact in facts:
                case.add(fact)
            codes = {answered.code for answered in case.answered} | {word.code for word in case.words}
            case.contested = self._desk.cabinet.contested(customer, {code for code in codes if code is not None})
            case.arrange()
            yield case
