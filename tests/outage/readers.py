"""The connectors' readers of Kafka under strikes: what processors ask for has to arrive, once and in order.

    python -m tests.outage.readers [STRIKE:SECONDS …] [--rate 20]

Three brokers, the readers of ``fastpath.commands`` and ``rms.lookups``, and a producer of another client library
that writes numbered records to both. Prints for each strike how long each reader was silent after it; exits 1 if one
missed a record, got one out of order, or is stuck.
"""

import argparse
import asyncio
import json
import logging
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import psutil
from aiokafka import ConsumerRecord
from confluent_kafka import Producer

from connectors.clock import SystemClock
from connectors.fastpath.commands import COMMANDS_TOPIC, CommandReader
from connectors.rms.lookup_queue import Wanted
from connectors.rms.lookup_reader import LOOKUPS_TOPIC, LookUpReader
from schemas.kafka import KafkaSettings
from tests.connectors import raw_topic
from tests.outage.strikes import STRIKES, Site
from tests.outage.three import strike_of
from tricast.kafka import Cluster

PREFIX = "outage."
CUSTOMER = "90210"
DEFAULT = (
    "leader-killed:10 leader-paused:15 leader-moves:5 two-killed:15 all-killed:5 all-paused:5 "
    "all-paused:45 all-killed:45"
)
_BETWEEN_S = 5.0
_CAUGHT_UP_S = 120.0


class Heard:
    """What a reader was given: numbers, each of which has to be the next one."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.next = 0
        self.wrong: list[str] = []
        self.repeats = 0

    def take(self, number: int) -> None:
        if number < self.next:
            self.repeats += 1
        elif number > self.next:
            self.wrong.append(f"{self.topic}: {number} after {self.next - 1}")
        self.next = max(self.next, number + 1)


class Commands(Heard):
    """Stands where :class:`connectors.fastpath.commands.Commands` does."""

    def carry_out(self, records: Sequence[ConsumerRecord]) -> None:
        for record in records:
            self.take(int(record.value or b""))


class Queue(Heard):
    """Stands where :class:`connectors.rms.lookup_queue.LookUpQueue` does."""

    def ask(self, wanted: Wanted, now_ns: int) -> str:
        self.take(int(wanted.bet_slip_id or ""))
        return "taken"

    def recorded(self, *_: object) -> None:
        raise AssertionError("nothing is answered here")


class Asking(threading.Thread):
    """Writes numbers to partition 0 of both topics until told to stop."""

    def __init__(self, bootstrap: str, rate: float) -> None:
        super().__init__(daemon=True)
        self._rate = rate
        self.over = threading.Event()
        self.written: dict[str, int] = {COMMANDS_TOPIC: 0, LOOKUPS_TOPIC: 0}
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "linger.ms": 1,
                "message.timeout.ms": 600_000,
                "log_level": 2,
            }
        )

    def run(self) -> None:
        number, began = 0, time.monotonic()
        while not self.over.is_set():
            now_ns = time.time_ns()
            look_up = {
                "customer": CUSTOMER,
                "bet_slip_id": str(number),
                "bet_code": "k",
                "why": "gap",
                "asked_ns": now_ns,
            }
            look_up |= {"until_ns": now_ns + 10**12}
            self._write(COMMANDS_TOPIC, str(number))
            self._write(LOOKUPS_TOPIC, json.dumps(look_up), [("ce_type", b"tricast.rms.lookup.v1")])
            number += 1
            while (ahead := began + number / self._rate - time.monotonic()) > 0:
                self._producer.poll(min(ahead, 0.05))
        self._producer.flush(120)

    def _write(self, topic: str, value: str, headers: Any = None) -> None:
        def delivered(error: object, _: object) -> None:
            assert error is None, error
            self.written[topic] += 1

        self._producer.produce(PREFIX + topic, value, partition=0, headers=headers, on_delivery=delivered)


async def run(arguments: argparse.Namespace, cluster: Cluster) -> int:
    bootstrap = cluster.bootstrap_servers
    for name in (COMMANDS_TOPIC, LOOKUPS_TOPIC, "rms.raw"):
        raw_topic.create(bootstrap, PREFIX, name=name, replication=3)
    kafka, clock, stop = KafkaSettings(bootstrap_servers=bootstrap), SystemClock(), asyncio.Event()
    commands, queue = Commands(COMMANDS_TOPIC), Queue(LOOKUPS_TOPIC)
    stand_in: Any = (commands, queue)
    reader = CommandReader(kafka, topic=PREFIX + COMMANDS_TOPIC, commands=stand_in[0], stop=stop, clock=clock)
    look_ups = LookUpReader(kafka, prefix=PREFIX, customer=CUSTOMER, back_s=3600, queue=stand_in[1], clock=clock)
    reading = [asyncio.create_task(reader.run()), asyncio.create_task(look_ups.run())]
    await reader.ready.wait()
    await look_ups.caught_up.wait()
    asking = Asking(bootstrap, arguments.rate)
    asking.start()
    process = psutil.Process()
    heard: tuple[Heard, ...] = (commands, queue)
    stuck = False
    for strike in arguments.strikes:
        await asyncio.sleep(_BETWEEN_S)
        await asyncio.to_thread(cluster.await_in_sync)
        held = STRIKES[strike.name](Site(cluster, PREFIX + COMMANDS_TOPIC, process))
        await asyncio.to_thread(held.__enter__)
        cpu, began = sum(process.cpu_times()[:2]), time.monotonic()
        await asyncio.sleep(strike.seconds)
        busy = (sum(process.cpu_times()[:2]) - cpu) / (time.monotonic() - began)
        await asyncio.to_thread(held.__exit__, None, None, None)
        back = time.monotonic()
        waits = await asyncio.gather(*(_caught_up(each, asking) for each in heard))
        stuck |= None in waits
        said = ", ".join(
            f"{each.topic} {'STUCK' if wait is None else f'{wait - back:.1f} s'}"
            for each, wait in zip(heard, waits, strict=True)
        )
        print(f"{strike.name} {strike.seconds:.0f} s: caught up after {said}; cpu {busy:.0%}", flush=True)
    asking.over.set()
    await asyncio.to_thread(asking.join)
    await asyncio.gather(*(_caught_up(each, asking) for each in heard))
    stop.set()
    reading[1].cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    wrong = [text for each in heard for text in each.wrong]
    for each in heard:
        written = asking.written[each.topic]
        print(f"{each.topic}: written {written}, heard {each.next}, repeats {each.repeats}, wrong {len(each.wrong)}")
    print("\n".join(wrong[:10]))
    complete = all(each.next == asking.written[each.topic] for each in heard)
    return 0 if complete and not wrong and not stuck else 1


async def _caught_up(heard: Heard, asking: Asking) -> float | None:
    """Return when ``heard`` had what was written by now; ``None``: it did not come in time."""
    deadline = time.monotonic() + _CAUGHT_UP_S
    wanted, first = asking.written[heard.topic], asking.written[heard.topic]
    while heard.next < wanted or asking.written[heard.topic] == first:
        if time.monotonic() > deadline:
            return None
        if asking.over.is_set() and heard.next >= wanted:
            break
        await asyncio.sleep(0.05)
    return time.monotonic()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.outage.readers", description=__doc__)
    parser.add_argument("strikes", nargs="*", type=strike_of, metavar="STRIKE:SECONDS")
    parser.add_argument("--rate", type=float, default=20.0, help="records a second and topic")
    arguments = parser.parse_args()
    arguments.strikes = arguments.strikes or [strike_of(text) for text in DEFAULT.split()]
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # as in the product; ours are shown
    with Cluster(ephemeral=True, brokers=3) as cluster:
        return asyncio.run(run(arguments, cluster))


if __name__ == "__main__":
    sys.exit(main())
