"""Serves the page for as long as somebody wants it."""

import errno
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from schemas.errors import EnvironmentFault
from tricast.web.access import Access
from tricast.web.app import create_app
from tricast.web.watched import Watched

_SHUTDOWN_S: Final = 1.0


@asynccontextmanager
async def serving(
    watched: Watched,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> AsyncIterator[str]:
    """Serve the status page while the context lasts; yield its URL.

    Args:
        port: 0 takes any that is free.
        token: What visitors have to show; needed when ``host`` is not loopback.
        now_ms: The clock that made the pictures.

    Raises:
        ConfigurationError: Bound elsewhere without a token, or the token is too short.
        EnvironmentFault: The port is taken, or the address is none of this machine.
    """
    runner = web.AppRunner(
        create_app(watched, Access(host, token), now_ms),
        access_log=None,
        shutdown_timeout=_SHUTDOWN_S,
        handle_signals=False,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            raise EnvironmentFault(
                f"the status page cannot listen on {host}:{port}: {error.strerror}",
                action="choose another port" if taken else "choose an address of this machine",
            ) from error
        bound = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}/"
    finally:
        await runner.cleanup()
