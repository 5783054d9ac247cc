"""Pictures of the status page: ``python -m tests.web.screenshots`` writes docs/images/status-*.png."""

import asyncio
from pathlib import Path
from typing import Literal

from tests.web import pictures
from tests.web.browser import chromium
from tricast.monitor.picture import Picture
from tricast.web.serve import serving

FOLDER = Path(__file__).parents[2] / "docs" / "images"
WIDE, PHONE = (1280, 860), (390, 844)
LETTER = ("tricast.kambi.dead-letters", 0, 901)
_TIMEOUT_MS = 300_000

SHOTS: dict[str, tuple[Picture, str, tuple[int, int], Literal["light", "dark"]]] = {
    "healthy": (pictures.healthy(), "", WIDE, "light"),
    "degraded": (pictures.degraded(), "", WIDE, "dark"),
    "outage": (pictures.away(pictures.degraded(), for_s=42), "", WIDE, "light"),
    "phone": (pictures.degraded(), "", PHONE, "dark"),
    "topic": (pictures.degraded(), "topic/tricast.kambi.raw", WIDE, "light"),
    "record": (pictures.degraded(), "record/tricast.kambi.dead-letters/0/901", WIDE, "light"),
}


async def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    async with chromium() as browser:
        for name, (picture, path, (width, height), scheme) in SHOTS.items():
            stage = pictures.Stage(picture, {LETTER: pictures.record()})
            async with serving(stage, now_ms=lambda at_ms=picture.at_ms: at_ms) as url:
                page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                page.set_default_timeout(_TIMEOUT_MS)
                await page.goto(url + path)
                await page.screenshot(path=FOLDER / f"status-{name}.png")
                await page.close()
                print(f"{FOLDER / f'status-{name}.png'}")


if __name__ == "__main__":
    asyncio.run(main())
