"""One line: one feed's WebSocket at a time, every message recorded as it comes."""

import asyncio
import logging
from collections import deque
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from connectors.clock import Clock
from connectors.counts import LineCounts
from connectors.fastpath import protocol
from connectors.fastpath.config import FastpathSettings
from connectors.fastpath.connection import (
    ABNORMAL,
    BROKE,
    FINISHED,
    REPAIR,
    SHUTDOWN,
    Connection,
    End,
    refused,
    silence_s,
)
from connectors.fastpath.dial import HandshakeRefused, deflates, dial, local_end, redacted
from connectors.fastpath.following import State
from connectors.fastpath.resume import Resume
from connectors.recorder import LineRecorder
from connectors.retry_after import retry_after_s
from connectors.runner import ConnectFailed, Runner, unless_stopped
from connectors.sink import FrameSink
from schemas.fastpath.feed import Feed

log = logging.getLogger(__name__)


class Unauthorised(ConnectFailed):
    """The server does not accept the token, or not for this feed: trying again only makes it worse."""

    code = "unauthorised"
    retryable = False


class FeedLine:
    """A line's place: its name and recorder stay, connections come and go.

    Args:
        settings: Where and within which limits.
        feed: What is followed.
        recorder: Numbers and queues the frames.
        sink: Looked at before connecting: no connection while there is no room.
        runner: Connects; it ends with ``stop``.
        stop: Set by :meth:`stop`, or by the line itself when its fixture is finished.
        resume: Which position to ask for.
        clock: Ticks, silence and grace.
    """

    def __init__(
        self,
        *,
        settings: FastpathSettings,
        feed: Feed,
        recorder: LineRecorder,
        sink: FrameSink,
        runner: Runner,
        stop: asyncio.Event,
        resume: Resume,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._feed = feed
        self._recorder = recorder
        self._sink = sink
        self._runner = runner
        self._stop = stop
        self._resume = resume
        self._clock = clock
        self._silence_s = silence_s(feed, settings.heartbeat_s)
        self._socket: ClientConnection | None = None
        self._connection: Connection | None = None
        self._connected_before = False
        self._repairing = False
        self._repairs: deque[float] = deque()
        self._refused: str | None = None
        self._finish_at_s: float | None = None
        self._stopped_by = SHUTDOWN
        self._ended: End | None = None
        self.name = recorder.line
        self.state: State = "connecting"
        self.counts = LineCounts(total=sink.counts.lines)

    async def run(self) -> None:
        """Follow the feed until stopped, or until its fixture is finished; a refused token stops only this feed."""
        ticking = asyncio.create_task(self._tick_on(), name=f"{self.name} ticks")
        try:
            await self._runner.keep_connected(self.name, self.connect, self.counts)
        except Unauthorised as error:
            self.state = "unauthorised"
            log.error(
                "fastpath.unauthorised line=%s reason=%s Operator action: this feed is not followed any more; check "
                "TRICAST_FASTPATH__TOKEN and the licence, and start the connector again",
                self.name,
                error.message,
            )
            await self._stop.wait()  # time goes on meanwhile, for what is held back in this feed
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
            self._tell_that_it_is_over()

    def stop(self, end: End = SHUTDOWN) -> None:
        """Close in order, for the reason in ``end``; :meth:`run` returns then."""
        if not self._stop.is_set():
            self._stopped_by = end
        self._stop.set()
        if self._connection is not None:
            self._connection.leave(end)

    def repair(self, position: int) -> bool:
        """Reconnect with ``position``; return whether it will be done: the feed takes positions, there is budget."""
        now_s = self._clock.monotonic_s()
        while self._repairs and self._repairs[0] <= now_s - self._settings.repair_window_s:
            self._repairs.popleft()
        if self._stop.is_set() or self.state == "unauthorised":
            return False
        if len(self._repairs) >= self._settings.repairs_per_fixture or not self._resume.repair(position):
            return False
        self._repairs.append(now_s)
        self._repairing = True
        if self._connection is not None:
            self._connection.leave(REPAIR)
        return True

    async def connect(self) -> bool:
        """Make one connection, record it until it ends, and return whether a new one is to follow at once.

        Raises:
            Unauthorised: The token was refused, in whichever of the three forms.
            ConnectFailed: The server does not give the feed now.
        """
        self.state = "waiting" if self._refused else "connecting"
        position = self._resume.position
        try:
            if not await unless_stopped(self._stop, self._dial(position)):
                return False
        except HandshakeRefused as error:
            why = protocol.refused_status(error.status, error.message)
            raise self._refusal(why, error.message, status=error.status, retry_after=error.retry_after) from error
        assert self._socket is not None
        socket, self._socket = self._socket, None
        try:
            end = await self._record(socket, position)
        finally:
            await socket.close()
        if end.why is not None:
            raise self._refusal(end.why, end.text or f"closed with {end.code} {end.reason}")
        return end is REPAIR  # a server may give the same reason

    async def _dial(self, position: int | None) -> None:
        await self._recorder.ready()
        await self._sink.wait_for_room()  # what is received has to be kept
        url = protocol.url_of(self._settings.stream_url, self._feed.path, position)
        self._socket = await dial(self._settings, url)

    # -- a connection's life -----------------------------------------------------------------------------------------

    async def _record(self, socket: ClientConnection, position: int | None) -> End:
        connection = Connection(socket)
        late = self._resume.position != position  # a repair came in while this was dialled: the next one is its
        cause = "repair" if self._repairing and not late else "reconnect" if self._connected_before else "start"
        self._repairing = late
        self._resume.opened(position)
        self._recorder.opened(
            {
                "feed": self._feed.path,
                "url": protocol.url_of(self._settings.stream_url, self._feed.path, position),
                "start_position": position,
                "events": self._resume.events,
                "cause": cause,
                "local": local_end(socket),
            },
            position=None if position is None else str(position),
        )
        end = BROKE
        self._connection, self._connected_before = connection, True
        self.state = "open"
        try:
            log.info(
                "line.opened line=%s position=%s cause=%s deflate=%s", self.name, position, cause, deflates(socket)
            )
            if self._stop.is_set():
                connection.leave(self._stopped_by)
            elif self._repairing:
                connection.leave(REPAIR)
            async with asyncio.TaskGroup() as group:
                closing = group.create_task(connection.close_when_left(), name=f"{self.name} close")
                end = await self._read(connection)
                closing.cancel()
        finally:
            self._connection = None
            self._ended = end
            self._recorder.closed(end.code, end.why or end.reason, ending=end.ending)
            log.info("line.closed line=%s code=%d reason=%s", self.name, end.code, end.why or end.reason)
        return end

    async def _read(self, connection: Connection) -> End:
        """Record every message until the connection ends; between receiving and stamping there is no await."""
        while True:
            try:
                payload = await connection.socket.recv(decode=False)
            except ConnectionClosed as closed:
                return connection.end or self._ending(connection, closed)
            connection.messages += 1
            recorded = await self._recorder.frame(payload)
            match protocol.read(payload):
                case protocol.Event() as event:
                    self._accepted(connection)
                    connection.served = True
                    if recorded:
                        self._resume.event(event)
                    self._finished(event.finished)
                case protocol.Heartbeat():
                    self._accepted(connection)
                # Who is served is not refused: a warning that names a token or something not found is about something
                # else. A server that means it falls silent or closes, and the next connection is told at once.
                case protocol.Refusal(why=why, text=text) if not connection.served:
                    connection.leave(refused(why, redacted(self._settings, text)))

    def _ending(self, connection: Connection, closed: ConnectionClosed) -> End:
        if closed.rcvd is not None and (closed.sent is None or closed.rcvd_then_sent):
            code, reason = int(closed.rcvd.code), redacted(self._settings, closed.rcvd.reason)
            why = protocol.refused_close(code, reason, heard=connection.heard)
            return End(code, reason, why, ending="closed" if why is None else "refused")
        if closed.sent is not None:
            if closed.sent.code == protocol.MESSAGE_TOO_BIG:
                self._over_limit(closed.sent.reason)
                return End(int(closed.sent.code), closed.sent.reason, ending="too-large")
            return End(int(closed.sent.code), closed.sent.reason, ending="lost")
        return End(ABNORMAL, "connection lost", ending="lost")

    def _over_limit(self, reason: str) -> None:
        self._sink.counts.received += 1
        self._sink.counts.dropped["over-limit"] += 1
        log.error(
            "fastpath.over_limit line=%s events=%d passed_by=%s reason=%s Operator action: a message is larger than "
            "TRICAST_FASTPATH__MAX_MESSAGE_BYTES and lost; what comes after it is asked for",
            self.name,
            self._resume.events,
            "yes" if self._resume.too_large() else "no",
            reason,
        )

    def _accepted(self, connection: Connection) -> None:
        connection.heard = True
        self._refused = None

    # -- refusals ----------------------------------------------------------------------------------------------------

    def _refusal(
        self, why: protocol.Why, text: str, *, status: int | None = None, retry_after: str = ""
    ) -> ConnectFailed:
        """Put a refusal on record, if its reason is another than the last one's, and return what to raise."""
        if why != self._refused:
            if status is not None:
                position = self._resume.position
                self._recorder.refused(status, why, position=None if position is None else str(position))
            if why != "unauthorised":
                log.warning("fastpath.refused line=%s why=%s said=%s", self.name, why, text)
            self._refused = why
        match why:
            case "unauthorised":
                return Unauthorised(text)
            case "not-started" | "unknown-fixture":
                self.state = "waiting"
                return ConnectFailed(text, retry_after_s=self._settings.unready_retry_s, expected=True)
            case "bad-request":
                # It may be the position that it does not like, and that must not lock us out of the feed.
                other = self._resume.start_over()
                return ConnectFailed(text, retry_after_s=0.0 if other else self._settings.unready_retry_s)
            case "too-many-requests" | "unavailable":
                return ConnectFailed(text, retry_after_s=retry_after_s(retry_after, now_ns=self._clock.now_ns()))

    # -- time --------------------------------------------------------------------------------------------------------

    async def _tick_on(self) -> None:
        while True:
            await self._clock.sleep(self._settings.tick_interval_s)
            connection = self._connection
            facts: dict[str, Any] = {"open": connection is not None, "events": self._resume.events}
            if connection is None:
                self._recorder.tick_between(facts)
            else:
                connection.tick(self._settings.tick_interval_s, self._silence_s)
                self._recorder.tick(facts)
            if self._finish_at_s is not None and self._clock.monotonic_s() >= self._finish_at_s:
                self._finish()

    def _tell_that_it_is_over(self) -> None:
        """Put on record that a line which was down at the end is not to come back; else it looked lost."""
        end, was_heard_of = self._stopped_by, self._recorder.previous is not None or self._refused is not None
        if end is not SHUTDOWN and end is not self._ended and was_heard_of:
            self._recorder.refused(end.code, end.reason)

    def _finished(self, finished: bool | None) -> None:
        if finished is False:
            self._finish_at_s = None  # a dropped collection says so, too, and may be taken up again
        elif finished and self._finish_at_s is None:
            self._finish_at_s = self._clock.monotonic_s() + self._settings.finished_grace_s

    def _finish(self) -> None:
        if not self._stop.is_set():
            log.info("fastpath.finished line=%s", self.name)
            self.state = "finished"
            self._stopped_by = FINISHED
            self._stop.set()
            if self._connection is not None:
                self._connection.leave(FINISHED)
