"""A real Chromium: the system's (Debian: ``apt install chromium``), or the one that playwright has fetched."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Error, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start it; a machine without it skips the test, but in CI nothing may be lacking."""
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    async with async_playwright() as playwright:
        try:
            # Containers run as root, where Chromium has no sandbox; the only pages it sees are ours.
            browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        except Error as error:
            if os.environ.get("CI"):
                pytest.fail(f"no Chromium can be started (CI has to have it): {error}")
            pytest.skip("no Chromium can be started (Debian: apt install chromium): the page is not looked at")
        try:
            yield browser
        finally:
            await browser.close()
