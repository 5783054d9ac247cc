"""Three brokers under one connector, struck one way after another; every frame is compared, byte for byte.

    python -m tests.outage.three [STRIKE:SECONDS …] [--rate 500] [--request-timeout-ms 40000] [--replication 3]

Prints for each strike what was spooled, how long it took to drain, how busy the connector was; exits 1 if a frame is
missing, out of order, or not the one that was sent.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.connectors import raw_topic
from tests.connectors.vendor import vendor
from tests.outage.__main__ import Pace, spool_bytes
from tests.outage.judge import Judge, follow
from tests.outage.strikes import STRIKES, Site
from tricast.kafka import Cluster

PREFIX = "outage."
DEFAULT = (
    "all-killed:5 all-paused:5 leader-killed:35 leader-paused:35 leader-moves:5 two-killed:35 two-paused:35 "
    "leader-slow:35 leader-disk-full:5 all-paused:35 all-killed:35 all-paused:130 all-killed:130"
)
_BETWEEN_S = 5.0
_DRAINED_S = 180.0


class ExactJudge(Judge):
    """Compares each frame with the one that was sent; keeps none."""

    def __init__(self, filling: str) -> None:
        super().__init__()
        self._filling = filling
        self.next = 0
        self.wrong: list[str] = []

    def take(self, headers: dict[str, str], value: bytes) -> None:
        super().take(headers, value)
        while self.values:
            kept = self.values.pop()
            if not kept.startswith(b'2["message"'):
                continue
            if kept != f'2["message","{self.next} {self._filling}"]'.encode():
                self.wrong.append(f"frame {self.next} expected, {kept[:40]!r} found")
                self.next = int(kept.split(b'"')[3].split()[0])
            self.next += 1


@dataclass(frozen=True)
class Strike:
    """One of :data:`STRIKES`, for so many seconds."""

    name: str
    seconds: float


def strike_of(text: str) -> Strike:
    """Return what ``NAME:SECONDS`` says."""
    name, _, seconds = text.partition(":")
    if name not in STRIKES:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(STRIKES)}")
    return Strike(name, float(seconds or 5))


async def run(arguments: argparse.Namespace, cluster: Cluster, directory: Path) -> int:
    topic = raw_topic.create(cluster.bootstrap_servers, PREFIX, replication=arguments.replication)
    log_path = directory / "connector.log"
    async with vendor() as server:
        settings = {
            "KAFKA__BOOTSTRAP_SERVERS": cluster.bootstrap_servers,
            "KAFKA__REQUEST_TIMEOUT_MS": arguments.request_timeout_ms,
            "TOPIC_PREFIX": PREFIX,
            "KAMBI__PUSH_URL": server.url,
            "KAMBI__OFFERING_URL": server.url,
            "KAMBI__EVENTS": "",
            "KAMBI__SHARDS": 1,
            "KAMBI__SETTLEMENTS": "false",
            "KAMBI__SNAPSHOTS": "false",
        }
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TRICAST_")}
        environment |= {f"TRICAST_{key}": str(value) for key, value in settings.items()}
        with log_path.open("wb") as log:
            command = [sys.executable, "-m", "tricast", "connect", "kambi"]
            child = await asyncio.create_subprocess_exec(
                *command, cwd=directory, env=environment, stdout=log, stderr=log
            )
        process = psutil.Process(child.pid)
        pace = Pace(await server.connected(), arguments.rate, frame_bytes=300)
        pacing = asyncio.create_task(pace.run())
        for strike in arguments.strikes:
            await asyncio.sleep(_BETWEEN_S)
            await asyncio.to_thread(cluster.await_in_sync)
            before, cpu, told = pace.sent, sum(process.cpu_times()[:2]), log_path.stat().st_size
            began = time.monotonic()
            held = STRIKES[strike.name](Site(cluster, topic, process))
            await asyncio.to_thread(held.__enter__)
            struck = time.monotonic()
            await asyncio.sleep(strike.seconds)
            away_s, spooled = time.monotonic() - struck, spool_bytes(directory)
            busy = (sum(process.cpu_times()[:2]) - cpu) / (time.monotonic() - began)
            await asyncio.to_thread(held.__exit__, None, None, None)
            back = time.monotonic()
            while spool_bytes(directory) and time.monotonic() - back < _DRAINED_S:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.05)
            lines = log_path.read_bytes()[told:].decode(errors="replace").splitlines()
            events = Counter(event for line in lines if (event := _event(line)))
            print(
                f"{strike.name} {away_s:.0f} s: {pace.sent - before} frames, {spooled / 1e6:.1f} MB spooled, "
                f"drained {time.monotonic() - back:.1f} s after it, connector's cpu {busy:.0%}, "
                f"log lines {len(lines)}: {dict(events)}",
                flush=True,
            )
        await asyncio.sleep(_BETWEEN_S)
        pace.end()
        await pacing
        child.terminate()
        code = await child.wait()
    judge = ExactJudge(pace.filling)
    await asyncio.to_thread(
        follow, cluster.bootstrap_servers, topic, judge, lambda j: j.verdict.kinds.get("closed", 0) > 0, patience_s=60
    )
    verdict = judge.verdict
    print(
        f"judged: exit={code} sent={pace.sent} in_kafka={judge.next} told_lost={verdict.lost} "
        f"wrong={len(judge.wrong)} repeats={verdict.repeats} holes={len(verdict.holes)} kinds={verdict.kinds}",
        flush=True,
    )
    for text in [*verdict.holes[:10], *judge.wrong[:10]]:
        print(f"    {text}", flush=True)
    held_all = code == 0 and judge.next == pace.sent and not verdict.lost and not verdict.holes and not judge.wrong
    return 0 if held_all else 1


def _event(line: str) -> str | None:
    """Return the event's name of a line of the connector's log: its first word with a dot in it."""
    return next((word for word in line.split() if "." in word and "=" not in word and word[0].isalpha()), None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.outage.three", description=__doc__)
    parser.add_argument("strikes", nargs="*", type=strike_of, metavar="STRIKE:SECONDS")
    parser.add_argument("--rate", type=float, default=500.0, help="frames a second")
    parser.add_argument("--request-timeout-ms", type=int, default=40_000)
    parser.add_argument("--replication", type=int, default=3, choices=(1, 3))
    arguments = parser.parse_args()
    arguments.strikes = arguments.strikes or [strike_of(text) for text in DEFAULT.split()]
    with (
        tempfile.TemporaryDirectory(prefix="tricast-outage-") as directory,
        Cluster(ephemeral=True, brokers=3) as cluster,
    ):
        code = asyncio.run(run(arguments, cluster, Path(directory)))
        if code:
            print((Path(directory) / "connector.log").read_text(errors="replace")[-5000:])
        return code


if __name__ == "__main__":
    sys.exit(main())
