"""The life of a connector process: signals, lines, sink, and an end within the grace period."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import Any

from connectors.sink import FrameSink
from schemas.errors import EnvironmentFault, TricastError

log = logging.getLogger(__name__)


class _Threads(ThreadPoolExecutor):
    """A thread for each call, which nobody waits for at the end.

    DNS is asked in threads, and a name server that does not answer keeps one for a minute: it must hold up neither the
    end of the process nor the look-ups of others, Kafka's brokers among them.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:
                    future.set_exception(error)

        Thread(target=work, daemon=True).start()
        return future


def run(work: Coroutine[Any, Any, None], *, beside: Coroutine[Any, Any, None] | None = None) -> None:
    """Run a connector in an event loop of its own that ends when ``work`` does, whatever DNS does.

    Args:
        work: The connector.
        beside: Runs with it and is cancelled at its end. Should it raise, that is told, and recording goes on: what is
            not recorded is lost, what is not measured is not.
    """

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(_Threads())
        accompanying = None if beside is None else asyncio.create_task(_told(beside))
        try:
            await work
        finally:
            if accompanying is not None:
                accompanying.cancel()
                await asyncio.wait({accompanying})

    asyncio.run(main())


async def _told(beside: Coroutine[Any, Any, None]) -> None:
    try:
        await beside
    except Exception:
        log.exception("process.beside_failed")


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set; call it in the running loop of the main thread."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def on_hang_up(call: Callable[[], object]) -> None:
    """Have SIGHUP call ``call``; to be used in the running loop of the main thread."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, call)


async def run_until_stopped(
    lines: Callable[[], Awaitable[None]], *, sinks: Sequence[FrameSink], stop: asyncio.Event, grace_s: float
) -> None:
    """Run ``lines`` and their sinks; after ``stop``, close the lines, flush, and return.

    What Kafka does not take in time is left on disk for the next process, where sinks have a spool.

    Args:
        lines: Runs all lines; returns when ``stop`` is set and they are closed.
        sinks: Queues the lines write to, one a raw partition; each is opened already, or has no spool.
        stop: Set when the process is to end.
        grace_s: Time for closing and flushing, seconds.

    Raises:
        EnvironmentFault: Neither Kafka nor the disk took everything within the grace period.
        TricastError: What ended the lines or a sink, when it was not ``stop``.
    """
    work = asyncio.ensure_future(lines())
    flushes = [asyncio.create_task(sink.run(), name="sink") for sink in sinks]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        # A sink ends by itself only with an error.
        await asyncio.wait({work, stopping, *flushes}, return_when=asyncio.FIRST_COMPLETED)
        deadline_s = asyncio.get_running_loop().time() + grace_s
        if stop.is_set():
            await asyncio.wait({work}, timeout=grace_s)
        work.cancel()
        await asyncio.wait({work})  # after it no line writes any more, and each has said that it is closed
        for sink in sinks:
            sink.close()
        if flushes:
            await asyncio.wait(flushes, timeout=max(0.0, deadline_s - asyncio.get_running_loop().time()))
        for sink in sinks:
            sink.give_up()
        await asyncio.gather(*flushes, return_exceptions=True)
    finally:
        for task in (work, stopping, *flushes):
            task.cancel()
        ends = await asyncio.gather(work, stopping, *flushes, return_exceptions=True)
    _raise_first([end for end in ends if isinstance(end, Exception)])
    if unkept := sum(sink.unkept for sink in sinks):
        raise EnvironmentFault(
            f"{unkept} records could not be written to Kafka within the grace period of {grace_s:g} s, nor to a spool",
            action="check Kafka and the disk of the spool; the next start records the gap",
        )
    if spooled := sum(sink.waiting for sink in sinks):
        log.warning("sink.left_on_disk records=%d", spooled)


def _raise_first(errors: Sequence[Exception]) -> None:
    for error in errors:
        if isinstance(error, ExceptionGroup):
            known = error.subgroup(TricastError)
            if known is not None:
                raise _first(known) from error
    for error in errors:
        raise error


def _first(group: ExceptionGroup[TricastError]) -> TricastError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
