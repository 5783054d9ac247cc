"""The doctor against the simulator, a server of old Engine.IO, and nothing at all; over real sockets."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.kambi.config import KambiSettings
from simulators.kambi.config import KambiSimulatorSettings
from simulators.kambi.server import KambiSimulator
from tricast.doctor.kambi import EXAMPLES, examine


async def answers(settings, listen_s=1.0):
    return {answer.question: answer async for answer in examine(settings, listen_s=listen_s)}


@pytest.fixture
async def simulator():
    async with KambiSimulator(KambiSimulatorSettings(languages=("en",), changes_per_second=400)) as running:
        yield running


def settings_of(simulator, **more):
    return KambiSettings(push_url=simulator.urls.push_url, offering_url=simulator.urls.offering_url, **more)


async def test_a_sound_service_passes_every_question(simulator):
    found = await answers(settings_of(simulator), listen_s=2.0)
    assert {answer.verdict for answer in found.values()} == {"ok"}, found
    assert all(any(question.startswith(f"push example: {name}") for question in found) for name in EXAMPLES)


async def test_a_language_that_is_not_configured_is_noticed_on_both_sides(simulator):
    found = await answers(settings_of(simulator, language="xx"), listen_s=2.0)
    noticed = {question for question, answer in found.items() if answer.verdict == "warning"}
    assert noticed >= {"offering API: language xx", "push: language xx key"}
    assert found["push: neutral key"].verdict == "ok"


async def test_an_unknown_offering_says_which_setting_to_check(simulator):
    answer = (await answers(settings_of(simulator, offering="nobody")))["offering API: live events"]
    assert answer.verdict == "failed"
    assert "TRICAST_KAMBI__OFFERING" in answer.action


async def test_a_server_of_old_engine_io_is_recognised():
    async def old_server(request):
        if request.query.get("EIO") != "3":
            return web.Response(status=400)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str('0{"sid":"s","pingInterval":25000,"pingTimeout":5000,"upgrades":[]}')
        await socket.send_str("40")
        await socket.close()
        return socket

    async def example(request):
        return web.json_response({"t": "1790000000001", "mt": 11, "boou": {"eventId": 1, "outcomes": 7}})

    app = web.Application()
    app.router.add_get("/socket.io/", old_server)
    app.router.add_get("/offering/v2018/kambi/push-examples/{name}", example)
    async with TestServer(app) as server:
        url = f"http://127.0.0.1:{server.port}"
        found = await answers(KambiSettings(push_url=url, offering_url=url))
    assert found["push: Engine.IO 4"].verdict == "failed"
    assert "Engine.IO 3 only" in found["push: Engine.IO 4"].action
    unread = found["push example: BetOfferOddsUpdated"]
    assert (unread.verdict, unread.found[:17]) == ("failed", "kambi.bad-element")


async def test_silence_on_push_is_no_wonder_where_nothing_is_live():
    async def live_open(request):
        return web.json_response({"liveEvents": []})

    app = web.Application()
    app.router.add_get("/offering/v2018/kambi/event/live/open.json", live_open)
    async with TestServer(app) as server, KambiSimulator(KambiSimulatorSettings(changes_per_second=0)) as simulator:
        url = f"http://127.0.0.1:{server.port}"
        silent = KambiSettings(push_url=simulator.urls.push_url, offering_url=url, offering="kambi", language="xx")
        found = await answers(silent, listen_s=1.0)
    assert (found["offering API: live events"].verdict, found["push: language xx key"].verdict) == ("ok", "ok")


async def test_nobody_there_is_an_answer_too():
    nowhere = "http://127.0.0.1:1"
    found = await answers(KambiSettings(push_url=nowhere, offering_url=nowhere))
    assert found["offering API: live events"].verdict == found["push: Engine.IO 4"].verdict == "failed"
