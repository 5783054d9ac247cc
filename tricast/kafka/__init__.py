"""The embedded Kafka: a real Apache Kafka from Maven coordinates, on the Java runtime of a pip package.

``Cluster`` starts, stops and watches one broker or three on loopback; ``topics`` makes and compares real topics.
"""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tricast.kafka.cluster import Cluster
    from tricast.kafka.layout import KAFKA_VERSION
    from tricast.kafka.status import BrokerStatus, ClusterStatus

__all__ = ["KAFKA_VERSION", "BrokerStatus", "Cluster", "ClusterStatus"]

_WHERE: Final = MappingProxyType(
    {"Cluster": "cluster", "KAFKA_VERSION": "layout", "BrokerStatus": "status", "ClusterStatus": "status"}
)


def __getattr__(name: str) -> Any:
    """Import a name when it is asked for: ``topics`` is needed where the extra ``local`` is not installed."""
    if name not in _WHERE:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
