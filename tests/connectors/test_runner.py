import asyncio
from random import Random

import pytest

from connectors.counts import LineCounts
from connectors.runner import Backoff, ConnectFailed, ConnectionBudget, Ladder, Runner, unless_stopped
from schemas.errors import ConfigurationError
from tests.connectors.hand_clock import HandClock


class Top(Random):
    """The largest jitter there is."""

    def uniform(self, a, b):
        return b


def test_backoff_doubles_up_to_its_cap():
    backoff = Backoff(base_s=0.5, cap_s=30)
    assert [backoff.delay_s(n, Top()) for n in (1, 2, 3, 6, 7, 8, 10_000)] == [0.5, 1, 2, 16, 30, 30, 30]


def test_jitter_is_full_and_repeatable():
    backoff = Backoff(base_s=8, cap_s=8)
    delays = [backoff.delay_s(1, random) for random in [Random(1)] for _ in range(1000)]
    assert min(delays) < 0.1
    assert max(delays) > 7.9
    assert delays[0] == backoff.delay_s(1, Random(1))


def runner(clock, stop, limit=1000, **backoff):
    return Runner(
        stop=stop,
        backoff=Backoff(**({"base_s": 1.0, "cap_s": 30.0} | backoff)),
        budget=ConnectionBudget(limit, window_s=60.0, clock=clock),
        clock=clock,
        random=Top(),
    )


async def attempts(clock, behave, *, count, **options):
    """Return when each of the first ``count`` attempts began, by a clock that only sleeping moves."""
    stop = asyncio.Event()
    began = []

    async def connect():
        began.append(clock.monotonic_s())
        if len(began) == count:
            stop.set()
        await behave(len(began))

    counts = LineCounts()
    await runner(clock, stop, **options).keep_connected("line", connect, counts)
    assert counts.attempts == count
    return began, counts


async def test_failures_in_a_row_back_off():
    async def fail(_):
        raise ConnectFailed("no")

    began, counts = await attempts(HandClock(), fail, count=8)
    assert began == [0, 1, 3, 7, 15, 31, 61, 91]
    assert counts.failures == 8


async def test_a_connection_that_held_starts_the_delays_again():
    clock = HandClock()

    async def hold_the_third(number):
        if number == 3:
            clock.advance(31)

    began, counts = await attempts(clock, hold_the_third, count=5)
    assert began == [0, 1, 3, 35, 37]
    assert counts.failures == 0


async def test_an_unexpected_exception_is_told_with_its_trace_and_retried(caplog):
    async def break_once(number):
        if number == 1:
            raise KeyError("bug")

    began, _ = await attempts(HandClock(), break_once, count=2)
    assert began == [0, 1]
    assert "line.broke line=line" in caplog.text
    assert "KeyError" in caplog.text


async def test_what_no_retry_mends_is_raised():
    async def misconfigured(_):
        raise ConfigurationError("no such thing")

    with pytest.raises(ConfigurationError):
        await attempts(HandClock(), misconfigured, count=2)


async def test_the_budget_outranks_the_backoff():
    async def fail(_):
        raise ConnectFailed("no")

    began, _ = await attempts(HandClock(), fail, count=9, limit=4, base_s=0.001, cap_s=0.001)
    assert [round(at, 1) for at in began] == [0, 0, 0, 0, 60, 60, 60, 60, 120]


async def test_lines_share_the_budget():
    clock = HandClock()
    budget = ConnectionBudget(3, window_s=60.0, clock=clock)
    at = []

    async def take():
        await budget.take()
        at.append(clock.monotonic_s())

    await asyncio.gather(*(take() for _ in range(7)))
    assert sorted(at) == [0, 0, 0, 60, 60, 60, 120]


async def test_stop_ends_a_wait_at_once_and_cancellation_passes():
    stop = asyncio.Event()
    waiting = asyncio.create_task(unless_stopped(stop, asyncio.sleep(3600)))
    await asyncio.sleep(0)
    stop.set()
    assert await waiting is False
    assert await unless_stopped(stop, asyncio.sleep(3600)) is False
    cancelled = asyncio.create_task(unless_stopped(asyncio.Event(), asyncio.sleep(3600)))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled


async def test_nothing_is_dialled_after_stop():
    stop = asyncio.Event()
    stop.set()
    counts = LineCounts()

    async def connect():
        raise AssertionError("dialled")

    await runner(HandClock(), stop).keep_connected("line", connect, counts)
    assert counts.attempts == 0


def test_a_ladder_has_its_own_steps_and_stays_on_the_last():
    ladder = Ladder(steps_s=(1, 2, 4, 8, 15, 30), healthy_s=60)
    assert [ladder.delay_s(n, Top()) for n in (1, 2, 3, 4, 5, 6, 7, 10_000)] == [1, 2, 4, 8, 15, 30, 30, 30]


async def climbed(clock, connect, *, count):
    """Return when each of ``count`` attempts began, on a ladder of 1, 2, 4 s that begins again after 60 s."""
    stop = asyncio.Event()
    began = []

    async def counted():
        began.append(clock.monotonic_s())
        if len(began) == count:
            stop.set()
        return await connect(len(began))

    budget = ConnectionBudget(1000, window_s=1.0, clock=clock)
    steps = Ladder(steps_s=(1, 2, 4), healthy_s=60)
    runner = Runner(stop=stop, backoff=steps, budget=budget, clock=clock, random=Top())
    counts = LineCounts()
    await runner.keep_connected("line", counted, counts)
    return began, counts


async def test_a_ladder_begins_again_after_a_healthy_connection_only():
    clock = HandClock()

    async def holds(number):
        clock.advance({3: 50, 5: 61}.get(number, 0))

    began, _ = await climbed(clock, holds, count=7)
    assert began == [0, 1, 3, 57, 61, 123, 125]


async def test_what_was_expected_waits_as_long_as_it_says_and_is_no_failure(caplog):
    async def not_yet(number):
        if number < 4:
            raise ConnectFailed("not started", retry_after_s=30, expected=True)
        raise ConnectFailed("broken")

    began, counts = await climbed(HandClock(), not_yet, count=6)
    assert began == [0, 30, 60, 90, 91, 93]
    assert counts.failures == 3
    assert "not started" not in caplog.text


async def test_a_server_that_names_a_time_is_not_asked_before_it():
    async def later(_):
        raise ConnectFailed("429", retry_after_s=10)

    began, _ = await climbed(HandClock(), later, count=3)
    assert began == [0, 11, 23]


async def test_a_connection_that_ended_for_a_new_one_is_followed_at_once():
    async def again(number):
        return number in {2, 3}

    began, _ = await climbed(HandClock(), again, count=6)
    assert began == [0, 1, 1, 1, 2, 4]


async def test_an_error_that_no_retry_mends_ends_it():
    class Refused(ConnectFailed):
        retryable = False

    async def refused(_):
        raise Refused("no")

    with pytest.raises(Refused):
        await climbed(HandClock(), refused, count=9)


class GateClock(HandClock):
    """Those who sleep wake when the test says."""

    def __init__(self):
        super().__init__()
        self.wake = asyncio.Event()

    async def sleep(self, seconds):
        await self.wake.wait()
        self.wake.clear()


async def test_a_budget_serves_those_who_wait_before_those_who_come():
    clock = GateClock()
    budget = ConnectionBudget(1, window_s=1.0, clock=clock)
    served = []

    async def ask(name):
        await budget.take()
        served.append(name)

    await ask("first")
    waiting = asyncio.create_task(ask("waiting"))
    await asyncio.sleep(0)  # it has asked, and sleeps
    clock.advance(1)
    newcomer = asyncio.create_task(ask("newcomer"))
    await asyncio.sleep(0)  # it has asked, too, before the other one woke
    clock.wake.set()
    await waiting
    await asyncio.sleep(0)
    clock.advance(1)
    clock.wake.set()
    await newcomer
    assert served == ["first", "waiting", "newcomer"]
