"""What the brokers are told: ``server.properties`` and the logging configuration."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.topics import RAW_MESSAGE_BYTES
from tricast.kafka.layout import NodeFiles
from tricast.kafka.ports import LOOPBACK

_HEADROOM_BYTES = 1024 * 1024  # record headers, keys, batch and request framing around a value of the largest size


@dataclass(frozen=True, slots=True)
class Node:
    """One broker's address: its number (from 1), its client port and its controller port."""

    broker: int
    port: int
    controller_port: int


def server_properties(node: Node, nodes: Sequence[Node], storage: Path) -> str:
    """Return ``server.properties`` of one combined broker and controller."""
    replicas = min(3, len(nodes))
    in_sync = 2 if replicas == 3 else 1
    message = RAW_MESSAGE_BYTES + _HEADROOM_BYTES
    settings: dict[str, str | int] = {
        "process.roles": "broker,controller",
        "node.id": node.broker,
        # Static voters: their ports may change between starts, which a dynamic quorum keeps in its log.
        "controller.quorum.voters": ",".join(f"{n.broker}@{LOOPBACK}:{n.controller_port}" for n in nodes),
        "listeners": f"PLAINTEXT://{LOOPBACK}:{node.port},CONTROLLER://{LOOPBACK}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{node.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(storage),
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "num.partitions": 4,
        # Internal topics: few partitions, for a quick start and quick failover.
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": 4,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        # Groups: no wait for members that may still come; short sessions allowed.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 3_000,
        # A dead worker's open transaction is looked for this often once its time-out has passed.
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 2_000,
        # 8 MiB messages pass every hop.
        "message.max.bytes": message,
        "replica.fetch.max.bytes": message,
        "replica.fetch.response.max.bytes": 2 * message,
        "socket.request.max.bytes": 100 * 1024 * 1024,
        "log.segment.delete.delay.ms": 1_000,
        # Failover within seconds: a killed broker is fenced, and out of the in-sync sets, after this.
        "broker.session.timeout.ms": 6_000,
        "broker.heartbeat.interval.ms": 1_000,
        "controller.quorum.election.timeout.ms": 500,
        "controller.quorum.election.backoff.max.ms": 500,
        "controller.quorum.fetch.timeout.ms": 2_000,
        # Small machine: two cores shared with everything else.
        "num.network.threads": 2,
        "num.io.threads": 4,
        "num.recovery.threads.per.data.dir": 2,
        "log.cleaner.threads": 1,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def log4j2_properties(files: NodeFiles) -> str:
    """Return a log4j2 configuration that keeps Kafka's log in a bounded file."""
    return f"""\
status = error
name = tricast
# Kafka logs while it shuts down; log4j must not close the file first.
shutdownHook = disable
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {files.log}
appender.file.filePattern = {files.log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd HH:mm:ss,SSS}} %p %m (%c)%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


def java_options(brokers: int) -> list[str]:
    """Return the options of the Java runtime for one of ``brokers`` brokers on this machine."""
    heap = "512m" if brokers == 1 else "384m"
    return [
        f"-Xms{heap}",
        f"-Xmx{heap}",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",  # would leave files in /tmp after a SIGKILL
        "-Djava.awt.headless=true",
        "--enable-native-access=ALL-UNNAMED",  # compression libraries
        "--sun-misc-unsafe-memory-access=allow",  # Kafka 4.3 unmaps its indexes by it; Java warns on each start
    ]
