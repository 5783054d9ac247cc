import asyncio
from random import Random

import pytest

from connectors.runner import Backoff, ConnectFailed, ConnectionBudget, LineCounts, Runner, unless_stopped
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
