"""The Offering HTTP API of the simulator over real sockets, and its failures."""

import aiohttp

from simulators.kambi.server import KambiSimulator
from tests.simulators.kambi_client import lively


async def test_an_unknown_offering_has_no_live_events(tmp_path):
    async with KambiSimulator(lively(tmp_path)) as simulator:
        url = f"{simulator.urls.offering_url}/offering/v2018/other/event/live/open.json"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 404
            assert (await answer.json())["error"]["status"] == 404
