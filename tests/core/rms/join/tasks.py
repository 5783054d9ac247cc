"""The join's stream tasks in memory: what they send each other is passed on, at once or when a test says so."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from aiokafka.partitioner import murmur2

from processors.core.rms.everywhere import EVERYWHERE
from processors.core.rms.join.processor import RmsJoin
from schemas import codec
from schemas.rms import pending
from schemas.rms.fields import DECISIONS, LOOKUPS, PENDING
from schemas.rms.pending import Alias, Answered, AnyMessage, Evident, Passed, Placed, Time, code_key, slip_key
from tests.core.driver import Driver, Output, Record

PARTITIONS: Final = 4
CUSTOMER: Final = "7"
S: Final = 1_000_000_000
T0: Final = 1_790_000_000 * S
"""Coverage of the customer begins."""
TOPIC: Final = "tricast.rms.pending"


def partition_of(key: bytes) -> int:
    """Return the partition that Kafka's Java client would choose."""
    return int(murmur2(key) & 0x7FFFFFFF) % PARTITIONS


def keys_of(message: AnyMessage) -> tuple[bytes, ...]:
    """Return the keys that a message is sent with."""
    match message:
        case Time() | Passed():
            return EVERYWHERE
        case Alias():
            return (code_key(message.customer, message.code),)
        case Evident(slip=None):
            assert message.code is not None
            return (code_key(message.customer, message.code),)
        case _:
            assert message.slip is not None
            return (slip_key(message.customer, message.slip),)


@dataclass
class Tasks:
    """All tasks of the join; ``at_once``: what they send each other arrives before anything else."""

    at_once: bool = True
    tasks: list[Driver] = field(default_factory=lambda: [Driver(RmsJoin()) for _ in range(PARTITIONS)])
    records: list[Record] = field(default_factory=list)
    waiting: list[deque[bytes]] = field(default_factory=lambda: [deque() for _ in range(PARTITIONS)])

    def send(self, *messages: AnyMessage) -> None:
        """Let routers send messages."""
        for message in messages:
            for key in keys_of(message):
                self.give(partition_of(key), pending.encode(message))

    def give(self, partition: int, value: bytes) -> None:
        """Let one task process one record, and all that comes of it if it is passed on at once."""
        self.waiting[partition].append(value)
        while self.at_once and any(self.waiting):
            for one in range(PARTITIONS):
                self.step(one)

    def step(self, partition: int) -> bool:
        """Let a task process the next record that waits for it; tell whether there was one."""
        if not self.waiting[partition]:
            return False
        task, value = self.tasks[partition], self.waiting[partition].popleft()
        record = Record(
            offset=task.offset,
            value=value,
            headers=(),
            topic=TOPIC,
            partition=partition,
            key=None,
            timestamp=T0 // 10**6,
        )
        self.records.append(record)
        told = len(task.outputs)
        task.feed_record(record)
        for output in task.outputs[told:]:
            if output.topic == PENDING:
                assert output.headers == ()
                self.waiting[partition_of(output.key)].append(output.value)
        return True

    def drain(self) -> None:
        """Let everything arrive."""
        while any(self.waiting):
            for partition in range(PARTITIONS):
                self.step(partition)

    # What they told.

    def told(self, topic: str = DECISIONS) -> list[dict[str, Any]]:
        """Return what was written to a topic, by task; each is checked against its schema."""
        values = []
        for output in (output for task in self.tasks for output in task.outputs if output.topic == topic):
            check(output)
            values.append({"type": output.header("ce_type").split(".")[2], **orjson.loads(output.value)})
        return values

    def short(self) -> list[tuple[str, ...]]:
        """Return decisions, as type and what matters most of it."""
        return [short(value) for value in self.told()]

    def lookups(self) -> list[dict[str, Any]]:
        """Return what was asked."""
        return self.told(LOOKUPS)

    def count(self, what: str) -> int:
        """Return how often something was counted."""
        return sum(task.counts[what] for task in self.tasks)

    def dead(self) -> list[str]:
        """Return the codes of all dead letters."""
        return [letter.code for task in self.tasks for letter in task.dead_letters]

    def entries(self) -> dict[bytes, bytes]:
        """Return all slips and codes in state."""
        return {
            key: value for task in self.tasks for key, value in task.store.entries.items() if key[:1] in (b"s", b"c")
        }


def short(value: dict[str, Any]) -> tuple[str, ...]:
    """Return type, and outcome, evidence and why of a decision; of other records what was said, or why."""
    match value["type"]:
        case "decision":
            why = (value["why"],) if "why" in value else ()
            return ("decision", value["outcome"], value["evidence"], *why)
        case "conflict":
            return ("conflict", value["why"])
        case kind:
            return (kind, value["said"])


def check(output: Output) -> None:
    """Check a record against its schema, and its key and headers."""
    assert output.header("ce_specversion") == "1.0"
    assert output.header("ce_source") == "tricast/rms/join"
    record = codec.decode(output.header("ce_type"), output.value)
    assert record.topic == output.topic
    value = orjson.loads(output.value)
    slip, code = value.get("bet_slip_id"), value.get("bet_code")
    if output.topic == LOOKUPS:
        assert output.key == CUSTOMER.encode()
    else:
        assert output.key == (f"{CUSTOMER}/{slip}" if slip else f"{CUSTOMER}/code:{code}").encode()
    assert output.header("ce_subject") == (slip or code)


# Messages, with times in seconds after T0.


def placed(slip: str = "s1", at: float = 10, **changes: Any) -> Placed:
    values: dict[str, Any] = {
        "context": "live",
        "stake": "10.00",
        "odds": ("1.95",),
        "platform": "4021",
        "placed_ns": ns(at),
        "logged_ns": ns(at),
        "content": "c1",
        "position": "tricast.rms.bets/0/1",
    }
    return Placed(customer=CUSTOMER, slip=slip, **{**values, **changes})


def answered(
    slip: str = "s1", at: float = 11, disposition: Any = "referred", code: str | None = "k1", **changes: Any
) -> Answered:
    values: dict[str, Any] = {"answered_ns": ns(at), "logged_ns": ns(at), "position": "tricast.rms.bets/0/2"}
    return Answered(customer=CUSTOMER, slip=slip, disposition=disposition, code=code, **{**values, **changes})


def alias(slip: str = "s1", code: str = "k1", position: str = "tricast.rms.bets/0/2") -> Alias:
    return Alias(customer=CUSTOMER, code=code, slip=slip, position=position)


def bet(slip: str = "s1", at: float = 10, disposition: Any = "referred", code: str | None = "k1") -> list[AnyMessage]:
    """Return what the bets router sends for a bet and its answer."""
    messages: list[AnyMessage] = [placed(slip, at), answered(slip, at + 1, disposition, code)]
    return messages if code is None else [*messages, alias(slip, code)]


def approval(
    said: Any = "accept",
    at: float = 20,
    raw: int = 100,
    *,
    slip: str | None = "s1",
    code: str | None = None,
    before: int = 0,
    **changes: Any,
) -> Evident:
    """Return an approval; one by code alone is number ``before + 1``."""
    return Evident(
        customer=CUSTOMER,
        slip=slip,
        code=code,
        evidence="approval",
        said=said,
        raw=(2, raw, 0),
        received_ns=ns(at),
        ordinal=before + 1 if slip is None else 0,
        by_code_before=before,
        **changes,
    )


def looked_up(
    said: Any = None, at: float = 20, raw: int = 100, *, slip: str = "s1", status: int = 200, **changes: Any
) -> Evident:
    return Evident(
        customer=CUSTOMER,
        slip=slip,
        code="k1",
        evidence="looked_up",
        said=said,
        status=status,
        raw=(2, raw, 0),
        received_ns=ns(at + 1),
        **{"requested_ns": ns(at), **changes},
    )


def time(at: float, since: float | None = 0, by_code: int = 0, proven: float | None = None) -> Time:
    """Return time and coverage; proven up to now."""
    if since is None:
        return Time(customer=CUSTOMER, now_ns=ns(at), by_code=by_code)
    return Time(
        customer=CUSTOMER,
        now_ns=ns(at),
        since_ns=ns(since),
        proven_ns=ns(at if proven is None else proven),
        by_code=by_code,
    )


def ns(at: float) -> int:
    return T0 + round(at * S)
