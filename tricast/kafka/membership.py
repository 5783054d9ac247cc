"""Which brokers a data directory has, and on which ports: ``cluster.json``."""

import json
import random
from dataclasses import asdict, dataclass
from typing import Any

from schemas.errors import ConfigurationError
from tricast.kafka.layout import KAFKA_VERSION, DataDir, write_atomically
from tricast.kafka.ports import LOOPBACK, free_ports
from tricast.kafka.settings import Node
from tricast.kafka.storage import new_uuid

WELL_KNOWN_PORT = 9092


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The fixed facts of a data directory (``cluster_id``, number of nodes) and the ports of its last start."""

    cluster_id: str
    nodes: tuple[Node, ...]

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"{LOOPBACK}:{node.port}" for node in self.nodes)

    def save(self, files: DataDir) -> None:
        """Write ``cluster.json``."""
        plain: dict[str, Any] = {"kafka": KAFKA_VERSION, **asdict(self)}
        write_atomically(files.cluster, json.dumps(plain, indent=2) + "\n")


def load(files: DataDir) -> Membership | None:
    """Return what ``cluster.json`` says, ``None`` when the data directory is new.

    Raises:
        ConfigurationError: The file is there but cannot be read.
    """
    try:
        plain = json.loads(files.cluster.read_text())
        return Membership(cluster_id=plain["cluster_id"], nodes=tuple(Node(**node) for node in plain["nodes"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{files.cluster} cannot be read: {error}",
            action=f"restore it, or remove {files.root} to start with an empty Kafka",
        ) from error


def with_free_ports(cluster_id: str, brokers: int, chance: random.Random, prefer: int | None) -> Membership:
    """Return a membership of ``brokers`` nodes on ports that are free now.

    Raises:
        NoFreePort: There are not enough of them.
    """
    ports = free_ports(2 * brokers, chance, prefer)
    nodes = (
        Node(broker=broker, port=ports[broker - 1], controller_port=ports[brokers + broker - 1])
        for broker in range(1, brokers + 1)
    )
    return Membership(cluster_id=cluster_id, nodes=tuple(nodes))


def new_membership(brokers: int, chance: random.Random, prefer: int | None) -> Membership:
    """Return the membership of a new cluster."""
    return with_free_ports(new_uuid(), brokers, chance, prefer)
