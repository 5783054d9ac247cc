"""The embedded Kafka: a real Apache Kafka from Maven coordinates, on the Java runtime of a pip package.

``Cluster`` starts, stops and watches one broker or three on loopback; ``topics`` makes and compares real topics.
"""

from tricast.kafka.cluster import Cluster
from tricast.kafka.layout import KAFKA_VERSION
from tricast.kafka.status import BrokerStatus, ClusterStatus

__all__ = ["KAFKA_VERSION", "BrokerStatus", "Cluster", "ClusterStatus"]
