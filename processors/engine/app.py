"""The Faust app of one processor: Faust brings group, rebalancing and agents; the engine brings exactly once."""

# What is subclassed here is annotated for its own library only, and narrower than what it takes.
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false, reportArgumentType=false

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import faust
from faust.serializers.codecs import Codec
from faust.types import TP

from processors.core.processor import Processor
from processors.engine.config import EngineSettings
from processors.engine.counts import WorkerFacts
from processors.engine.engine import Engine
from processors.engine.failstop import LEAVE_TIMEOUT_S, FailStop
from processors.engine.task import Partition
from processors.engine.topology import Topology
from processors.engine.transactions import Membership
from processors.engine.transport import BatchConsumer, BatchTransport
from schemas.errors import EngineError
from schemas.kafka import KafkaSettings
from schemas.missing_right import missing_right
from schemas.topics import Topic

log = logging.getLogger(__name__)

AGENT_QUEUE_BATCHES = 8
"""Batches that may wait between Faust's fetch and the engine; a batch is up to ``max_poll_records`` records."""


FAUST_STOP_TIMEOUT_S = 10.0
"""How long Faust may take to stop after the engine has."""


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
        self._fail_stop = FailStop(settings.worker_name, settings.session_timeout_s, exit_process)
        self._engine_arguments = (processor, topology, kafka, settings, version)
        self._engine: Engine | None = None
        self.processor = processor.name
        self.outputs = tuple(topology.outputs)
        self._beside: list[Callable[[], Coroutine[Any, Any, None]]] = []
        super().__init__(
            topology.group,
            broker=[f"kafka://{server}" for server in kafka.client()["bootstrap_servers"]],
            broker_credentials=_credentials(kafka),
            broker_client_id=f"{topology.group}-{settings.worker_name}",
            broker_session_timeout=settings.session_timeout_s,
            broker_heartbeat_interval=settings.heartbeat_interval_s,
            broker_rebalance_timeout=settings.rebalance_timeout_s,
            broker_request_timeout=settings.group_request_timeout_s,
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

    @property
    def engine(self) -> Engine:
        """The engine; there is one from ``on_start`` on."""
        assert self._engine is not None
        return self._engine

    def run_beside(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have ``work`` run in the worker's event loop from its start to its end; raising ends the worker, told and 70.

        Without it nobody could tell from outside how the worker does; left to Faust, the worker would end with 1.
        """

        async def run() -> None:
            try:
                await work()
            except Exception as error:
                self.fail_stop(error)

        self._beside.append(run)

    def facts(self) -> WorkerFacts:
        """Return how the worker stands; to be called in its event loop."""
        if self._engine is None or self._fail_stop.begun:
            return WorkerFacts(ending=self._fail_stop.begun)
        consumer: BatchConsumer | None = self._consumer
        if consumer is None:
            return self._engine.facts({}, kafka_away=False)
        return self._engine.facts(consumer.fetched(), kafka_away=consumer.has_lost_kafka)

    @property
    def running(self) -> Engine | None:
        """The engine, ``None`` before there is one."""
        return self._engine

    # Faust's hooks.

    def _create_directories(self) -> None:
        """Make none: no table, nothing on disk."""

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    async def on_start(self) -> None:
        """Start the engine before the consumer joins the group."""
        for work in self._beside:
            self.add_future(work())
        processor, topology, kafka, settings, version = self._engine_arguments
        self._engine = Engine(
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
        if self._engine is not None:
            await self._engine.stop()
        # Nothing of ours is open any more; Faust hangs when it is stopped while its consumer still starts. A crash of
        # Faust's own must not end as 0, which a supervisor takes for an end on purpose.
        if not self._fail_stop.begun:
            self._fail_stop.exit_after(FAUST_STOP_TIMEOUT_S, EngineError.exit_code if self.crashed else 0)
            await self._leave_group()
        await super().on_stop()

    async def _leave_group(self) -> None:
        """Give the tasks back: Faust stops without that in a rebalance, and the group would wait for the session's end.

        Faust's own stop of the consumer does nothing after it.
        """
        consumer: BatchConsumer | None = self._consumer
        if consumer is not None:
            with contextlib.suppress(Exception):  # courtesy; the exit is not
                async with asyncio.timeout(LEAVE_TIMEOUT_S):
                    await consumer.leave_group()

    async def _seek(self, partition: Partition, offset: int) -> int:
        consumer: BatchConsumer = self.consumer
        return await consumer.seek_task(partition, offset)

    async def _on_partitions_revoked(self, revoked: set[TP]) -> None:
        if not self._fail_stop.begun:
            await self.engine.close_tasks()
        await super()._on_partitions_revoked(revoked)

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        consumer: BatchConsumer = self.consumer
        membership = Membership(*consumer.group_membership())
        await super()._on_partitions_assigned(assigned, generation_id)
        ending = self.should_stop or self._fail_stop.begun
        if ending or membership.generation != generation_id or not membership.member_id:
            return  # ending, or expelled while joining; in that case the next assignment follows
        self.engine.open_tasks({Partition(*tp) for tp in assigned}, membership)

    async def _on_agent_error(self, agent: Any, error: BaseException) -> None:
        self.fail_stop(error)

    def fail_stop(self, error: BaseException) -> None:
        """End this process; the supervisor decides about a restart."""
        kafka = self._engine_arguments[2]
        refused = missing_right(error, user=kafka.sasl_username, on_topic=self._rights_on)
        self._fail_stop(error if refused is None else refused, self._engine, self._consumer)

    def _rights_on(self, topic: str) -> str:
        processor, topology = self._engine_arguments[:2]
        changelogs = topology.changelogs(processor).values()
        needs = {
            "Read": topic in {*topology.sources.values(), *changelogs},
            "Write": topic in {*(topology.prefix + name for name in topology.outputs), *changelogs},
        }
        return " and ".join(operation for operation, is_needed in needs.items() if is_needed)


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
