"""Discovery against a REST API of the tests' own: what it asks, how it bears faults, and what it starts and stops."""

import asyncio
import logging
from contextlib import asynccontextmanager
from random import Random

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from connectors.clock import SystemClock
from connectors.fastpath.config import FastpathSettings
from connectors.fastpath.discovery import Discovery
from connectors.fastpath.rest import FastpathRest
from connectors.runner import ConnectionBudget
from simulators.fastpath.config import FastpathFaultSettings, FastpathSimulatorSettings
from simulators.fastpath.server import FastpathSimulator
from tests.connectors.followed import NotedFeeds
from tests.connectors.rest_api import TOKEN, RestApi, fixture, rest_api

SOCCER = "soccer/fixtures"
TENNIS = "tournaments/liveevents"
INTERVAL_S = 0.05


def feed(identity, kind="actions"):
    return f"soccer/fixtures/{identity}/{kind}"


def asking():
    """Return the tasks that ask for something."""
    names = ("fastpath list ", "fastpath fixtures")
    return [task for task in asyncio.all_tasks() if task.get_name().startswith(names)]


class Running:
    def __init__(self, discovery, feeds):
        self.discovery = discovery
        self.feeds = feeds

    @property
    def counts(self):
        return self.discovery.counts

    async def runs(self, *paths):
        await self.feeds.until(lambda: set(self.feeds.feeds) == set(paths))


@asynccontextmanager
async def discovering(api, **settings):
    values = {
        "api_url": api.url,
        "token": TOKEN,
        "sports": ("soccer",),
        "kinds": ("actions",),
        "discovery_interval_s": INTERVAL_S,
        "requests_per_second": 100,
        "finished_grace_s": 0.0,
    }
    configured = FastpathSettings(**{**values, **settings})
    stop, clock, feeds = asyncio.Event(), SystemClock(), NotedFeeds()
    async with aiohttp.ClientSession() as session:
        rest = FastpathRest(
            session,
            base_url=configured.api_url,
            token=configured.token.get_secret_value(),
            budget=ConnectionBudget(configured.requests_per_second, window_s=1.0, clock=clock),
            requests_per_second=configured.requests_per_second,
            timeout_s=5.0,
            clock=clock,
        )
        discovery = Discovery(configured, rest=rest, following=feeds, stop=stop, clock=clock, random=Random(1))
        task = asyncio.create_task(discovery.run())
        try:
            yield Running(discovery, feeds)
        finally:
            stop.set()
            async with asyncio.timeout(5):
                await task


async def test_live_fixtures_are_followed_until_they_are_over():
    async with rest_api() as api:
        api.lists[SOCCER] = [fixture("a"), fixture("b"), fixture("c", "Scheduled")]
        async with discovering(api, kinds=("actions", "statistics")) as running:
            both = [feed("a"), feed("a", "statistics"), feed("b"), feed("b", "statistics")]
            await running.runs(*both)
            api.lists[SOCCER] = [fixture("a", "Completed"), fixture("b"), fixture("c")]
            await running.runs(*both[2:], feed("c"), feed("c", "statistics"))
            api.lists[SOCCER] = [fixture("c")]
            await running.runs(feed("c"), feed("c", "statistics"))


async def test_fixtures_of_every_sport_are_followed():
    async with rest_api() as api:
        api.lists = {SOCCER: {"content": [fixture("a")], "last": True}, TENNIS: [{"eventId": "2026-0415-MS009"}]}
        async with discovering(api, sports=("soccer", "tennis")) as running:
            await running.runs(feed("a"), "tennis/events/2026-0415-MS009/stream")


async def test_an_empty_list_ends_nothing_but_the_fixtures_own_word_does():
    async with rest_api() as api:
        api.lists[SOCCER] = [fixture("a"), fixture("b")]
        api.fixtures = {f"{SOCCER}/a": fixture("a"), f"{SOCCER}/b": fixture("b")}
        async with discovering(api) as running:
            await running.runs(feed("a"), feed("b"))
            api.lists[SOCCER] = []
            await api.has_been_asked_again(SOCCER, 4)
            await api.has_been_asked_again(f"{SOCCER}/a", 2)
            assert running.feeds.stopped == []
            api.fixtures[f"{SOCCER}/a"] = fixture("a", "Completed")
            await running.runs(feed("b"))
            del api.fixtures[f"{SOCCER}/b"]
            await running.runs()


FAULTS = {
    "500": lambda: web.Response(status=500),
    "html": lambda: web.Response(text="<html>Sorry</html>", content_type="text/html"),
    "not a list": lambda: web.json_response({"message": "hello"}),
    "error in 200": lambda: web.json_response({"error": "overload", "status": 503}),
    "302": lambda: web.Response(status=302, headers={"Location": "/elsewhere"}),
    "404": lambda: web.json_response({"error": "gone", "status": 404}, status=404),
    "nothing": lambda: web.Response(text=""),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_a_list_answers_instead_nothing_is_ended_and_it_is_asked_again(fault):
    async with rest_api() as api:
        api.lists[SOCCER] = [fixture("a")]
        api.fixtures[f"{SOCCER}/a"] = fixture("a")
        async with discovering(api) as running:
            await running.runs(feed("a"))

            async def broken(request):
                return FAULTS[fault]() if request.path == f"/{SOCCER}" else None

            api.fault = broken
            await api.has_been_asked_again(SOCCER, 4)
            assert running.feeds.stopped == []
            assert sum(running.counts.failed.values()) >= 3
            api.fault, api.lists[SOCCER] = None, [fixture("a"), fixture("b")]
            await running.runs(feed("a"), feed("b"))


@pytest.mark.parametrize("status", [401, 400, 200])
async def test_a_wrong_token_ends_the_asking_with_an_alarm_and_nothing_else(status, caplog):
    async with rest_api() as api:
        api.lists = {SOCCER: [fixture("a")], "basketball/fixtures": []}
        chosen = "tennis/events/x/stream"
        async with discovering(api, sports=("soccer", "basketball"), feeds=(chosen,)) as running:
            await running.runs(feed("a"), chosen)

            async def refuse(request):
                return web.json_response({"errorMessage": "Supplied token could not be authenticated"}, status=status)

            api.fault = refuse
            with caplog.at_level(logging.ERROR):
                await asyncio.wait(asking())  # every one that asks has ended
            assert set(running.feeds.feeds) == {feed("a"), chosen}
    told = [record.getMessage() for record in caplog.records if "unauthorised" in record.getMessage()]
    assert told
    assert "TRICAST_FASTPATH__TOKEN" in told[0]
    assert TOKEN not in caplog.text


async def test_a_sport_without_a_licence_is_left_out_and_the_others_go_on():
    async with rest_api() as api:
        api.lists = {SOCCER: [fixture("a")], "basketball/fixtures": []}

        async def refuse(request):
            forbidden = request.path == "/basketball/fixtures"
            return web.json_response({"error": "no licence", "status": 403}, status=403) if forbidden else None

        api.fault = refuse
        async with discovering(api, sports=("soccer", "basketball")) as running:
            await api.has_been_asked_again(SOCCER, 5)
            assert running.discovery.refused == {"basketball"}
            assert api.asked.count("basketball/fixtures") == 1
            await running.runs(feed("a"))


async def test_entries_that_cannot_be_read_are_counted_and_told_once(caplog):
    async with rest_api() as api:
        api.lists[SOCCER] = [fixture("a"), {"name": "no id"}, None]
        async with discovering(api) as running:
            await api.has_been_asked_again(SOCCER, 4)
            await running.runs(feed("a"))
            assert running.counts.unreadable >= 6
    told = [record for record in caplog.records if "discovery_incomplete" in record.getMessage()]
    assert len(told) == 1


async def test_a_feed_that_finished_is_opened_again_when_its_fixture_is_live_again():
    async with rest_api() as api:
        api.lists[SOCCER] = [fixture("a"), fixture("b")]
        async with discovering(api, finished_grace_s=3600) as running:
            await running.runs(feed("a"), feed("b"))
            running.feeds.finish(feed("a"))
            await api.has_been_asked_again(SOCCER, 3)
            assert running.feeds.started.count(feed("a")) == 1
            api.lists[SOCCER] = [fixture("a", collectionStatus="CollectionDropped"), fixture("b")]
            await api.has_been_asked_again(SOCCER, 3)
            assert running.feeds.started.count(feed("a")) == 1
            api.lists[SOCCER] = [fixture("a"), fixture("b")]
            await running.feeds.until(lambda: running.feeds.started.count(feed("a")) == 2)


async def test_without_sports_nothing_is_asked_and_chosen_feeds_are_started():
    async with rest_api() as api:
        async with discovering(api, sports=(), feeds=("tennis/events/x/stream",)) as running:
            await running.runs("tennis/events/x/stream")
            assert asking() == []
        assert api.asked == []


async def test_a_server_that_never_answers_does_not_hold_up_the_end():
    async with rest_api() as api:

        async def never(request):
            await asyncio.Event().wait()

        api.fault = never
        async with discovering(api):
            await api.has_been_asked_again(SOCCER)


async def test_an_answer_about_another_fixture_says_nothing_of_this_one():
    async with rest_api() as api:
        api.lists[SOCCER] = [fixture("a")]
        api.fixtures[f"{SOCCER}/a"] = fixture("b", "Completed")
        async with discovering(api) as running:
            await running.runs(feed("a"))
            api.lists[SOCCER] = []
            await api.has_been_asked_again(f"{SOCCER}/a", 2)
            assert running.counts.unreadable
            assert running.feeds.stopped == []


@pytest.mark.parametrize("shape", ["array", "content", "cursor"])
async def test_the_simulators_fixtures_are_followed_through_its_faults(shape):
    simulated = FastpathSimulatorSettings(
        token=SecretStr(TOKEN), rest_list=shape, faults=FastpathFaultSettings(rest_fail_every=3, rest_slow_s=0.1)
    )
    async with FastpathSimulator(simulated) as simulator:
        sports = ("soccer", "tennis", "golf", "mma")
        live = [each for each in simulator.world.fixtures if each.status == "Live" and each.sport in sports]
        expected = {each.paths["actions"] for each in live}
        api = RestApi()
        api.url = simulator.urls.api_url
        async with discovering(api, sports=sports, requests_per_second=4) as running:
            await running.feeds.until(lambda: set(running.feeds.feeds) >= expected)
        assert TOKEN not in repr(running.counts)
