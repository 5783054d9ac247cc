"""The REST API of the FastPath simulator over real sockets: lists in each shape, limits, errors, failures."""

import asyncio
import json

import aiohttp
import pytest

from simulators.fastpath.http import REST_FAILURES, Allowance
from simulators.fastpath.server import FastpathSimulator
from tests.simulators.fastpath_client import BEARER, ask, channel_at, lively, started
from tests.simulators.fastpath_stage import ACCEPT


async def paused(simulator):
    await ask(simulator, "/simulator/pause", json={})


async def test_the_list_is_a_bare_array_of_fixtures_whose_ids_are_in_the_paths(tmp_path):
    async with FastpathSimulator(lively(tmp_path)) as simulator:
        await paused(simulator)
        status, fixtures = await ask(simulator, "/soccer/fixtures?live=true")
        path = started(simulator, "soccer")
    assert status == 200
    (fixture,) = fixtures
    assert path == f"soccer/fixtures/{fixture['id']}/actions"
    assert (fixture["status"], fixture["collectionStatus"], fixture["type"]) == ("Live", "CollectingLive", "Official")
    assert not fixture["startDateUTC"].endswith("Z")


@pytest.mark.parametrize(
    ("query", "statuses"),
    [
        ("", {"Live", "Scheduled"}),
        ("live=true", {"Live"}),
        ("live=false", {"Scheduled"}),
        ("status=scheduled", {"Scheduled"}),
        ("status=Live&unheard=of", {"Live"}),
        ("status=postponed", set()),
        ("type=simulation", set()),
        ("dateFrom=2020-01-01&dateTo=2020-12-31", set()),
        ("dateFrom=2020-01-01", {"Live", "Scheduled"}),
    ],
)
async def test_lists_are_filtered(tmp_path, query, statuses):
    async with FastpathSimulator(lively(tmp_path, fixtures={"soccer": 2})) as simulator:
        await paused(simulator)
        _, fixtures = await ask(simulator, f"/soccer/fixtures?{query}")
    assert {fixture["status"] for fixture in fixtures} == statuses


async def pages(simulator, path, following):
    found = []
    async with asyncio.timeout(10):
        while path is not None:
            _, page = await ask(simulator, path)
            found.append(page)
            path = following(page)
    return found


async def test_a_list_in_pages_is_the_whole_list(tmp_path):
    async with FastpathSimulator(lively(tmp_path, fixtures={"soccer": 6})) as simulator:
        await paused(simulator)
        _, whole = await ask(simulator, "/soccer/fixtures?sort=id,asc")
        base = "/soccer/fixtures?sort=id,asc&paged=true&size=3"
        found = await pages(simulator, base, lambda page: None if page["last"] else f"{base}&page={page['number'] + 1}")
        _, back = await ask(simulator, "/soccer/fixtures?sort=id,desc")
    assert [len(page["content"]) for page in found] == [3, 3, 1]
    assert [fixture for page in found for fixture in page["content"]] == whole == back[::-1]
    assert {(page["totalElements"], page["totalPages"]) for page in found} == {(7, 3)}
    assert found[1]["pageable"] == {"pageNumber": 1, "pageSize": 3, "offset": 3, "paged": True}


async def test_a_list_may_always_be_a_page_or_a_named_array_with_a_cursor(tmp_path):
    async with FastpathSimulator(lively(tmp_path, rest_list="content")) as simulator:
        _, page = await ask(simulator, "/soccer/fixtures")
        assert (len(page["content"]), page["last"]) == (2, True)
    async with FastpathSimulator(lively(tmp_path, fixtures={"soccer": 3}, rest_list="cursor")) as simulator:
        base = "/soccer/fixtures?size=3"
        found = await pages(simulator, base, lambda page: page["cursor"] and f"{base}&cursor={page['cursor']}")
    assert [len(page["fixtures"]) for page in found] == [3, 1]


async def test_a_list_that_fills_its_last_page_has_no_empty_one(tmp_path):
    async with FastpathSimulator(lively(tmp_path, fixtures={"soccer": 3})) as simulator:
        await paused(simulator)
        _, page = await ask(simulator, "/soccer/fixtures?paged=true&size=2&page=1")
    assert (len(page["content"]), page["last"], page["totalPages"]) == (2, True, 2)


async def test_one_fixture_and_those_there_are_not(tmp_path):
    async with FastpathSimulator(lively(tmp_path)) as simulator:
        await paused(simulator)
        _, (fixture,) = await ask(simulator, "/soccer/fixtures?live=true")
        assert await ask(simulator, f"/soccer/fixtures/{fixture['id']}") == (200, fixture)
        for path in (f"/tennis/fixtures/{fixture['id']}", "/soccer/fixtures/none", "/curling/fixtures", "/soccer", "/"):
            assert (await ask(simulator, path))[0] == 404


async def test_live_events_tell_which_sockets_to_open(tmp_path):
    async with FastpathSimulator(lively(tmp_path)) as simulator:
        await paused(simulator)
        _, (tennis,) = await ask(simulator, "/tournaments/liveevents")
        _, (golf,) = await ask(simulator, "/golf/tournaments/liveevents")
        assert started(simulator, "tennis") == f"tennis/events/{tennis['eventId']}/stream"
        team = f"golf/tournaments/{golf['tournamentId']}/round/{golf['roundNo']}/team/{golf['teamNo']}"
        assert started(simulator, "golf") == team


async def test_actions_are_there_after_the_match_only(tmp_path):
    settings = lively(tmp_path, fixtures={"soccer": 1}, match_duration_s=1)
    async with asyncio.timeout(20), FastpathSimulator(settings) as simulator:
        path = started(simulator, "soccer")
        channel = channel_at(simulator, path)
        status, error = await ask(simulator, f"/{path}")
        assert (status, list(error)) == (404, ["errorMessage"])
        while (await ask(simulator, f"/{path}"))[0] != 200:
            pass
        _, actions = await ask(simulator, f"/{path}")
        await paused(simulator)
        numbers = [packet.number for packet in channel.events]
    assert [action["fixtureSeqNum"] for action in actions] == numbers[: len(actions)]
    assert len(actions) > 10


@pytest.mark.parametrize("sent", [None, "Bearer wrong", "simulated", "Bearer simulated ", "Bearer sïmulated"])
@pytest.mark.parametrize(
    ("shape", "error"),
    [
        ("message", {"errorMessage": "Supplied token could not be authenticated"}),
        ("status", {"error": "Supplied token could not be authenticated", "status": 401}),
    ],
)
async def test_a_wrong_token_is_refused_in_both_shapes(tmp_path, sent, shape, error):
    headers = ACCEPT | ({} if sent is None else {"Authorization": sent})
    async with FastpathSimulator(lively(tmp_path, rest_error=shape)) as simulator:
        if sent == "Bearer simulated ":
            assert (await ask(simulator, "/soccer/fixtures", headers=headers))[0] == 200  # white space is trimmed
        else:
            assert await ask(simulator, "/soccer/fixtures", headers=headers) == (401, error)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Authorization: Bearer simulated", b"400"),
        (b"Accept: */*\r\nAuthorization: Bearer \xff\xfe", b"401"),
        (b"Accept: */*\r\nAuthorization: Bearer simulated", b"200"),
    ],
)
async def test_headers_are_looked_at_as_bytes_came(tmp_path, headers, status):
    async with FastpathSimulator(lively(tmp_path)) as simulator:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(simulator.urls.api_url.rpartition(":")[2]))
        writer.write(b"GET /soccer/fixtures HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n")
        assert (await reader.readline()).split()[1] == status
        writer.close()


async def test_more_requests_than_allowed_are_answered_with_429(tmp_path):
    async with FastpathSimulator(lively(tmp_path, rest_per_s=0.1)) as simulator:
        assert (await ask(simulator, "/soccer/fixtures"))[0] == 200
        url = f"{simulator.urls.api_url}/soccer/fixtures"
        async with aiohttp.ClientSession(headers=BEARER) as session, session.get(url) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        assert (await ask(simulator, "/simulator/state"))[0] == 200  # checkers are not counted


def test_five_a_second_are_allowed_and_five_at_once():
    allowance = Allowance(5)
    assert [allowance.take(100.0) for _ in range(6)] == [True] * 5 + [False]
    assert [allowance.take(100.0 + n * 0.1) for n in range(1, 5)] == [False, True, False, True]
    assert [allowance.take(200.0) for _ in range(6)] == [True] * 5 + [False]


async def test_answers_fail_by_turns(tmp_path):
    async with (
        FastpathSimulator(lively(tmp_path, faults={"rest_fail_every": 2, "rest_slow_s": 0.01})) as simulator,
        aiohttp.ClientSession(headers=BEARER) as session,
    ):
        await paused(simulator)
        seen = {}
        for failure in REST_FAILURES:
            assert (await ask(simulator, "/soccer/fixtures"))[0] == 200
            async with session.get(f"{simulator.urls.api_url}/soccer/fixtures") as answer:
                try:
                    seen[failure] = (answer.status, _json(await answer.read()))
                except aiohttp.ClientPayloadError:
                    seen[failure] = (answer.status, "cut")
    error = {"errorMessage": "Something went wrong"}
    whole = seen.pop("slow")
    assert (whole[0], len(whole[1])) == (200, 2)
    assert seen == {
        "500": (500, error),
        "503": (503, error),
        "429": (429, {"errorMessage": "Too many requests"}),
        "html": (200, "none"),
        "half": (200, "none"),
        "cut": (200, "cut"),
        "error-body": (200, error),
        "other-shape": (200, {"status": "UP"}),
        "empty": (200, "none"),
    }


def _json(body: bytes):
    try:
        return json.loads(body)
    except ValueError:
        return "none"
