"""What stands between the connectors and one vendor: all bytes pass it, so all of them can be kept from passing."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Final, Self, TypeVar

from tests.chaos.peers import Passage

T = TypeVar("T")

_CHUNK: Final = 65_536
_START_S: Final = 10.0


class Gate:
    """A TCP relay on loopback, in a thread of its own.

    Args:
        upstream: Port of the simulator.
    """

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"gate-{upstream}", daemon=True)
        self._stop = asyncio.Event()
        self._passing = asyncio.Event()
        self._passing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        """Where connectors find the vendor."""
        self.passed: list[Passage] = []
        """Every connection there was."""

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise TimeoutError("the gate did not open")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done(self._stop.set).result(_START_S)
        self._thread.join(_START_S)

    def freeze(self) -> int:
        """Let no byte pass any more, of connections there are and of new ones; return how many there are."""
        return self._done(self._freeze).result(_START_S)

    def thaw(self, *, cut: bool) -> None:
        """Let bytes pass again, those that waited first; or cut every connection that stood, and let new ones pass."""
        self._done(lambda: self._thaw(cut)).result(_START_S)

    def _freeze(self) -> int:
        self._passing.clear()
        return len(self._writers) // 2

    def _thaw(self, cut: bool) -> None:
        if cut:
            for writer in self._writers:
                writer.transport.abort()
        self._passing.set()

    def _done(self, work: Callable[[], T]) -> Future[T]:
        done: Future[T] = Future()
        assert self._loop is not None
        self._loop.call_soon_threadsafe(lambda: done.set_result(work()))
        return done

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._passing.wait()
            await self._between(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.transport.abort()
            return
        self._writers.add(up_writer)
        ends = up_writer.get_extra_info("sockname"), writer.get_extra_info("peername")
        if all(ends):
            beyond, dialled = (f"{host}:{port}" for host, port in ends)
            self.passed.append(Passage(time.time_ns(), beyond, dialled))
        ways = {
            asyncio.create_task(self._pass(reader, up_writer)),
            asyncio.create_task(self._pass(up_reader, writer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Either end gone is both gone: a connection half closed is no case of these protocols.
            for way in ways:
                way.cancel()
            self._writers.discard(up_writer)
            up_writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                await self._passing.wait()
                writer.write(chunk)
                await writer.drain()
            await self._passing.wait()  # an end is not heard of either
