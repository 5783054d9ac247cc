"""The connectors' HTTP sessions make each request once, whenever and however its connection is cut."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import pytest

from connectors.fastpath import connector as fastpath
from connectors.fastpath.config import FastpathSettings
from connectors.kambi import connector as kambi
from connectors.kambi.config import KambiSettings
from connectors.rms import connector as rms
from connectors.rms.config import RmsSettings
from tests.connectors.offering_api import ok

kambi_session = partial(kambi.http_session, KambiSettings())
fastpath_session = partial(fastpath.http_session, FastpathSettings())
rms_session = partial(rms.http_session, RmsSettings())

CUT = b""
MOVED = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"

each_session = pytest.mark.parametrize(
    "session_of", [kambi_session, fastpath_session, rms_session], ids=["kambi", "fastpath", "rms"]
)


class Server:
    """Answers the requests it gets with ``answers``, in order, or cuts the connection; connections are kept alive."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.seen: list[str] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                self.seen.append(request.split(b" ")[1].decode())
                answer = self._answers.pop(0)
                if answer == CUT:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def url(self):
        async with await asyncio.start_server(self.serve, "127.0.0.1", 0) as server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@each_session
async def test_a_request_whose_new_connection_is_cut_is_not_sent_again(session_of):
    server = Server(CUT, ok(b"{}"))
    async with server.url() as url, session_of() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{url}/first")
    assert server.seen == ["/first"]


@each_session
async def test_a_handshake_whose_connection_is_cut_is_not_made_again(session_of):
    server = Server(CUT, CUT)
    async with server.url() as url, session_of() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.ws_connect(f"{url}/socket")
    assert server.seen == ["/socket"]


@pytest.mark.parametrize("session_of", [kambi_session, fastpath_session], ids=["kambi", "fastpath"])
async def test_a_request_whose_kept_connection_is_cut_is_not_sent_again_and_the_next_takes_a_new_one(session_of):
    server = Server(ok(b"{}"), CUT, ok(b"[]"))
    async with server.url() as url, session_of() as session:
        async with session.get(f"{url}/1") as response:
            assert await response.read() == b"{}"
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{url}/2")
        async with session.get(f"{url}/3") as response:
            assert await response.read() == b"[]"
    assert (server.seen, server.connections) == (["/1", "/2", "/3"], 2)


async def test_each_hop_of_a_redirect_is_made_once():
    server = Server(MOVED, CUT, ok(b"{}"))
    async with server.url() as url, kambi_session() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{url}/here")
    assert server.seen == ["/here", "/elsewhere"]


async def test_a_server_that_is_not_there_is_named_as_before():
    async with asyncio.timeout(5), kambi_session() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get("http://127.0.0.1:1/")
