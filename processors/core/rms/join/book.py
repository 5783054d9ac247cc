"""The customers of one stream task: their time, and who waits for what."""

from dataclasses import dataclass, field
from typing import Final

from processors.core.processor import Store
from processors.core.rms.join import codes, slips
from processors.core.rms.join.case import Case, Place
from processors.core.rms.join.codes import CodeCase
from processors.core.rms.join.deadline import is_waiting
from processors.core.rms.join.entries import (
    CLOCK,
    CODE,
    PASSAGE,
    SLIP,
    Clock,
    CodeEntry,
    Passage,
    SlipEntry,
    decode_clock,
    decode_code,
    decode_passage,
    decode_slip,
    encode,
    key_of,
)
from processors.core.rms.join.settings import JoinSettings
from processors.core.rms.join.wakes import Wakes

_MEMORY: Final = "rms.join"


@dataclass(slots=True)
class Customer:
    """One customer in this task.

    Attributes:
        clock: Time and gaps.
        passage: Approvals by code that have passed.
        wakes: When to look at what.
        waiting: Slips that wait for a trader, with the end of their window.
    """

    clock: Clock
    passage: Passage
    wakes: Wakes = field(default_factory=Wakes)
    waiting: dict[str, int] = field(default_factory=dict)


class Book:
    """What one stream task holds, over its store; lives in ``context.memory``.

    Whoever catches an exception must throw it away: it may be ahead of the store.

    Args:
        store: State of the stream task; read through once.
        settings: Spans.
    """

    def __init__(self, store: Store, settings: JoinSettings) -> None:
        self._store, self._settings = store, settings
        self._customers: dict[str, Customer] = {}
        self._restore()

    def customer(self, customer: str) -> Customer:
        """Return a customer; one that was never heard of has no time yet."""
        known = self._customers.get(customer)
        if known is None:
            known = self._customers[customer] = self._read(customer)
        return known

    def place(self, customer: str, raw_topic: str = "") -> Place:
        """Return by what a customer's slips and codes are judged."""
        known = self.customer(customer)
        return Place(customer, known.clock, known.passage, self._settings, raw_topic)

    def slip(self, place: Place, slip: str) -> Case:
        """Return a slip; new if there is none."""
        value = self._store.get(key_of(SLIP, place.customer, slip))
        return Case(slip, SlipEntry() if value is None else decode_slip(value), place)

    def code(self, place: Place, code: str) -> CodeCase:
        """Return a code; new if there is none."""
        value = self._store.get(key_of(CODE, place.customer, code))
        return CodeCase(code, CodeEntry() if value is None else decode_code(value), place)

    def write_slip(self, case: Case) -> None:
        """Write a slip, or forget it when it is over."""
        key, known = key_of(SLIP, case.place.customer, case.slip), self.customer(case.place.customer)
        if slips.is_over(case):
            self._store.delete(key)
            known.waiting.pop(case.slip, None)
            known.wakes.forget((False, case.slip))
            return
        self._put(key, encode(case.entry))
        self._watch_slip(known, case)

    def write_code(self, case: CodeCase) -> None:
        """Write a code, or forget it when it is over."""
        key, known = key_of(CODE, case.place.customer, case.code), self.customer(case.place.customer)
        if codes.is_over(case):
            self._store.delete(key)
            known.wakes.forget((True, case.code))
            return
        self._put(key, encode(case.entry))
        known.wakes.put((True, case.code), codes.wake_of(case))

    def write_clock(self, customer: str) -> None:
        """Write a customer's time."""
        self._put(key_of(CLOCK, customer), encode(self.customer(customer).clock))

    def write_passage(self, customer: str) -> None:
        """Write which of a customer's approvals by code have passed."""
        self._put(key_of(PASSAGE, customer), encode(self.customer(customer).passage))

    def _put(self, key: bytes, value: bytes) -> None:
        if self._store.get(key) != value:
            self._store.put(key, value)

    def _watch_slip(self, known: Customer, case: Case) -> None:
        bet = case.entry.bet
        if bet is not None and bet.final is None and is_waiting(bet):
            known.waiting[case.slip] = bet.deadline_ns
        else:
            known.waiting.pop(case.slip, None)
        known.wakes.put((False, case.slip), slips.wake_of(case))

    def _read(self, customer: str) -> Customer:
        clock, passage = self._store.get(key_of(CLOCK, customer)), self._store.get(key_of(PASSAGE, customer))
        return Customer(
            Clock() if clock is None else decode_clock(clock),
            Passage() if passage is None else decode_passage(passage),
        )

    def _restore(self) -> None:
        places: dict[str, Place] = {}
        for key, value in self._store.items():
            kind = key[:1]
            if kind not in (SLIP, CODE):
                continue
            customer, _, name = key[1:].decode().partition("/")
            place = places.get(customer)
            if place is None:
                place = places[customer] = self.place(customer)
            known = self._customers[customer]
            if kind == SLIP:
                self._watch_slip(known, Case(name, decode_slip(value), place))
            else:
                known.wakes.put((True, name), codes.wake_of(CodeCase(name, decode_code(value), place)))


def book(store: Store, memory: dict[str, object], settings: JoinSettings) -> Book:
    """Return the task's book, from memory or made anew from the store."""
    known = memory.get(_MEMORY)
    if not isinstance(known, Book):
        known = memory[_MEMORY] = Book(store, settings)
    return known
