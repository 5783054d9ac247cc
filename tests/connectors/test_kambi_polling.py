"""Settings of the poller, and what they come to."""

import asyncio
from random import Random

import aiohttp
import pytest
from pydantic import ValidationError

from connectors.clock import SystemClock
from connectors.kambi.config import KambiSettings
from connectors.kambi.polling import poller_of
from connectors.sink import FrameSink
from tests.connectors.offering_api import offering_api
from tests.connectors.test_recording_under_pressure import Kafka
from tests.connectors.vendor import eventually

FOOTBALL = "football/all/all/all/matches"


@pytest.mark.parametrize(
    ("given", "terms"),
    [
        (f"{FOOTBALL}, tennis/atp/all/all/competitions", (FOOTBALL, "tennis/atp/all/all/competitions")),
        ([FOOTBALL], (FOOTBALL,)),
        ("ice_hockey/nhl", ("ice_hockey/nhl",)),
        ("", ()),
    ],
)
def test_prematch_lists_are_paths(given, terms):
    assert KambiSettings(prematch=given).prematch == terms


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("prematch", "football", "pattern"),
        ("prematch", "/football/all", "pattern"),
        ("prematch", "football/all?lang=sv", "pattern"),
        ("prematch", "football/../../group", "pattern"),
        ("snapshot_interval_s", 0, "greater than 0"),
        ("ids_per_request", 0, "greater than or equal to 1"),
        ("ids_per_request", 51, "less than or equal to 50"),
        ("requests_per_minute", 0, "greater than or equal to 1"),
        ("http_timeout_s", 0, "greater than 0"),
    ],
)
def test_a_bad_setting_is_a_clear_error(setting, value, said):
    with pytest.raises(ValidationError, match=said):
        KambiSettings(**{setting: value})


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ({"prematch": FOOTBALL}, {"event/live/open.json?lang=sv_SE", f"listView/{FOOTBALL}.json?lang=sv_SE"}),
        ({"prematch": FOOTBALL, "snapshots": False}, {"event/live/open.json?lang=sv_SE"}),
    ],
    ids=["with snapshots", "without"],
)
async def test_settings_say_what_is_asked(settings, asked):
    clock, stop = SystemClock(), asyncio.Event()
    quick = {"prematch_interval_s": 0.05, "discovery_interval_s": 0.05, "requests_per_minute": 6000}
    async with offering_api() as api, aiohttp.ClientSession() as session:
        configured = KambiSettings(offering_url=api.url, language="sv_SE", shard=1, **(quick | settings))
        sink = FrameSink(Kafka(), max_bytes=10**6)
        poller = poller_of(
            configured,
            sinks={1: sink},
            session=session,
            on_live=lambda listing, asked_s: None,
            stop=stop,
            clock=clock,
            random=Random(7),
        )
        polling = asyncio.create_task(poller.run())
        await eventually(lambda: len(api.asked) > 4)
        stop.set()
        await polling
    assert set(api.asked) == asked
    assert poller.counts.skipped == 0
