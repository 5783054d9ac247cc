"""The Faust app of one processor: Faust brings group, rebalancing and agents; the engine brings exactly once."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

import faust
from faust.serializers.codecs import Codec
from faust.types import TP

from processors.core.processor import Processor
from processors.engine.config import EngineSettings
from processors.engine.engine import Engine
from processors.engine.task import Partition
from processors.engine.topology import Topology
from processors.engine.transactions import Membership
from processors.engine.transport import BatchConsumer, BatchTransport
from schemas.errors import EngineError, EnvironmentFault, FencedError, PositionError, TricastError
from schemas.kafka import KafkaSettings
from schemas.topics import Topic

log = logging.getLogger(__name__)

AGENT_QUEUE_BATCHES = 8
"""Batches that may wait between Faust's fetch and the engine; a batch is up to ``max_poll_records`` records."""


STOP_TIMEOUT_S = 3.0
"""How long a worker that must stop tries to leave its group in order."""
NAMESAKE_WAIT_S = 3.0
"""A namesake that fenced us at its start joins the group within this."""
NAMESAKE_POLL_S = 0.5


class _AsIs(Codec):
    """Leaves a batch alone; Faust's serializers know single values only."""

    def _loads(self, value: Any) -> Any:
        return value

    def _dumps(self, value: Any) -> Any:
        return value


class EngineApp(faust.App):
    """A Faust app whose consumer hands batches to an :class:`Engine`.

    Args:
        processor: What to run.
        topology: Its topics.
        kafka: How to reach Kafka.
        settings: Engine settings.
        version: Code version for dead letters.
        exit_process: Ends the process with an exit code; ``os._exit`` unless a test hands in another.
    """

    logger = logging.getLogger("faust.app")  # Faust's own start and stop lines stay Faust's

    def __init__(
        self,
        processor: Processor,
        topology: Topology,
        *,
        kafka: KafkaSettings,
        settings: EngineSettings,
        version: str,
        exit_process: Callable[[int], None] = os._exit,
    ) -> None:
        self._exit_process = exit_process
        self._engine_settings = settings
        self._stopping_for: BaseException | None = None
        self._engine_arguments = (processor, topology, kafka, settings, version)
        self.engine: Engine
        super().__init__(
            topology.group,
            broker=[f"kafka://{server}" for server in kafka.client()["bootstrap_servers"]],
            broker_credentials=_credentials(kafka),
            broker_client_id=f"{topology.group}-{settings.worker_name}",
            broker_session_timeout=settings.session_timeout_s,
            broker_heartbeat_interval=settings.heartbeat_interval_s,
            broker_rebalance_timeout=settings.rebalance_timeout_s,
            broker_request_timeout=kafka.request_timeout_ms / 1000,
            broker_max_poll_records=settings.max_poll_records,
            consumer_max_fetch_size=settings.max_partition_fetch_bytes,
            consumer_auto_offset_reset="none",
            stream_buffer_maxsize=AGENT_QUEUE_BATCHES,
            stream_wait_empty=False,
            store="memory://",
            table_standby_replicas=0,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            worker_redirect_stdouts=False,
        )
        for name, physical in topology.sources.items():
            self._register_agent(f"{processor.name}.{name}", physical)

    def _register_agent(self, name: str, physical: str) -> None:
        as_is = _AsIs()

        async def consume(stream: Any) -> None:
            async for event in stream.noack().events():
                await self.engine.put(Partition(*event.message.tp), event.value)

        self.agent(self.topic(physical, key_serializer="raw", value_serializer=as_is), name=name)(consume)

    # Faust's hooks.

    def _create_directories(self) -> None:
        """Make none: no table, nothing on disk."""

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    async def on_start(self) -> None:
        """Start the engine before the consumer joins the group."""
        processor, topology, kafka, settings, version = self._engine_arguments
        self.engine = Engine(
            processor,
            topology,
            kafka=kafka,
            settings=settings,
            version=version,
            seek=self._seek,
            fail=self.fail_stop,
        )
        try:
            await self.engine.start()
        except Exception as error:
            self.fail_stop(error)
        await super().on_start()

    async def on_stop(self) -> None:
        """Finish the running cycle before Faust leaves the group."""
        await self.engine.stop()
        await super().on_stop()

    async def _seek(self, partition: Partition, offset: int) -> int:
        consumer: BatchConsumer = self.consumer
        return await consumer.seek_task(partition, offset)

    async def _on_partitions_revoked(self, revoked: set[TP]) -> None:
        await self.engine.close_tasks()
        await super()._on_partitions_revoked(revoked)

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        consumer: BatchConsumer = self.consumer
        membership = Membership(*consumer.group_membership())
        await super()._on_partitions_assigned(assigned, generation_id)
        if membership.generation != generation_id or not membership.member_id:
            return  # kicked out while joining; the next assignment follows
        self.engine.open_tasks({Partition(*tp) for tp in assigned}, membership)

    async def _on_agent_error(self, agent: Any, error: BaseException) -> None:
        self.fail_stop(error)

    # Fail-stop.

    def fail_stop(self, error: BaseException) -> None:
        """End this process so that nothing half done goes on; the supervisor decides about a restart."""
        if self._stopping_for is not None:
            return
        self._stopping_for = error
        told = isinstance(error, PositionError | EnvironmentFault)
        log.critical("worker.stopped %s", error, exc_info=None if told else error)
        if self._consumer is None:
            self._exit(_exit_code(error))
        else:
            watchdog = threading.Timer(STOP_TIMEOUT_S + 3 * self._engine_settings.session_timeout_s, self._exit, [70])
            watchdog.daemon = True
            watchdog.start()
            self._leaving = asyncio.ensure_future(self._leave_and_exit(error))

    async def _leave_and_exit(self, error: BaseException) -> None:
        """Give the tasks back at once, so that nobody waits for our session to expire, and end."""
        exit_code = _exit_code(error)
        try:
            consumer: BatchConsumer = self.consumer
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await consumer.leave_group()
            if isinstance(error, FencedError) and await self._has_namesake():
                exit_code = PositionError.exit_code
                log.critical(
                    "worker.name_taken name=%s\nOperator action: another living worker has this name;"
                    " give each its own (--name or TRICAST_ENGINE__WORKER_NAME)",
                    self._engine_settings.worker_name,
                )
        except Exception as failure:  # all of this is courtesy; the exit is not
            log.warning("worker.leave_failed %r", failure)
        self._exit(exit_code)

    async def _has_namesake(self) -> bool:
        """Tell a living namesake (a person must act) from a rebalance that passed us by (a restart mends it)."""
        session_s = self._engine_settings.session_timeout_s
        async with asyncio.timeout(3 * session_s):
            if not await self._namesake_within(NAMESAKE_WAIT_S):
                return False
            # It may be our own dead predecessor, whom the group forgets after the session time-out.
            await asyncio.sleep(session_s + 1)
            return await self._namesake_within(0)

    async def _namesake_within(self, wait_s: float) -> bool:
        """Look for a member of our name after we left the group."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        while True:
            if self.engine.transactional_id in {client for _, client in await self.engine.opener.members()}:
                return True
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(NAMESAKE_POLL_S)

    def _exit(self, code: int) -> None:
        logging.shutdown()
        self._exit_process(code)


def build_app(
    processor: Processor,
    *,
    prefix: str,
    registry: Mapping[str, Topic],
    kafka: KafkaSettings,
    settings: EngineSettings,
    version: str,
) -> EngineApp:
    """Return the app that runs ``processor``; nothing is connected yet."""
    topology = Topology.of(processor, prefix, registry)
    return EngineApp(processor, topology, kafka=kafka, settings=settings, version=version)


def _exit_code(error: BaseException) -> int:
    return error.exit_code if isinstance(error, TricastError) else EngineError.exit_code


def _credentials(kafka: KafkaSettings) -> Any:
    arguments = kafka.client()
    context = arguments.get("ssl_context")
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=arguments["sasl_plain_password"],
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context is not None else None
