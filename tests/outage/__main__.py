"""Kafka away for minutes: a real connector, a broker that is stopped, and a vendor that goes on.

    python -m tests.outage [--minutes 10] [--rate 500] [--how paused|killed] [--spool-bytes N]

Prints what went to disk, how long it took to drain, and memory; exits 1 if a frame is missing or out of order.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.connectors import raw_topic
from tests.connectors.vendor import Peer, vendor
from tests.outage.judge import Judge, follow
from tricast.kafka import Cluster

PREFIX = "outage."
FRAME_BYTES = 1400
_BEFORE_S = 5.0
_AFTER_S = 5.0


class Pace:
    """Sends numbered frames at a rate until told to stop."""

    def __init__(self, peer: Peer, rate: float, *, frame_bytes: int = FRAME_BYTES) -> None:
        self._peer = peer
        self._rate = rate
        self._over = asyncio.Event()
        self.filling = os.urandom(frame_bytes // 2).hex()
        self.sent = 0

    async def run(self) -> None:
        began = time.monotonic()
        while not self._over.is_set():
            for _ in range(max(1, int((time.monotonic() - began) * self._rate) - self.sent)):
                await self._peer.send(f'2["message","{self.sent} {self.filling}"]')
                self.sent += 1
            await asyncio.sleep(0.01)

    def end(self) -> None:
        self._over.set()


def spool_bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.glob("**/*.sqlite"))


async def run(arguments: argparse.Namespace, cluster: Cluster, directory: Path) -> int:
    topic = raw_topic.create(cluster.bootstrap_servers, PREFIX)
    number = cluster.brokers[0]
    async with vendor() as server:
        settings = {
            "KAFKA__BOOTSTRAP_SERVERS": cluster.bootstrap_servers,
            "TOPIC_PREFIX": PREFIX,
            "KAMBI__PUSH_URL": server.url,
            "KAMBI__OFFERING_URL": server.url,
            "KAMBI__EVENTS": "",
            "KAMBI__SHARDS": 1,
            "KAMBI__SETTLEMENTS": "false",
            "KAMBI__SNAPSHOTS": "false",
            "KAMBI__SPOOL_BYTES": arguments.spool_bytes,
        }
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TRICAST_")}
        environment |= {f"TRICAST_{key}": str(value) for key, value in settings.items()}
        with (directory / "connector.log").open("wb") as log:
            command = [sys.executable, "-m", "tricast", "connect", "kambi"]
            child = await asyncio.create_subprocess_exec(
                *command, cwd=directory, env=environment, stdout=log, stderr=log
            )
        process = psutil.Process(child.pid)
        pace = Pace(await server.connected(), arguments.rate)
        pacing = asyncio.create_task(pace.run())
        await asyncio.sleep(_BEFORE_S)
        calm_rss, cpu = process.memory_info().rss, sum(process.cpu_times()[:2])
        before = pace.sent
        print(f"before: {before} frames sent, connector {calm_rss / 1e6:.0f} MB", flush=True)

        away = time.monotonic()
        await asyncio.to_thread(cluster.pause_broker if arguments.how == "paused" else cluster.kill_broker, number)
        peak_rss = calm_rss
        told = away
        while time.monotonic() - away < arguments.minutes * 60:
            await asyncio.sleep(0.5)
            peak_rss = max(peak_rss, process.memory_info().rss)
            if time.monotonic() - told >= 60:
                told = time.monotonic()
                print(
                    f"away {told - away:.0f} s: {pace.sent - before} frames sent, "
                    f"spool {spool_bytes(directory) / 1e6:.0f} MB, connector {process.memory_info().rss / 1e6:.0f} MB",
                    flush=True,
                )
        away_s, sent = time.monotonic() - away, pace.sent - before
        used = sum(process.cpu_times()[:2]) - cpu
        size = spool_bytes(directory)
        print(
            f"spooled: {sent} frames in {away_s:.0f} s ({sent / away_s:.0f}/s), {size / 1e6:.0f} MB on disk, "
            f"cpu {used / away_s:.0%}, peak {peak_rss / 1e6:.0f} MB",
            flush=True,
        )

        back = time.monotonic()
        await asyncio.to_thread(cluster.resume_broker if arguments.how == "paused" else cluster.start_broker, number)
        up_s = time.monotonic() - back
        while spool_bytes(directory):
            await asyncio.sleep(0.05)
            peak_rss = max(peak_rss, process.memory_info().rss)
        drained_s = time.monotonic() - back
        print(
            f"drained: {drained_s:.1f} s after Kafka was asked back ({up_s:.1f} s until it served), "
            f"{pace.sent - before - sent} frames came meanwhile, {(pace.sent - before) / drained_s:.0f} frames/s, "
            f"peak {peak_rss / 1e6:.0f} MB",
            flush=True,
        )
        await asyncio.sleep(_AFTER_S)
        pace.end()
        await pacing
        child.terminate()
        code = await child.wait()
    judge = Judge()
    await asyncio.to_thread(
        follow, cluster.bootstrap_servers, topic, judge, lambda j: j.verdict.kinds.get("closed", 0) > 0, patience_s=60
    )
    verdict = judge.verdict
    numbers = [int(value.split(b'"')[3].split()[0]) for value in judge.values if value.startswith(b'2["message"')]
    in_order = numbers == sorted(set(numbers))
    missing = pace.sent - len(numbers)
    print(
        f"judged: exit={code} sent={pace.sent} in_kafka={len(numbers)} told_lost={verdict.lost} in_order={in_order} "
        f"repeats={verdict.repeats} holes={len(verdict.holes)} kinds={verdict.kinds}",
        flush=True,
    )
    for hole in verdict.holes[:10]:
        print(f"    {hole}", flush=True)
    return 0 if code == 0 and in_order and missing == verdict.lost and not verdict.holes else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.outage", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=500.0, help="frames a second")
    parser.add_argument("--how", choices=("paused", "killed"), default="paused")
    parser.add_argument("--spool-bytes", type=int, default=2 * 1024**3)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="tricast-outage-") as directory,
        Cluster(ephemeral=True, brokers=1) as cluster,
    ):
        code = asyncio.run(run(arguments, cluster, Path(directory)))
        if code:
            print((Path(directory) / "connector.log").read_text(errors="replace")[-5000:])
        return code


if __name__ == "__main__":
    sys.exit(main())
