"""Server-sent events: what is new on a page, as soon as it is, at most a few times a second."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Final

from tricast.web.sections import Page, changed
from tricast.web.watched import Watched

LEAST_BETWEEN_S: Final = 0.25
"""Between two events of one stream."""
HEARTBEAT_S: Final = 2.0
"""So often something is said though nothing is new: silence means that the connection is lost."""

RETRY_MS: Final = 1_000
"""So long a browser waits before it tries again."""


def event(at_ms: int, now_ms: int, sections: dict[str, str]) -> bytes:
    """Return one event.

    Args:
        at_ms: When the picture was made.
        now_ms: The server's clock, from which the browser tells ages.
        sections: What is new, by element id.
    """
    # JSON writes line ends as \n, and an event's data must hold none.
    said = json.dumps({"at_ms": at_ms, "now_ms": now_ms, "sections": sections}, separators=(",", ":"))
    return f"event: picture\ndata: {said}\n\n".encode()


async def events(watched: Watched, page_of: Callable[[], Page], now_ms: Callable[[], int]) -> AsyncIterator[bytes]:
    """Yield events without end: all of the page at first, then what has changed.

    Nobody's queue: who reads slowly gets fewer events, each with all that is new by then.

    Args:
        page_of: The page of the newest picture.
    """
    before: Page = {}
    yield b"retry: %d\n\n" % RETRY_MS
    while True:
        picture = watched.picture
        page = page_of()
        yield event(picture.at_ms if picture else 0, now_ms(), changed(before, page))
        before = page
        await asyncio.sleep(LEAST_BETWEEN_S)
        async with watched.changed:
            try:
                async with asyncio.timeout(HEARTBEAT_S - LEAST_BETWEEN_S):
                    await watched.changed.wait_for(lambda seen=picture: watched.picture is not seen)  # type: ignore[misc]
            except TimeoutError:
                pass
