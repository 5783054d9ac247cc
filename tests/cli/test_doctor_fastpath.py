"""The doctor against the FastPath simulator in each of its readings, servers of the tests' own, and nothing at all."""

import asyncio
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from connectors.fastpath.config import FastpathSettings
from schemas.fastpath.feed import feed_of
from simulators.fastpath.config import FastpathFaultSettings, FastpathSimulatorSettings
from simulators.fastpath.server import FastpathSimulator
from tricast.cli.main import cli
from tricast.doctor.fastpath import examine
from tricast.doctor.fastpath_stream import Heard, judge

TOKEN = "EXAMPLE-TOKEN"
FEED = "soccer/fixtures/11111111-2222-4333-8444-555555555555/actions"
HEARTBEAT = '{"message": "Heartbeat sent at 2026-11-20T18:00:10.412Z", "level": "INFO"}'


def simulating(**settings):
    values = {"token": TOKEN, "fixtures": {"soccer": 1, "tennis": 1}, "actions_per_second": 200, "heartbeat_s": 0.1}
    return FastpathSimulator(FastpathSimulatorSettings(**{**values, **settings}))


def settings_of(simulator, **more):
    values = {"stream_url": simulator.urls.stream_url, "api_url": simulator.urls.api_url, "token": TOKEN}
    return FastpathSettings(**{**values, "sports": ("soccer", "tennis"), "requests_per_second": 5, **more})


def live_feed(simulator):
    return next(each.paths["actions"] for each in simulator.world.fixtures if each.status == "Live")


async def answers(settings, listen_s=0.4):
    """Return verdict and answer by question; the path of a feed is left out of its own questions."""
    found = {}
    async for answer in examine(settings, listen_s=listen_s):
        path, _, what = answer.question.partition(": ")
        found[f"{path.split('/')[0]} {path.split('/')[-1]}: {what}" if "/" in path else answer.question] = answer
        assert TOKEN not in f"{answer}"
    return found


async def ready(simulator, packets=10):
    """Wait until every live fixture has so many packets to replay."""
    live = {fixture.paths["actions"] for fixture in simulator.world.fixtures if fixture.status == "Live"}
    while any(len(each.events) < packets for each in simulator.world.channels if each.feed.path in live):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def test_a_sound_service_passes_every_question():
    async with simulating() as simulator:
        await ready(simulator)
        found = await answers(settings_of(simulator))
    assert {answer.verdict for answer in found.values()} == {"ok"}, found
    for feed in ("soccer actions", "tennis stream"):
        assert "Authorisation accepted" in found[f"{feed}: token"].found
        assert "{level, message}" in found[f"{feed}: heartbeats"].found
        assert "of the fixture" in found[f"{feed}: numbers"].found
    assert found["soccer actions: startPosition"].found.startswith("skips as many")
    assert found["tennis stream: startPosition"].found.startswith("starts at that number")
    assert {"soccer statistics: messages", "tennis statistics: messages", "DNS: 127.0.0.1"} <= set(found)


async def test_the_other_readings_of_the_documents_are_told_apart():
    async with simulating(position_events="start_at", position_sequence="skip") as simulator:
        await ready(simulator)
        found = await answers(settings_of(simulator))
    assert found["soccer actions: startPosition"].found.startswith("starts at it")
    assert found["tennis stream: startPosition"].found.startswith("starts after it")


async def test_numbers_of_the_connection_are_told_from_numbers_of_the_fixture():
    async with simulating(scope="connection", fixtures={"soccer": 1}) as simulator:
        await ready(simulator)
        found = await answers(settings_of(simulator, sports=("soccer",)))
    answer = found["soccer actions: numbers"]
    assert (answer.verdict, answer.found.split(":")[0]) == ("ok", "of the connection")


@pytest.mark.parametrize(
    ("refusal", "form"), [("json", "JSON message"), ("close", "close code"), ("error", "JSON message")]
)
async def test_a_refused_token_is_told_with_its_form_and_what_to_do(refusal, form):
    async with simulating(refusal=refusal) as simulator:
        found = await answers(settings_of(simulator, feeds=(live_feed(simulator),), token="another"))
    assert "TRICAST_FASTPATH__TOKEN" in found["REST: fixtures of soccer"].action
    answer = found["soccer actions: token"]
    assert (answer.verdict, form in answer.found) == ("failed", True), answer
    assert "TRICAST_FASTPATH__TOKEN" in answer.action


async def test_a_token_refused_by_status_is_told_too():
    async with simulating(refusal="http", faults=FastpathFaultSettings(refuse_every=1)) as simulator:
        found = await answers(settings_of(simulator, feeds=(live_feed(simulator),)))
    answer = found["soccer actions: token"]
    assert (answer.verdict, "HTTP 401" in answer.found) == ("failed", True)


async def test_an_unknown_fixture_is_no_matter_of_the_token():
    async with simulating() as simulator:
        found = await answers(settings_of(simulator, sports=(), feeds=(FEED,)))
    answer = found["soccer actions: token"]
    assert (answer.verdict, answer.found.split(",")[0]) == ("warning", "unknown-fixture")


# -- servers that are not the simulator --------------------------------------------------------------------------------


async def heard(say, **more):
    """Return the answers about a server whose feeds do what ``say`` does with the socket."""

    async def feed(request):
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.receive()
        await say(socket)
        return socket

    app = web.Application()
    app.router.add_get(f"/{FEED}", feed)
    async with TestServer(app) as server:
        here = {"stream_url": f"ws://127.0.0.1:{server.port}", "api_url": f"http://127.0.0.1:{server.port}"}
        return await answers(FastpathSettings(**{"token": TOKEN, "feeds": (FEED,), **here, **more}), listen_s=0.5)


async def test_a_server_that_never_speaks_is_a_failure():
    async def say(socket):
        await socket.receive()

    answer = (await heard(say))["soccer actions: token"]
    assert (answer.verdict, answer.found) == ("failed", "nothing came")


async def test_a_server_that_closes_right_after_the_token_is_a_failure():
    async def say(socket):
        await socket.close(code=1011, message=b"oops")

    answer = (await heard(say))["soccer actions: token"]
    assert (answer.verdict, answer.found) == ("failed", "nothing came; closed: 1011 oops")


async def test_what_no_model_reads_is_shown_without_the_token():
    async def say(socket):
        await socket.send_str(HEARTBEAT)
        await socket.send_str(f"rubbish {TOKEN}")
        await socket.send_bytes(b"\xff\xfe")
        await socket.receive()

    found = await heard(say)
    answer = found["soccer actions: messages that no model reads"]
    assert (answer.verdict, answer.found[:2]) == ("failed", "2,")
    assert "rubbish ***" in answer.found
    assert found["soccer actions: compression"].verdict == "warning"
    assert found["soccer actions: startPosition"].verdict == "warning"


def test_heartbeats_that_come_later_than_documented_say_which_setting_to_change():
    on_time, late = Heard(heartbeats_s=[1, 11, 21]), Heard(heartbeats_s=[1, 11, 27])
    for each, verdict in ((on_time, "ok"), (late, "warning")):
        each.kinds["Heartbeat"] = 3
        [answer] = [one for one in judge(feed_of(FEED), each, 30) if "heartbeats" in one.question]
        assert (answer.verdict, "HEARTBEAT_S" in answer.action) == (verdict, verdict == "warning")


async def test_nobody_there_is_an_answer_too():
    nowhere = {"stream_url": "ws://127.0.0.1:1", "api_url": "http://127.0.0.1:1"}
    found = await answers(FastpathSettings(**{"token": TOKEN, "feeds": (FEED,), **nowhere}))
    assert found["REST: fixtures of soccer"].verdict == found["soccer actions: token"].verdict == "failed"
    assert "TRICAST_FASTPATH__STREAM_URL" in found["soccer actions: token"].action


# Names that are too long for DNS are refused before anybody is asked.
NAMELESS = "x" * 64


async def test_a_host_that_does_not_resolve_and_a_missing_token_are_told():
    host = f"{NAMELESS}.invalid"
    found = await answers(FastpathSettings(stream_url=f"wss://{host}", api_url=f"https://{host}"))
    assert {question: answer.verdict for question, answer in found.items()} == {
        f"DNS: {host}": "failed",
        "token": "failed",
    }


async def test_the_vendors_old_hosts_are_warned_of():
    host = f"{NAMELESS}.imgarena.com"
    found = await answers(FastpathSettings(stream_url=f"wss://{host}", api_url=f"https://{NAMELESS}.invalid"))
    assert found[f"host {host}"].verdict == "warning"
    assert "30 September 2026" in found[f"host {host}"].found


def test_the_command_counts_failures_and_exits_by_them():
    environment = {
        "TRICAST_FASTPATH__STREAM_URL": "ws://127.0.0.1:1",
        "TRICAST_FASTPATH__API_URL": "http://127.0.0.1:1",
        "TRICAST_FASTPATH__TOKEN": TOKEN,
        "TRICAST_FASTPATH__FEEDS": FEED,
    }
    result = CliRunner().invoke(cli, ["doctor", "fastpath", "--json", "--listen", "1"], env=environment)
    assert result.exit_code == 1, result.output
    said = json.loads(result.output)
    assert said["failed"] == 2
    assert TOKEN not in result.output
