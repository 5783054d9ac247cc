"""What is known about an embedded Kafka at one moment."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

BrokerState = Literal["running", "stopped", "dead", "silent"]
ClusterState = Literal["running", "stopped", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerStatus:
    """One broker.

    Attributes:
        broker: Its number, from 1.
        state: ``running`` answers its port; ``silent`` has a process but no answer; ``dead`` ended without being
            stopped; ``stopped`` was stopped or never started.
        pid: Process id, while there is a process.
        port: Client port.
        log: Kafka's log file.
    """

    broker: int
    state: BrokerState
    pid: int | None
    port: int
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStatus:
    """One embedded Kafka, found by its data directory.

    Attributes:
        state: ``running``: every broker answers; ``stopped``: no broker should run; ``broken``: anything between.
        bootstrap_servers: Comma-separated ``host:port`` list; empty when the data directory is new.
        version: Version of Apache Kafka.
        data_dir: The data directory.
        brokers: Every broker of the data directory, in order.
    """

    state: ClusterState
    bootstrap_servers: str
    version: str
    data_dir: Path
    brokers: tuple[BrokerStatus, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values for ``--json``."""
        plain = asdict(self)
        plain["data_dir"] = str(self.data_dir)
        for broker in plain["brokers"]:
            broker["log"] = str(broker["log"])
        return plain


def cluster_state(brokers: tuple[BrokerStatus, ...]) -> ClusterState:
    """Sum up the states of all brokers."""
    states = {broker.state for broker in brokers}
    if states == {"running"}:
        return "running"
    return "stopped" if states <= {"stopped"} else "broken"
