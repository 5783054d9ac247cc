"""The load of the job: frames as a connector writes them, and the topics of one run."""

import uuid
from types import MappingProxyType

import orjson

from benchmarks.job import CHILDREN, OUT, PARTITIONS, RAW
from schemas.raw import Header, RawHeaders
from schemas.topics import Topic, changelog

EVENTS_PER_PARTITION = 250
TEMPLATE_CHILDREN = 4_000
"""Children in the different frame bodies of one partition; these repeat after that, their headers do not."""
REGISTRY = MappingProxyType(
    {
        topic.name: topic
        for topic in (
            Topic(name=RAW, description="Kambi-shaped frames.", key="shard", partitions=PARTITIONS),
            Topic(name=OUT, description="One record per child.", key="event id", partitions=PARTITIONS),
            Topic(name="bench.dead-letters", description="Must stay empty.", key="shard", partitions=PARTITIONS),
            changelog("bench", RAW, PARTITIONS),
        )
    }
)


class Frames:
    """Makes frames: number ``n`` goes to partition ``n % PARTITIONS``, numbered per line like a connector does."""

    def __init__(self, children: int = CHILDREN) -> None:
        self._templates_per_partition = TEMPLATE_CHILDREN // children
        self._connections = [str(uuid.uuid4()) for _ in range(PARTITIONS)]
        self._templates = [
            [_packet(partition, number, children) for number in range(self._templates_per_partition)]
            for partition in range(PARTITIONS)
        ]

    def frame(self, number: int, received_ns: int) -> tuple[int, bytes, list[Header]]:
        """Return partition, value and headers of frame ``number`` (from 0)."""
        nth, partition = divmod(number, PARTITIONS)
        headers = RawHeaders(
            feed="kambi",
            line=f"kambi-{partition}-general",
            connection=self._connections[partition],
            frame=nth + 1,
            received_ns=received_ns,
            kind="frame",
        )
        return partition, self._templates[partition][nth % self._templates_per_partition], headers.to_kafka()


def _packet(partition: int, number: int, count: int) -> bytes:
    children = []
    for index in range(count):
        event = (number * 7 + index * 31) % EVENTS_PER_PARTITION * PARTITIONS + partition
        outcomes = [
            {
                "id": 4_345_000_000 + event * 3 + side,
                "betOfferId": 2_500_000_000 + event,
                "odds": (thousandths := 1_100 + (number * 13 + index * 7 + side * 501) % 4_000),
                "oddsFractional": f"{thousandths // 50 - 20}/20",
                "oddsAmerican": str(thousandths // 10 - 100 or 1),
            }
            for side in range(2 if event // PARTITIONS % 3 else 3)  # over/under, 1X2
        ]
        boou = {"eventId": 1_020_000_000 + event, "outcomes": outcomes}
        children.append({"t": str(1_790_000_000_000 + number * 20 + index), "mt": 11, "boou": boou})
    return b"2" + orjson.dumps(["message", orjson.dumps(children).decode()])
