"""Start in the middle: load what holds now from ``kambi.state``, then follow the facts, none missed and none twice.

Needs ``confluent-kafka``. Try it: ``python follow_kambi.py 127.0.0.1:9092 tricast.``
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

Json = dict[str, Any]
FACTS = ("kambi.events", "kambi.offers", "kambi.scores")
PRICE = ("odds_thousandths", "starting_price", "odds_fractional", "odds_american")


class Offering(dict[str, Json]):
    """What holds now, by the keys of ``kambi.state``: ``7#event``, ``7#play``, ``7#offer/9``."""

    def apply(self, kind: str, fact: Json) -> None:
        """Apply one fact; ``kind`` is ``ce_type`` without ``tricast.kambi.`` and version."""
        if fact.get("late"):
            return  # history
        event = fact["event_id"]
        if kind in {"event.removed", "scores.removed"}:
            self.pop(f"{event}#event" if kind == "event.removed" else f"{event}#play", None)
        elif kind.startswith("event."):
            self._event(f"{event}#event", kind, fact)
        elif kind in {"offers.removed", "offers.suspended"}:
            for key in [key for key in self if key.startswith(f"{event}#offer/")]:
                if kind == "offers.removed":
                    del self[key]
                else:
                    self[key]["suspended"] = True
        elif "offer_id" in fact:
            self._offer(f"{event}#offer/{fact['offer_id']}", kind, fact)
        else:
            self._play(f"{event}#play", kind, fact)

    def _event(self, key: str, kind: str, fact: Json) -> None:
        known = self.get(key, {})
        match kind:
            case "event.added" | "event.opened":
                self[key] = {name: known[name] for name in ("state", "description") if name in known} | fact
            case "event.state-changed":
                self[key] = known | {"state": fact["state"]}
            case "event.description-changed" if "description" in fact:
                self[key] = known | {"description": fact["description"]}
            case "event.description-changed":
                known.pop("description", None)

    def _play(self, key: str, kind: str, fact: Json) -> None:
        match kind:
            case "clock.removed":
                self.get(key, {}).pop("clock", None)
            case "clock.changed" | "score.changed" | "statistics.changed":
                self.setdefault(key, {})[kind.partition(".")[0]] = fact
            case "live-statistic.changed":
                statistics = self.setdefault(key, {}).setdefault("live_statistics", {})
                statistics[fact["occurrence_type_id"]] = fact["value"]

    def _offer(self, key: str, kind: str, fact: Json) -> None:
        current = [outcome for outcome in fact.get("outcomes", ()) if not outcome.get("late")]
        if kind == "offer.removed":
            self.pop(key, None)
            return
        if kind == "offer.added":
            self[key] = fact | {"visible": True, "outcomes": current}
            return
        if kind != "offer.status-changed" and not current:
            return
        offer = self.setdefault(key, {"outcomes": []})
        if kind == "offer.status-changed":
            offer.update(fact)
        outcomes = {outcome["id"]: outcome for outcome in offer["outcomes"]}
        for outcome in current:
            known = outcomes.pop(outcome["id"], {})
            if kind == "odds.changed":
                known = {name: value for name, value in known.items() if name not in PRICE}
            if kind == "outcomes.added":
                known = {}
            if kind != "outcomes.removed":
                outcomes[outcome["id"]] = known | outcome
        offer["outcomes"] = list(outcomes.values())


class Follower:
    """Some partitions of the states, all of them or this instance's share, and those of the facts that belong to them.

    Topics of facts may have grown: there are as many partitions of them as of the states, or a multiple. The states of
    an event are in partition n modulo that of the states, where n is its partition in the facts.

    Args:
        bootstrap_servers: Of Kafka.
        prefix: Of all topics.
        partitions: Which of the states.
        more: Further settings of the consumer, e.g. TLS and user.

    Attributes:
        offering: What holds now.
        stands_at: Where the states stand: by topic and partition of facts, the last offset that is in them.
    """

    def __init__(self, bootstrap_servers: str, prefix: str, partitions: Iterable[int], **more: Any) -> None:
        self.offering = Offering()
        self.stands_at: dict[tuple[str, int], int] = {}
        self._prefix = prefix
        self._partitions = list(partitions)
        self._counts: dict[str, int] = {}
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": "example-team.follow-kambi",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,  # the state says where to begin, not the group
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
            | more
        )

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def load(self) -> None:
        """Read ``kambi.state`` to its end, one partition beside the other."""
        topic, left = self._prefix + "kambi.state", set(self._partitions)
        self._consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in left])
        while left:
            message = self._consumer.poll(1.0)
            if message is None:
                continue
            if _is_end(message):
                left.discard(message.partition() or 0)
                continue
            # ce_id of a state is the place of the fact that it was changed by; of a tombstone, too.
            facts, partition, offset, _ = _header(message, "ce_id").rsplit("/", 3)
            place = (facts, int(partition))
            self.stands_at[place] = max(self.stands_at.get(place, -1), int(offset))
            key, value = (message.key() or b"").decode(), message.value()
            if value is None:
                self.offering.pop(key, None)
            else:
                self.offering[key] = json.loads(value)
                self.offering[key].pop("main_line", None)  # no fact says where it moves to

    def follow(self) -> Iterator[Message | None]:
        """Apply facts from right behind the states, and yield each; ``None`` whenever a partition's end is reached."""
        states = self._count(self._prefix + "kambi.state")
        self._consumer.assign(
            [
                # Without any state of it, from its beginning.
                TopicPartition(topic, number, self.stands_at.get((topic, number), OFFSET_BEGINNING - 1) + 1)
                for topic in (self._prefix + name for name in FACTS)
                for number in range(self._count(topic))
                if number % states in self._partitions
            ]
        )
        while True:
            message = self._consumer.poll(1.0)
            if message is None:
                continue
            if _is_end(message):
                yield None
                continue
            if not self._is_home(message):
                continue  # from before its topic grew; it is in the states
            kind = _header(message, "ce_type").removeprefix("tricast.kambi.").rpartition(".")[0]
            self.offering.apply(kind, json.loads(message.value() or b"{}"))
            yield message

    def _count(self, topic: str) -> int:
        if topic not in self._counts:
            self._counts[topic] = len(self._consumer.list_topics(topic, timeout=30).topics[topic].partitions)
        return self._counts[topic]

    def _is_home(self, message: Message) -> bool:
        home = (murmur2(message.key() or b"") & 0x7FFFFFFF) % self._count(message.topic() or "")
        return home == message.partition()


def murmur2(key: bytes) -> int:
    """Return the hash of Java's default partitioner."""
    value, rest = 0x9747B28C ^ len(key), len(key) % 4
    for at in range(0, len(key) - rest, 4):
        part = int.from_bytes(key[at : at + 4], "little") * 0x5BD1E995 & 0xFFFFFFFF
        value = value * 0x5BD1E995 & 0xFFFFFFFF ^ (part ^ part >> 24) * 0x5BD1E995 & 0xFFFFFFFF
    if rest:
        value = (value ^ int.from_bytes(key[-rest:], "little")) * 0x5BD1E995 & 0xFFFFFFFF
    value = (value ^ value >> 13) * 0x5BD1E995 & 0xFFFFFFFF
    return value ^ value >> 15


def _is_end(message: Message) -> bool:
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    return error is not None


def _header(message: Message, name: str) -> str:
    content = dict(message.headers() or []).get(name)
    return content.decode() if isinstance(content, bytes) else ""


def main(bootstrap_servers: str, prefix: str) -> None:
    """Say what is offered now, and how many facts have come since."""
    follower = Follower(bootstrap_servers, prefix, range(4))
    with closing(follower):
        follower.load()
        print(f"{len(follower.offering)} states")
        for number, message in enumerate(follower.follow(), 1):
            if message is None:
                print(f"{number} facts, {len(follower.offering)} states")


if __name__ == "__main__":
    main(*sys.argv[1:])
