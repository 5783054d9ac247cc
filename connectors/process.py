"""The life of a connector process: signals, lines, sink, and an end within the grace period."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence

from connectors.sink import FrameSink
from schemas.errors import EnvironmentFault, TricastError

log = logging.getLogger(__name__)


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set; call it in the running loop of the main thread."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def run_until_stopped(
    lines: Callable[[], Awaitable[None]], *, sinks: Sequence[FrameSink], stop: asyncio.Event, grace_s: float
) -> None:
    """Run ``lines`` and their sinks; after ``stop``, close the lines, flush, and return.

    Args:
        lines: Runs all lines; returns when ``stop`` is set and they are closed.
        sinks: Queues the lines write to, one a raw partition.
        stop: Set when the process is to end.
        grace_s: Time for closing and flushing, seconds.

    Raises:
        EnvironmentFault: Kafka did not take everything within the grace period.
        TricastError: What ended the lines or a sink, when it was not ``stop``.
    """
    work = asyncio.ensure_future(_run(lines, sinks))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({work}, timeout=grace_s)
        if not work.done():
            waiting = sum(sink.waiting for sink in sinks)
            raise EnvironmentFault(
                f"{waiting} records could not be written to Kafka within the grace period of {grace_s:g} s",
                action="check Kafka; the next start records the gap",
            )
        work.result()
    except ExceptionGroup as group:
        known = group.subgroup(TricastError)
        if known is None:
            raise
        raise _first(known) from group
    finally:
        work.cancel()
        stopping.cancel()
        await asyncio.gather(work, stopping, return_exceptions=True)


async def _run(lines: Callable[[], Awaitable[None]], sinks: Sequence[FrameSink]) -> None:
    async with asyncio.TaskGroup() as group:
        for sink in sinks:
            group.create_task(sink.run(), name="sink")
        try:
            await lines()
        finally:
            for sink in sinks:
                sink.close()


def _first(group: ExceptionGroup[TricastError]) -> TricastError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
