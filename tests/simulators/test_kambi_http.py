"""The Offering HTTP API of the simulator over real sockets, and its failures."""

import asyncio
import json

import aiohttp
import pytest

from simulators.kambi.http import HTTP_FAILURES
from simulators.kambi.server import KambiSimulator
from tests.simulators.kambi_client import ask, live_event_ids, lively

ROOT = "/offering/v2018/kambi"


@pytest.mark.parametrize("suffix", ["", ".json"])
async def test_bet_offers_of_events_are_those_of_the_state(tmp_path, suffix):
    async with KambiSimulator(lively(tmp_path, changes_per_second=0)) as simulator:
        await ask(simulator, "/simulator/pause", json={})
        ids = await live_event_ids(simulator)
        status, body = await ask(simulator, f"{ROOT}/betoffer/event/{ids[0]},1,{ids[1]}{suffix}?lang=en_GB")
        _, state = await ask(simulator, "/simulator/state")
    assert status == 200
    assert [event["id"] for event in body["events"]] == ids[:2]
    shown = {
        offer["id"]: {str(outcome["id"]): outcome.get("odds") for outcome in offer["outcomes"]}
        for offer in body["betOffers"]
    }
    assert shown == {
        int(offer_id): {outcome_id: outcome["odds"] for outcome_id, outcome in offer["outcomes"].items()}
        for event in ids[:2]
        for offer_id, offer in state[str(event)]["offers"].items()
        if offer["visible"]
    }
    assert body["range"] == {"start": 0, "size": len(shown), "total": len(shown)}


async def test_ranges_and_the_main_offer(tmp_path):
    async with KambiSimulator(lively(tmp_path, changes_per_second=0)) as simulator:
        await ask(simulator, "/simulator/pause", json={})
        event = (await live_event_ids(simulator))[0]
        path = f"{ROOT}/betoffer/event/{event}"
        whole = (await ask(simulator, path))[1]["betOffers"]
        _, part = await ask(simulator, f"{path}?range_start=1&range_size=2")
        _, main = await ask(simulator, f"{path}?onlyMain=true")
        assert (await ask(simulator, f"{path}?range_size=few"))[0] == 400
    assert part["betOffers"] == whole[1:3]
    assert part["range"] == {"start": 1, "size": 2, "total": len(whole)}
    assert [offer["id"] for offer in main["betOffers"]] == [offer["id"] for offer in whole if "MAIN" in offer["tags"]]


async def test_live_data_in_both_forms(tmp_path):
    async with KambiSimulator(lively(tmp_path, changes_per_second=0)) as simulator:
        await ask(simulator, "/simulator/pause", json={})
        ids = await live_event_ids(simulator)
        _, both = await ask(simulator, f"{ROOT}/event/livedata/{ids[0]},{ids[1]}.json")
        _, one = await ask(simulator, f"{ROOT}/event/{ids[0]}/livedata.json")
    assert [item["eventId"] for item in both] == ids[:2]
    assert one == {"liveData": both[0]}


async def test_the_list_view_knows_its_terms(tmp_path):
    async with KambiSimulator(lively(tmp_path)) as simulator:
        ids = await live_event_ids(simulator)
        _, live = await ask(simulator, f"{ROOT}/listView/all/all/all/all/in-play.json")
        _, football = await ask(simulator, f"{ROOT}/listView/football/all/all/all/matches.json?lang=en_GB")
        _, short = await ask(simulator, f"{ROOT}/listView/football")
        unknown = await ask(simulator, f"{ROOT}/listView/curling/all/all/all/matches.json")
    assert {item["event"]["id"] for item in live["events"]} == set(ids)
    assert {item["event"]["sport"] for item in football["events"]} == {"FOOTBALL"}
    assert {item["event"]["id"] for item in short["events"]} == {item["event"]["id"] for item in football["events"]}
    assert unknown == (406, {"error": {"status": 406, "message": "No term matches"}})


async def test_the_odds_ladder_and_push_examples(tmp_path):
    async with KambiSimulator(lively(tmp_path)) as simulator:
        _, ladder = await ask(simulator, f"{ROOT}/oddsLadder.json")
        query = "lang=en_GB&mockData=true"
        _, added = await ask(simulator, f"{ROOT}/push-examples/BetOfferAdded?{query}")
        _, sets = await ask(simulator, f"{ROOT}/push-examples/EventStatsUpdated?{query}&eventStatsType=SET-BASED")
        unknown = await ask(simulator, f"{ROOT}/push-examples/Nothing?{query}")
    assert {"decimal", "fractional", "american"} <= set(ladder["oddsLadder"][0])
    assert (added["mt"], "betOffer" in added["boa"]) == (6, True)
    assert "sets" in sets["stats"]["statistics"]
    assert unknown[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"{ROOT}/betoffer/event/1,2.json", id="no such event"),
        pytest.param(f"{ROOT}/betoffer/event/x.json", id="no id"),
        pytest.param(f"{ROOT}/betoffer/event/" + "9" * 5_000, id="no number of this world"),
        pytest.param(f"{ROOT}/event/livedata/1", id="no live data"),
        pytest.param(f"{ROOT}/event/1/livedata", id="no live data, old form"),
        pytest.param(f"{ROOT}/event/live", id="no such resource"),
        pytest.param("/offering/v2018/other/event/live/open.json", id="no such offering"),
    ],
)
async def test_what_is_not_there_is_404_unless_codes_are_suppressed(tmp_path, path):
    async with KambiSimulator(lively(tmp_path)) as simulator:
        status, body = await ask(simulator, path)
        assert (status, body["error"]["status"]) == (404, 404)
        assert body["error"]["message"]
        assert await ask(simulator, f"{path}?suppress_response_codes") == (200, body)


async def test_an_unchanged_answer_is_304_and_a_changed_one_is_whole(tmp_path):
    async with KambiSimulator(lively(tmp_path)) as simulator, aiohttp.ClientSession() as session:
        await ask(simulator, "/simulator/pause", json={})
        event = (await live_event_ids(simulator))[0]
        url = f"{simulator.urls.offering_url}{ROOT}/betoffer/event/{event}.json"
        async with session.get(url) as first:
            tag = first.headers["ETag"]
        async with session.get(url, headers={"If-None-Match": tag}) as same:
            assert (same.status, await same.read(), same.headers["ETag"]) == (304, b"", tag)
        await ask(simulator, "/simulator/resume", json={})
        async with asyncio.timeout(20):
            while True:
                async with session.get(url, headers={"If-None-Match": tag}) as other:
                    if other.status == 200:
                        break
        assert other.headers["ETag"] != tag
        missing = url.replace(str(event), "1")
        async with session.get(missing, headers={"If-None-Match": "*"}) as gone:
            assert gone.status == 404


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, deflate", "gzip"), ("deflate", None), ("identity", None)])
async def test_answers_are_compressed_for_those_who_take_gzip(tmp_path, accepted, encoding):
    async with KambiSimulator(lively(tmp_path)) as simulator, aiohttp.ClientSession(auto_decompress=False) as session:
        url = f"{simulator.urls.offering_url}{ROOT}/event/live/open.json"
        async with session.get(url, headers={"Accept-Encoding": accepted}) as answer:
            assert answer.headers.get("Content-Encoding") == encoding
            assert (await answer.read()).startswith(b"\x1f\x8b" if encoding else b'{"liveEvents"')


async def test_every_nth_answer_fails_by_turns(tmp_path):
    faults = {"http_fail_every": 2, "http_slow_ms": 1}
    seen = []
    async with KambiSimulator(lively(tmp_path, faults=faults)) as simulator, aiohttp.ClientSession() as session:
        url = f"{simulator.urls.offering_url}{ROOT}/event/live/open.json"
        for _ in range(len(HTTP_FAILURES) + 1):
            async with session.get(url) as good:
                assert (await good.json())["liveEvents"]
            async with session.get(url) as bad:
                seen.append(await _failure(bad))
    assert tuple(seen) == (*HTTP_FAILURES, HTTP_FAILURES[0])


async def _failure(answer: aiohttp.ClientResponse) -> str:
    try:
        body = await answer.read()
    except aiohttp.ClientPayloadError:
        return "cut"
    if answer.status == 429:
        assert int(answer.headers["Retry-After"]) > 0
    if answer.status != 200:
        assert json.loads(body)["error"]["status"] == answer.status
        return str(answer.status)
    if answer.content_type == "text/html":
        return "html"
    try:
        said = json.loads(body)
    except ValueError:
        return "half"
    if "error" in said:
        return "error-body"
    return "large" if len(body) > 5_000_000 else "slow"


async def test_a_delayed_answer_says_what_was_so_when_it_was_asked(tmp_path):
    async with KambiSimulator(lively(tmp_path, faults={"http_delay_ms": 700})) as simulator:
        asked = asyncio.create_task(ask(simulator, f"{ROOT}/betoffer/event/1.json"))
        begun = asyncio.get_running_loop().time()
        await asked
        assert asyncio.get_running_loop().time() - begun >= 0.7


async def test_stale_answers_are_of_an_older_state_and_say_how_old(tmp_path):
    settings = lively(tmp_path, faults={"http_stale_ms": 1_000})
    async with KambiSimulator(settings) as simulator, aiohttp.ClientSession() as session:
        url = f"{simulator.urls.offering_url}{ROOT}/betoffer/event/"
        event = None
        async with asyncio.timeout(20):
            while True:
                event = event or (await live_event_ids(simulator))[0]
                async with session.get(f"{url}{event}") as answer:
                    shown = await answer.json()
                if answer.headers.get("Age") == "1":
                    break
        _, state = await ask(simulator, "/simulator/state")
        assert 0 <= int(answer.headers["Age"]) <= 2
        told = {o["id"]: o.get("odds") for offer in shown["betOffers"] for o in offer["outcomes"]}
        now = {
            int(id_): outcome["odds"]
            for offer in state[str(event)]["offers"].values()
            for id_, outcome in offer["outcomes"].items()
        }
        assert told != now
        async with session.get(f"{url}{event}") as again:
            assert (await again.json()) == shown or again.headers["Age"] != answer.headers["Age"]
        await ask(simulator, "/simulator/faults", json={})
        async with session.get(f"{url}{event}") as fresh:
            assert "Age" not in fresh.headers
