"""The life of a simulator as a process: until a signal, or until it breaks."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

Urls_co = TypeVar("Urls_co", covariant=True)


class Serving(Protocol[Urls_co]):
    """A simulator that has started."""

    @property
    def urls(self) -> Urls_co:
        """Where it listens."""
        ...

    async def wait(self) -> None:
        """Return, or raise what went wrong, when it has ended by itself."""
        ...


async def until_signalled(
    simulator: AbstractAsyncContextManager[Serving[Urls_co]], on_ready: Callable[[Urls_co], None] | None
) -> None:
    """Run ``simulator`` until SIGTERM or SIGINT, then end it in order.

    Args:
        simulator: Started and ended here.
        on_ready: Told where it listens as soon as it does.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with simulator as running:
            if on_ready is not None:
                on_ready(running.urls)
            stopped = asyncio.create_task(stop.wait())
            failed = asyncio.create_task(running.wait())
            await asyncio.wait((stopped, failed), return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                failed.result()  # raises what ended it
            failed.cancel()
            stopped.cancel()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
