"""One line: one approval socket at a time, every packet recorded as it comes."""

import asyncio
import logging
from random import Random
from typing import Any, Final, Literal

import aiohttp

from connectors import handshake
from connectors.clock import Clock
from connectors.conversation import BROKE, Conversation, End
from connectors.counts import LineCounts, LineState
from connectors.handshake import Dialled
from connectors.recorder import LineRecorder
from connectors.rms import protocol
from connectors.rms.backoff import JoinedBackoff
from connectors.rms.config import RmsSettings
from connectors.rms.dial import SocketRefused, dial, url_of
from connectors.rms.joining import Joining
from connectors.rms.ports import Bearer, Budget, Tokens, Waiting
from connectors.rms.refusals import Refusals
from connectors.runner import ConnectFailed, Runner, unless_stopped
from connectors.sink import FrameSink

log = logging.getLogger(__name__)

_LOOKS: Final = 4
"""A tick. An approval that comes within two of them after a deadline may have been sent before it."""


class RmsLine:
    """A line's place: its recorder stays, connections come and go.

    Args:
        settings: Where, who we are, and within which limits.
        recorder: Numbers and queues the frames.
        sink: Looked at before connecting: no connection while there is no room.
        session: HTTP client session, shared.
        tokens: What each handshake sends.
        budget: Waited for before each handshake.
        lookups: Said in ticks.
        clock: Ticks, silence and patience.
        random: Jitter.

    Attributes:
        bearer: The token of the last handshake.
        joined: Set while a connection is open and in its rooms.
    """

    def __init__(
        self,
        settings: RmsSettings,
        *,
        recorder: LineRecorder,
        sink: FrameSink,
        session: aiohttp.ClientSession,
        tokens: Tokens,
        budget: Budget,
        lookups: Waiting,
        clock: Clock,
        random: Random,
    ) -> None:
        self._settings = settings
        self._recorder = recorder
        self._sink = sink
        self._session = session
        self._tokens = tokens
        self._budget = budget
        self._lookups = lookups
        self._clock = clock
        self._stop = asyncio.Event()
        self._leaving = "shutdown"
        self._backoff = JoinedBackoff(settings.backoff_s, floor_s=settings.backoff_floor_s)
        self._refusals = Refusals(settings, recorder=recorder, tokens=tokens, clock=clock)
        self._runner = Runner(stop=self._stop, backoff=self._backoff, budget=self, clock=clock, random=random)
        self._dialled: Dialled | None = None
        self._conversation: Conversation | None = None
        self._joining: Joining | None = None
        self._waiting: Literal["no-token", "no-budget"] | None = None
        self._unreachable = False
        self.name = recorder.line
        self.counts = LineCounts(total=sink.counts.lines)
        self.bearer: Bearer | None = None
        self.joined = asyncio.Event()

    async def run(self) -> None:
        """Keep connected and joined until stopped.

        Raises:
            ConfigurationError: The vendor refuses us for what is in our settings.
        """
        ticking = asyncio.create_task(self._tick_on(), name=f"{self.name} ticks")
        try:
            await self._runner.keep_connected(self.name, self.connect, self.counts)
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)

    @property
    def state(self) -> LineState:
        """How it stands."""
        if self.joined.is_set():
            return "live"
        return "connecting" if self._conversation is None else "open"

    def stop(self, reason: str) -> None:
        """Close in order; :meth:`run` returns then."""
        self._leaving = reason
        self._stop.set()

    async def take(self) -> None:
        """Return when a handshake may be made, with what it needs."""
        await self._recorder.ready()
        await self._sink.wait_for_room()  # what is received has to be kept
        try:
            self._waiting = "no-token"
            bearer = await self._tokens.bearer()
            self._waiting = "no-budget"
            # The last to be waited for: an attempt is to be made when it is counted.
            await self._budget.connect()
            self.bearer = self._tokens.in_force or bearer
        finally:
            self._waiting = None

    async def connect(self) -> None:
        """Make one connection, record it until it ends, and return.

        Raises:
            ConnectFailed: It was refused, or closed because the token is not good any more.
            ConfigurationError: No other attempt can help.
        """
        assert self.bearer is not None
        bearer = self.bearer
        try:
            if not await unless_stopped(self._stop, self._dial(bearer)):
                return
        except SocketRefused as error:
            self._unreachable = False
            raise self._refusals.error(
                error.refusal, error.message, bearer=bearer, retry_after=error.retry_after
            ) from error
        except ConnectFailed as error:
            self._unreachable = True
            raise ConnectFailed(self._tokens.redacted(error.message)) from error
        assert self._dialled is not None
        dialled, self._dialled = self._dialled, None
        try:
            end = await self._record(dialled, bearer)
        finally:
            await handshake.close(dialled.socket)
        refusal = _refusal(end)
        if refusal is not None:
            raise self._refusals.error(refusal, f"closed with {end.code} {end.reason}", bearer=bearer, on_record=True)

    async def _dial(self, bearer: Bearer) -> None:
        self._dialled = await dial(self._settings, self._session, bearer, shown=self._tokens.redacted)

    # -- a connection's life -----------------------------------------------------------------------------------------

    async def _record(self, dialled: Dialled, bearer: Bearer) -> End:
        conversation = Conversation(dialled, received=self._received, clock=self._clock)
        self._recorder.opened({"customer": self._settings.customer_id, "url": url_of(self._settings)})
        end = BROKE
        self._conversation = conversation
        self._joining = Joining(
            self._settings.join_timeout_s, healthy_s=self._settings.healthy_s, sent_s=self._clock.monotonic_s()
        )
        self._unreachable = False
        self._refusals.accepted()
        try:
            log.info("line.opened line=%s token=%d deflate=%s", self.name, bearer.serial, dialled.deflate)
            conversation.send(protocol.JOIN)
            async with asyncio.TaskGroup() as group:
                around = [
                    group.create_task(self._leave_when_stopped(conversation), name=f"{self.name} stop"),
                    group.create_task(self._look_on(conversation), name=f"{self.name} looks"),
                ]
                end = await conversation.run()
                for task in around:
                    task.cancel()
        finally:
            self._conversation = self._joining = None
            self.joined.clear()
            refusal = _refusal(end)
            reason = self._tokens.redacted(end.reason) if refusal is None else refusal.why
            ending = end.ending if refusal is None else "refused"
            self._recorder.closed(end.code, reason, {"heard_ns": conversation.heard_ns}, ending=ending)
            log.info("line.closed line=%s code=%d reason=%s", self.name, end.code, reason)
            if end.is_over_limit:
                self._over_limit(reason)
        return end

    async def _received(self, payload: bytes) -> None:
        assert self._conversation is not None
        recorded = await self._recorder.frame(self._tokens.masked(payload), after_ns=self._conversation.after_ns)
        # An acknowledgement that is not on record shows nobody else that we joined: another is asked for.
        if recorded and not self.joined.is_set() and protocol.is_joined(payload):
            assert self._joining is not None
            assert self.bearer is not None
            self._joining.joined(now_s=self._clock.monotonic_s())
            self.joined.set()
            log.info("rms.joined line=%s", self.name)
            self._tokens.accepted(self.bearer)

    async def _leave_when_stopped(self, conversation: Conversation) -> None:
        await self._stop.wait()
        conversation.leave(self._leaving)

    def _over_limit(self, reason: str) -> None:
        self._sink.counts.received += 1
        self._sink.counts.dropped["over-limit"] += 1
        log.error(
            "rms.over_limit line=%s reason=%s Operator action: a message is larger than "
            "TRICAST_RMS__MAX_MESSAGE_BYTES and lost; bets that wait are looked up",
            self.name,
            reason,
        )

    async def _look_on(self, conversation: Conversation) -> None:
        while True:
            await self._clock.sleep(self._settings.tick_interval_s / _LOOKS)
            conversation.look()

    # -- time --------------------------------------------------------------------------------------------------------

    async def _tick_on(self) -> None:
        while True:
            await self._clock.sleep(self._settings.tick_interval_s)
            conversation, joining = self._conversation, self._joining
            if conversation is None or joining is None:
                self._recorder.tick_between(self._facts())
            else:
                conversation.tick(self._settings.tick_interval_s)
                self._follow_up(conversation, joining)
                self._recorder.tick(self._facts())

    def _follow_up(self, conversation: Conversation, joining: Joining) -> None:
        match joining.step(now_s=self._clock.monotonic_s()):
            case "alarm":
                log.error(
                    "rms.not_joined line=%s waited_s=%g Operator action: the socket is open, but `join` is not "
                    "acknowledged: no approval may come. It is sent again; if that does not help, ask LSports' support",
                    self.name,
                    self._settings.join_timeout_s,
                )
                conversation.send(protocol.JOIN)
            case "again":
                conversation.send(protocol.JOIN)
            case "healthy":
                self._backoff.healthy()
                self._refusals.healthy()
            case None:
                pass

    def _facts(self) -> dict[str, Any]:
        conversation = self._conversation
        return {
            "open": conversation is not None,
            "joined": self.joined.is_set(),
            "reason": self._reason(),
            "heard_ns": None if conversation is None else conversation.heard_ns,
            "token_age_s": self._tokens.token_age_s,
            "refresh_age_s": self._tokens.refresh_age_s,
            "connects_left": self._budget.connects_left,
            "requests_left": self._budget.requests_left,
            "lookups_waiting": self._lookups.waiting,
        }

    def _reason(self) -> str | None:
        """Return what is wrong, in a word."""
        if self._joining is not None:
            return "not-joined" if self._joining.is_overdue else None
        if self._waiting == "no-token":
            return self._waiting
        return self._refusals.why or ("unreachable" if self._unreachable else self._waiting)


def _refusal(end: End) -> protocol.Refusal | None:
    return None if end.ours else protocol.refused_close(end.code, end.reason)
