"""When each record reached its source topic: what recovery is measured from."""

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from tests.chaos.recovery import Arrivals

_BATCH: Final = 5_000
_PATIENCE_S: Final = 60.0
_MILLISECOND_NS: Final = 1_000_000


def arrivals(bootstrap: str, ends: Mapping[str, int]) -> Arrivals:
    """Read sources up to ``ends``, offsets by ``<physical topic>/<partition>``.

    Of raw topics only frames count: control records come whether or not a vendor is heard.

    Raises:
        TimeoutError: Nothing comes for a minute before the ends are reached.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "arrivals",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "log_level": 0,
        }
    )
    left = {place: end for place, end in ends.items() if end > 0}
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    consumer.assign(
        [TopicPartition(topic, int(number), OFFSET_BEGINNING) for topic, _, number in (p.rpartition("/") for p in left)]
    )
    deadline = time.monotonic() + _PATIENCE_S
    while left:
        for message in consumer.consume(_BATCH, 1.0):
            if message.error() is not None:
                continue
            deadline = time.monotonic() + _PATIENCE_S
            place = f"{message.topic()}/{message.partition()}"
            if (at_ns := _arrived_ns(message)) is not None:
                found[place].append((at_ns, message.offset() or 0))
        for place in list(left):
            topic, _, number = place.rpartition("/")
            # Past the markers of transactions, which are records to nobody.
            if consumer.position([TopicPartition(topic, int(number))])[0].offset >= left[place]:
                del left[place]
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing more of {left}")
    consumer.close()
    return {place: sorted(of_place) for place, of_place in found.items()}


def _arrived_ns(message: Message) -> int | None:
    headers = dict(message.headers() or ())
    if "tc-received-ns" not in headers:
        return message.timestamp()[1] * _MILLISECOND_NS
    kind, received_ns = headers.get("tc-kind"), headers["tc-received-ns"]
    return int(received_ns) if kind == b"frame" and received_ns is not None else None
