"""The page as a person has it, over a real Kafka that goes away and comes back."""

import asyncio
import signal

import pytest
from playwright.async_api import expect

from tests.web.browser import chromium
from tests.web.over_kafka import process, shown_ms, stack
from tests.web.test_browser import tab

pytestmark = [pytest.mark.cluster, pytest.mark.browser, pytest.mark.timeout(300)]

STALE = "getComputedStyle(document.querySelector('#topics h2'), '::after').content"


async def test_a_gap_and_an_outage_are_seen_and_over(broker, topic_prefix, tmp_path):
    async with (
        chromium() as browser,
        stack(broker.bootstrap_servers, topic_prefix, tmp_path) as running,
        tab(browser) as page,
        process(running.environment, tmp_path, "monitor") as monitor,
    ):
        await page.goto(running.url)
        await expect(page.locator("#lines .card").first).to_contain_text("live")
        title, _ = await running.cut()
        await shown_ms(page, title, 1)

        await monitor.says("/readyz", 200)
        await monitor.says("/metrics", 200, "tricast_kafka_reachable 1.0", "tricast_topic_end_offset{")
        raw = page.locator("#topics tr", has_text="kambi.raw").first
        await asyncio.to_thread(broker.stop_broker, broker.brokers[0])
        await expect(page.locator("#verdict")).to_contain_text("Kafka does not answer")
        await expect(page.locator("h1")).to_contain_text("Down")
        await monitor.says("/metrics", 200, 'tricast_state{state="down"} 1.0', 'tricast_reasons{code="kafka-down"} 1.0')
        # An outage is what it is there to tell.
        await monitor.says("/readyz", 200)
        await monitor.says("/livez", 200)
        # A restart would not bring Kafka back.
        await running.worker.says("/readyz", 503, "kafka-away")
        await running.worker.says("/livez", 200)
        assert await page.evaluate(STALE) == '"stale"'
        kept = await raw.text_content()
        assert kept
        await expect(raw).to_have_text(kept)
        await asyncio.to_thread(broker.start_broker, broker.brokers[0])
        await expect(page.locator("#verdict")).to_have_attribute("data-kafka", "here")
        assert await page.evaluate(STALE) == "none"
        await expect(raw).not_to_have_text(kept)
        await running.worker.says("/readyz", 200)

        await monitor.says("/metrics", 200, "tricast_kafka_reachable 1.0", 'tricast_reasons{code="kafka-down"} 0.0')
        monitor.process.send_signal(signal.SIGTERM)
        assert await monitor.process.wait() == 0, monitor.log.read_text()
        told = monitor.log.read_text()
        assert told.index("monitor.reason code=kafka-down") < told.index("monitor.over code=kafka-down")
        assert "Traceback" not in told
