"""`python -m benchmarks.page`: how long people wait for the status page, in a real Chromium on this machine.

First paint of the largest picture that it has to bear; and, with `--gaps`, how long after the connector has a gap on
record (the time of its record in the raw topic) the page lists it: through Kafka, a worker's process and the monitor.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Browser

from tests.web import pictures
from tests.web.browser import chromium
from tests.web.over_kafka import shown_ms, stack
from tricast.kafka import Cluster
from tricast.web.serve import serving

PAINT_BOUND_MS = 1_000
GAP_BOUND_MS = 2_000
_TIMEOUT_MS = 120_000
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main() -> int:
    """Return 0 when the worst of each is below its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--loads", type=int, default=10, help="of the page, each in a browser profile of its own")
    parser.add_argument("--gaps", type=int, default=0, help="connections to cut, one after another")
    arguments = parser.parse_args()
    return asyncio.run(_measure(arguments.loads, arguments.gaps))


async def _measure(loads: int, gaps: int) -> int:
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} over the last minute")
    within = True
    async with chromium() as browser:
        if loads:
            within &= _told("first contentful paint", await _paints(browser, loads), PAINT_BOUND_MS)
        if gaps:
            within &= _told("gap on the page", await _gaps(browser, gaps), GAP_BOUND_MS)
    return 0 if within else 1


async def _paints(browser: Browser, loads: int) -> list[float]:
    large = pictures.large()
    found = []
    async with serving(pictures.Stage(large), now_ms=lambda: large.at_ms) as url:
        for _ in range(loads):
            async with await browser.new_context() as context:  # nothing of the load before is cached
                page = await context.new_page()
                page.set_default_timeout(_TIMEOUT_MS)
                await page.goto(url)
                await page.wait_for_function(f"() => {_PAINT.replace('.startTime', '')} !== undefined")
                found.append(float(await page.evaluate(_PAINT)))
    return found


async def _gaps(browser: Browser, gaps: int) -> list[float]:
    found: list[float] = []
    titles: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder, Cluster(ephemeral=True, brokers=1) as broker:
        async with stack(broker.bootstrap_servers, "page.", Path(folder)) as running:
            page = await browser.new_page()
            page.set_default_timeout(_TIMEOUT_MS)
            await page.goto(running.url)
            for _ in range(gaps):
                title, recorded_ms = await running.cut()
                titles[title] = titles.get(title, 0) + 1
                found.append(await shown_ms(page, title, titles[title]) - recorded_ms)
            await page.close()
    return found


def _told(what: str, found_ms: Sequence[float], bound_ms: float) -> bool:
    worst = max(found_ms)
    median = statistics.median(found_ms)
    print(f"{what}: {len(found_ms)} times, median {median:.0f} ms, worst {worst:.0f} ms, bound {bound_ms:.0f} ms")
    return worst < bound_ms


if __name__ == "__main__":
    raise SystemExit(main())
