"""The page as a person has it: in a real Chromium."""

from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import pytest_asyncio
from msgspec.structs import replace
from playwright.async_api import expect

from tests.web import pictures
from tests.web.browser import chromium
from tricast.web import serve

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

TOKEN = "a-token-that-is-long-enough"
LETTER = ("tricast.kambi.dead-letters", 0, 901)
PHONE = {"width": 390, "height": 844}
_PATIENCE_MS = 120_000
"""How long a busy machine may take; nothing here measures time."""
expect.set_options(timeout=_PATIENCE_MS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with chromium() as started:
        yield started


@asynccontextmanager
async def tab(browser, *, allowed=(), **options):
    """Open a tab; whatever its console complains of fails the test, but for what is ``allowed``."""
    complaints = []
    async with await browser.new_context(**options) as context:
        page = await context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        assert [said for said in complaints if not any(word in said for word in allowed)] == []


def serving(stage, *, now_ms=None, port=0, token=None):
    """Serve by a clock that stands still between pictures: a busy machine makes none of them old."""
    return serve.serving(stage, port=port, token=token, now_ms=now_ms or (lambda: stage.picture.at_ms))


def stage_of(picture):
    return pictures.Stage(picture, {LETTER: pictures.record()})


LARGE = pictures.large()
LARGE = replace(LARGE, topics=(*LARGE.topics, pictures.topic("kambi.dead-letters", "dead-letters", LARGE.at_ms)))


@pytest.mark.parametrize(
    ("picture", "path"),
    [
        pytest.param(LARGE, "/", id="all"),
        pytest.param(pictures.degraded(), "/", id="degraded"),
        pytest.param(pictures.away(pictures.degraded(), for_s=42), "/", id="outage"),
        pytest.param(LARGE, "/topic/tricast.kambi.t00", id="topic"),
        pytest.param(LARGE, "/record/tricast.kambi.dead-letters/0/901", id="record"),
        pytest.param(LARGE, "/runbook", id="runbook"),
    ],
)
async def test_pages_draw_without_complaint_and_fit_every_screen(browser, picture, path):
    async with serving(stage_of(picture)) as url, tab(browser, viewport=PHONE) as page:
        await page.goto(url.rstrip("/") + path)
        await expect(page.locator("main")).to_be_visible()
        await expect(page.locator("#theme")).to_be_visible()
        for width in (1101, 1024, 820, PHONE["width"], 360):
            await page.set_viewport_size(PHONE | {"width": width})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_a_gap_appears_by_itself(browser):
    stage = stage_of(pictures.healthy())
    async with serving(stage) as url, tab(browser) as page:
        await page.goto(url)
        await expect(page.locator("h1")).to_have_text("Healthy")
        await stage.show(pictures.degraded())
        await expect(page.locator("#recent tbody tr").first).to_contain_text("118 to 121 of football/1042 never came")
        await expect(page.locator("h1")).to_contain_text("line kambi-2-general is down")
        await expect(page).to_have_title("degraded \u2013 tricast")


async def test_what_a_person_does_survives_an_update(browser):
    before = pictures.degraded()
    stage = stage_of(before)
    async with serving(stage) as url, tab(browser) as page:
        await page.goto(url)
        await page.locator("#recent summary").click()
        await page.locator("#filter").fill("kambi raw")
        await page.locator("#recent tr", has_text="late by 7 packets").locator("a").focus()

        gap = replace(before.recent[0], offset=990, title="200 to 201 never came")
        topics = (pictures.topic("kambi.raw2", "raw", before.at_ms), *before.topics)
        without = tuple(one for one in before.recent if one.title != "late by 5 packets")
        await stage.show(replace(before, recent=(gap, *without), topics=topics))

        await expect(page.locator("#recent tbody tr").first).to_contain_text("200 to 201 never came")
        assert await page.evaluate("document.activeElement.closest('tr').textContent.includes('late by 7 packets')")
        assert await page.locator("#recent details").get_attribute("open") is not None
        await expect(page.locator("#topics tbody tr:visible th")).to_have_text(["kambi.raw 37 held back", "kambi.raw2"])


async def test_without_kafka_the_numbers_stay_and_say_that_they_are_old(browser):
    picture = pictures.healthy()
    stage = stage_of(picture)
    async with serving(stage) as url, tab(browser) as page:
        await page.goto(url)
        rate = page.locator("#topics tr", has_text="kambi.offers").locator("td.number").first
        before = await rate.text_content()
        await stage.show(pictures.away(picture, for_s=65))
        await expect(page.locator("#verdict")).to_contain_text("Kafka does not answer")
        await expect(page.locator("#verdict")).to_contain_text("stand still")
        marked = "getComputedStyle(document.querySelector('#topics h2'), '::after').content"
        assert await page.evaluate(marked) == '"stale"'
        await expect(rate).to_have_text(before)
        await stage.show(pictures.healthy(picture.at_ms + 70_000))
        await expect(page.locator("h1")).to_have_text("Healthy")
        assert await page.evaluate(marked) == "none"


async def test_it_says_that_its_own_connection_is_lost_and_comes_back_by_itself(browser):
    stage = stage_of(pictures.healthy())
    async with tab(browser, allowed=("ERR_", "Failed to load")) as page:
        await page.clock.install(time=pictures.AT_MS / 1000)
        async with serving(stage) as url:
            port = int(url.rstrip("/").rpartition(":")[2])
            await page.goto(url)
            await expect(page.locator("h1")).to_have_text("Healthy")
            await expect(page.locator("#lost")).to_be_hidden()
        await page.clock.run_for(7_000)
        await expect(page.locator("#lost")).to_contain_text("connection to tricast is lost")
        await expect(page.locator("#looked")).to_contain_text("old")
        stage.picture = pictures.degraded()
        async with serving(stage, port=port):
            await page.clock.run_for(2_000)
            await expect(page.locator("h1")).to_contain_text("Degraded")
            await expect(page.locator("#lost")).to_be_hidden()


async def test_a_monitor_that_is_silent_is_not_taken_for_a_calm_one(browser):
    later = pictures.AT_MS + 20_000
    async with serving(stage_of(pictures.healthy()), now_ms=lambda: later) as url, tab(browser) as page:
        await page.goto(url)
        await expect(page.locator("#lost")).to_contain_text("monitor is silent")


async def test_light_and_dark_are_the_systems_until_somebody_says_otherwise(browser):
    ground = "getComputedStyle(document.body).backgroundColor"
    async with serving(stage_of(pictures.healthy())) as url, tab(browser, color_scheme="dark") as page:
        await page.goto(url)
        dark = await page.evaluate(ground)
        await page.locator("#theme").focus()
        await page.keyboard.press("Enter")
        light = await page.evaluate(ground)
        assert light != dark
        await page.reload()
        assert await page.evaluate(ground) == light


async def test_everything_is_reached_by_keyboard_and_seen_to_be(browser):
    async with serving(stage_of(pictures.degraded())) as url, tab(browser) as page:
        await page.goto(url)
        reached = []
        for _ in range(80):
            await page.keyboard.press("Tab")
            reached.append(
                await page.evaluate(
                    "[document.activeElement.closest('section')?.id, document.activeElement.tagName,"
                    " getComputedStyle(document.activeElement).outlineStyle]"
                )
            )
        assert [reached[0][1], reached[1][1]] == ["A", "A"]  # skip, then the name
        assert {section for section, _, _ in reached} >= {"recent", "pipeline", "lines", "topics", "groups"}
        assert {outline for _, tag, outline in reached if tag != "BODY"} == {"solid"}


async def test_a_screen_reader_finds_its_way(browser):
    async with serving(stage_of(pictures.degraded())) as url, tab(browser) as page:
        await page.goto(url)
        for landmark in ("banner", "navigation", "main"):
            await expect(page.get_by_role(landmark)).to_have_count(1)
        assert await page.get_by_role("region").count() >= 7
        bare = await page.evaluate(
            "[...document.querySelectorAll('table')].filter(t => !t.ariaLabel && !t.getAttribute('aria-labelledby')"
            " || [...t.querySelectorAll('th')].some(h => !h.scope)).length"
        )
        assert bare == 0
        levels = await page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


async def test_signing_in(browser):
    async with serving(stage_of(pictures.degraded()), token=TOKEN) as url, tab(browser, allowed=("403",)) as page:
        await page.goto(f"{url}topic/tricast.kambi.raw")
        await page.keyboard.type("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("That is not the token.")
        await page.keyboard.type(TOKEN)
        await page.keyboard.press("Enter")
        await expect(page.locator("#topic-title")).to_contain_text("tricast.kambi.raw")
