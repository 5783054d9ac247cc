"""How a worker ends when it must: once, with the exit code its supervisor acts on, and without holding up the group."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable

from processors.engine.engine import Engine
from processors.engine.transport import BatchConsumer
from schemas.errors import EngineError, EnvironmentFault, ExpelledError, FencedError, PositionError, TricastError

log = logging.getLogger(__name__)

LEAVE_TIMEOUT_S = 3.0
"""How long a worker that must stop tries to leave its group in order."""
NAMESAKE_WAIT_S = 3.0
"""A namesake that fenced us at its start joins the group within this."""
NAMESAKE_POLL_S = 0.5


class FailStop:
    """Ends this process so that nothing half done goes on.

    Args:
        worker_name: For the message about a namesake.
        session_timeout_s: After this long the group has forgotten a dead member.
        exit_process: ``os._exit`` unless a test hands in another.
    """

    def __init__(
        self, worker_name: str, session_timeout_s: float, exit_process: Callable[[int], None] = os._exit
    ) -> None:
        self.begun = False
        self._worker_name = worker_name
        self._session_timeout_s = session_timeout_s
        self._exit_process = exit_process
        self._ending: asyncio.Task[None] | None = None

    def __call__(self, error: BaseException, engine: Engine | None, consumer: BatchConsumer | None) -> None:
        """Stop for ``error``; returns at once, the process ends within seconds."""
        if self.begun:
            return
        self.begun = True
        told = isinstance(error, PositionError | EnvironmentFault | ExpelledError)
        log.critical("worker.stopped %s", error, exc_info=None if told else error)
        code = error.exit_code if isinstance(error, TricastError) else EngineError.exit_code
        if engine is None or consumer is None or isinstance(error, ExpelledError):
            self.exit(code)
        else:
            self.exit_after(LEAVE_TIMEOUT_S + NAMESAKE_WAIT_S + 2 * self._session_timeout_s, code)
            self._ending = asyncio.ensure_future(self._leave_and_exit(error, code, engine, consumer))

    def exit_after(self, seconds: float, code: int) -> None:
        """End the process in ``seconds``, whatever its event loop does by then."""
        timer = threading.Timer(seconds, self.exit, [code])
        timer.daemon = True
        timer.start()

    def exit(self, code: int) -> None:
        """End the process now."""
        logging.shutdown()
        self._exit_process(code)

    async def _leave_and_exit(self, error: BaseException, code: int, engine: Engine, consumer: BatchConsumer) -> None:
        try:
            fenced_alive = isinstance(error, FencedError) and await self._is_member(engine)
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                await consumer.leave_group()
            if fenced_alive and await self._has_namesake(engine):
                code = PositionError.exit_code
                log.critical(
                    "worker.name_taken name=%s\nOperator action: another living worker has this name;"
                    " give each its own (--name or TRICAST_ENGINE__WORKER_NAME)",
                    self._worker_name,
                )
        except Exception as failure:  # all of this is courtesy; the exit is not
            log.warning("worker.leave_failed %r", failure)
        self.exit(code)

    async def _is_member(self, engine: Engine) -> bool:
        """Whether the group still had us when we were fenced; a stopped or cut-off worker has been expelled by then."""
        async with asyncio.timeout(LEAVE_TIMEOUT_S):
            members = await engine.opener.members()
        return engine.bound is not None and engine.bound.member_id in {member for member, _ in members}

    async def _has_namesake(self, engine: Engine) -> bool:
        if not await self._namesake_within(engine, NAMESAKE_WAIT_S):
            return False
        # It may be our own dead predecessor, whom the group forgets after the session time-out.
        await asyncio.sleep(self._session_timeout_s + 1)
        return await self._namesake_within(engine, 0)

    async def _namesake_within(self, engine: Engine, wait_s: float) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        while True:
            if engine.transactional_id in {client for _, client in await engine.opener.members()}:
                return True
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(NAMESAKE_POLL_S)
