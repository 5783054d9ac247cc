"""Dedupe against a naive account of the same rule, over random histories."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.core.kambi.dedupe import DELETES_PER_TICK, MAX_FACTS, PREFIX, WINDOW_S, FactMemory, Sighting, entry_key
from processors.core.kambi.processor import KambiProcessor
from schemas.kambi.codes import Count
from tests.core.driver import DictStore, Driver, Output
from tests.core.kambi.frames import frame, odds, status

SECOND_NS = 1_000_000_000
START_NS = 1_790_000_000 * SECOND_NS
T0 = 10**12
"""Smaller numbers are no time in milliseconds."""
LINES = ("kambi-0-general", "kambi-0-events-0", "kambi-0-events-1")

Fact = tuple[int, int, int, int]
"""Offer, outcome, odds, t."""


@dataclass(frozen=True)
class Delivery:
    line: str
    after_s: int
    facts: tuple[Fact, ...]

    def frame(self) -> bytes:
        return frame(
            *(
                odds(f'{{"id":{outcome},"betOfferId":{offer},"odds":{value}}}', t=T0 + t)
                for offer, outcome, value, t in self.facts
            )
        )


facts = st.tuples(st.integers(1, 2), st.integers(1, 2), st.sampled_from([1500, 1600]), st.integers(1, 2))
deliveries = st.builds(
    Delivery,
    line=st.sampled_from(LINES),
    after_s=st.sampled_from([0, 0, 1, WINDOW_S // 2, WINDOW_S, WINDOW_S + 1]),
    facts=st.lists(facts, min_size=1, max_size=4).map(tuple),
)


def naive(history: list[Delivery]) -> list[Fact]:
    """Count every fact per line in plain dicts; forget an (offer, t) a window after it was first seen."""
    now, first_seen, counts, new = (
        0,
        dict[tuple[int, int], int](),
        dict[tuple[int, int], dict[Fact, Counter[str]]](),
        [],
    )
    for delivery in history:
        now += delivery.after_s
        for fact in delivery.facts:
            group = (fact[0], fact[3])
            if group not in first_seen or now - first_seen[group] > WINDOW_S:
                first_seen[group], counts[group] = now, {}
            lines = counts[group].setdefault(fact, Counter())
            most = max(lines.values(), default=0)
            lines[delivery.line] += 1
            if lines[delivery.line] > most:
                new.append(fact)
    return new


def said(outputs: list[Output]) -> list[Fact]:
    return [
        (value["offer_id"], outcome["id"], outcome["odds_thousandths"], value["vendor_time_ms"] - T0)
        for value in (json.loads(output.value) for output in outputs)
        for outcome in value["outcomes"]
    ]


def play(history: list[Delivery], *, ticks: Sequence[bool] = (), reopen: bool = False) -> Driver:
    """Deliver ``history``, with a tick before those deliveries that ``ticks`` says."""
    driver, now_ns = Driver(KambiProcessor()), START_NS
    for delivery, tick in zip_longest(history, ticks[: len(history)], fillvalue=False):
        assert isinstance(delivery, Delivery)
        now_ns += delivery.after_s * SECOND_NS
        if tick:
            driver.feed(b"{}", kind="tick", at_ns=now_ns)
        if reopen:
            driver.reopen()
        driver.feed(delivery.frame(), line=delivery.line, at_ns=now_ns)
    return driver


@settings(max_examples=300)
@given(st.lists(deliveries, max_size=25))
def test_says_what_a_naive_account_says(history: list[Delivery]):
    assert said(play(history).outputs) == naive(history)


@settings(max_examples=300)
@given(st.lists(deliveries, max_size=25), st.lists(st.booleans(), min_size=25, max_size=25))
def test_housekeeping_and_restarts_change_nothing(history: list[Delivery], ticks: list[bool]):
    plain = [output.value for output in play(history).outputs]
    assert [output.value for output in play(history, ticks=ticks).outputs] == plain
    assert [output.value for output in play(history, ticks=ticks, reopen=True).outputs] == plain


def test_fact_that_returned_after_its_window_outlives_the_tombstone_of_its_first_life():
    again = Delivery(LINES[0], WINDOW_S + 1, ((1, 1, 1500, 1),))
    copy = Delivery(LINES[1], 1, ((1, 1, 1500, 1),))
    history = [again, again, copy]
    driver = play(history, ticks=[False, False, True])
    assert said(driver.outputs) == naive(history) == [(1, 1, 1500, 1)] * 2


@given(st.lists(facts, max_size=20), st.data())
def test_every_fact_of_the_vendor_once_whatever_the_lines_do(sent: list[Fact], data: st.DataObject):
    """The general line carries the offers of its choice, the event line all; both in order, interleaved anyhow."""
    on_general = data.draw(st.sets(st.integers(1, 2)))
    waiting = {LINES[0]: [fact for fact in sent if fact[0] in on_general], LINES[1]: list(sent)}
    history = []
    while any(waiting.values()):
        line = data.draw(st.sampled_from([line for line, facts_ in waiting.items() if facts_]))
        size = data.draw(st.integers(1, 3))
        history.append(Delivery(line, 0, tuple(waiting[line][:size])))
        del waiting[line][:size]
    assert Counter(said(play(history).outputs)) == Counter(sent)


def test_there_and_back_at_one_time_are_three_facts():
    history = [Delivery(line, 0, ((1, 1, value, 7),)) for line in LINES for value in (1500, 1600, 1500)]
    driver = play(history)
    assert said(driver.outputs) == [(1, 1, 1500, 7), (1, 1, 1600, 7), (1, 1, 1500, 7)]
    assert driver.counts == {Count.DUPLICATE: 6}


def test_candidate_goes_out_with_its_new_outcomes_only():
    driver = Driver(KambiProcessor(), stream_time_ns=START_NS)
    driver.feed(frame(odds('{"id":1,"betOfferId":9,"odds":1500}')), line=LINES[0])
    driver.feed(
        frame(odds('{"id":1,"betOfferId":9,"odds":1500}', '{"id":2,"betOfferId":9,"odds":2500}')), line=LINES[1]
    )
    assert [json.loads(output.value)["outcomes"] for output in driver.outputs] == [
        [{"id": 1, "odds_thousandths": 1500}],
        [{"id": 2, "odds_thousandths": 2500}],
    ]
    assert driver.counts == {Count.PARTIAL_DUPLICATE: 1}


def test_duplicate_leaves_its_index_unused():
    driver = Driver(KambiProcessor())
    driver.feed(frame(status(1)), line=LINES[0])
    driver.feed(frame(status(1), status(2)), line=LINES[1])
    assert [output.header("ce_id") for output in driver.outputs] == [
        "tricast.kambi.raw/0/0/0",
        "tricast.kambi.raw/0/1/1",
    ]


def test_ticks_delete_what_ended_and_keep_the_rest():
    driver = Driver(KambiProcessor())
    for number in range(3):
        driver.feed(frame(status(number)), at_ns=START_NS + number * SECOND_NS)
    driver.feed(b"{}", kind="tick", at_ns=START_NS + (WINDOW_S + 2) * SECOND_NS)
    assert len(list(driver.store.items(PREFIX))) == 1
    driver.feed(b"{}", kind="tick", at_ns=START_NS + (WINDOW_S + 3) * SECOND_NS)
    assert list(driver.store.items(PREFIX)) == []


def observe(store: DictStore, memory: FactMemory, number: int, now_s: int) -> int:
    sighting = Sighting(store, 1, now_s)
    sighting.is_new(sighting.facts_of(entry_key(str(number))), number)
    return memory.keep(sighting, store, now_s)


def test_one_tick_deletes_no_more_than_a_transaction_should_hold():
    store = DictStore()
    memory = FactMemory(store)
    for number in range(DELETES_PER_TICK + 2_000):
        observe(store, memory, number, number // 1_000)
    assert memory.expire(store, 10 * WINDOW_S) == DELETES_PER_TICK
    assert memory.expire(store, 10 * WINDOW_S) == 2_000


steps_s = st.sampled_from([0, 0, 1, 2, WINDOW_S + 1])


@given(st.lists(st.tuples(steps_s, st.integers(0, 12)), min_size=1, max_size=60), st.integers(1, 8))
def test_memory_is_bounded_and_a_restart_evicts_the_same(steps: list[tuple[int, int]], bound: int):
    def run(*, reopen: bool) -> list[dict[bytes, bytes]]:
        store, now_s, states = DictStore(), 0, []
        memory = FactMemory(store, bound)
        for step, number in steps:
            now_s += step
            if reopen:
                memory = FactMemory(store, bound)
            observe(store, memory, number, now_s)
            assert len(store.entries) <= bound
            states.append(dict(store.entries))
        return states

    assert run(reopen=False) == run(reopen=True)


def test_an_entry_forgets_rather_than_grow_without_bound():
    """A legal bulk may hold half a million outcomes of one offer at one time."""
    sighting = Sighting(DictStore(), 1, 0)
    facts = sighting.facts_of(b"f")
    assert all(sighting.is_new(facts, fact) for fact in range(2 * MAX_FACTS + 5))
    assert len(sighting.entries[b"f"][1]) <= MAX_FACTS
