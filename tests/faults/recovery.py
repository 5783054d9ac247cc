"""``make recovery``: how long the engine needs to be back, as a table.

    python -m tests.faults.recovery [--entries 10000 100000 1000000] [--kills 5] [--rebalances 20] [--sessions 6 10]

Three brokers, the toy worker. Restore: one worker with so many state entries in an uncompacted changelog is killed with
-9 and started again at once. Rebalance: the second of two workers leaves by SIGTERM and comes again, under load.
Silence: the second of two is killed with -9, and stays away or is started again at once, with each session time-out,
and with static membership (``group.instance.id``), which the engine does not use: to see what it would bring.
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from statistics import median, quantiles

from benchmarks.machine import facts, load_per_core
from tests.faults.harness import PARTITIONS
from tests.faults.scenarios import SESSION_S, Run, prefill_changelog
from tricast.kafka import Cluster

RATE = 125.0
"""Records per second and partition while workers are killed."""
_OPENED = re.compile(r"tasks\.opened count=\d+ kept=\d+ generation=\d+ entries=(\d+) seconds=([\d.]+)")


def restored(run: Run, entries: int, kills: int) -> tuple[list[float], list[float]]:
    """Return seconds from each kill -9 to the first output of a newer record, and entries/s of each restore."""
    run.prepare()
    prefill_changelog(run, entries // PARTITIONS)
    run.start()
    seen, waits = len(_OPENED.findall(run.workers.logs())), []
    for _ in range(kills):
        run.load_for(1, 3)
        run.workers.kill(0)
        struck = time.monotonic()
        run.flowing(timeout_s=180)
        waits.append(time.monotonic() - struck)
        run.drained()
    opened = _OPENED.findall(run.workers.logs())[seen:]
    return waits, [int(count) / float(seconds) for count, seconds in opened if int(count) >= entries]


def rebalanced(run: Run, times: int) -> tuple[list[float], list[float]]:
    """Return the longest any record waited around each leaving and each joining of a worker, in seconds."""
    run.prepare()
    run.start()
    left, joined = list[float](), list[float]()
    for _ in range(times):
        for waits, move in ((left, _leave), (joined, _join)):
            run.load_for(1, 2)
            since, opened = time.monotonic(), len(_OPENED.findall(run.workers.logs()))
            move(run)
            while len(_OPENED.findall(run.workers.logs())) == opened and time.monotonic() < since + 60:
                time.sleep(0.05)
            run.flowing()
            until = time.monotonic()
            run.drained()
            waits.append(_longest_wait(run, since, until))
    return left, joined


def silenced(run: Run, times: int, *, comes_back: bool) -> list[float]:
    """Return the longest any record waited around each kill -9 of one of two workers, in seconds."""
    run.prepare()
    run.start()
    waits = list[float]()
    for _ in range(times):
        run.load_for(1, 2)
        since = time.monotonic()
        run.workers.end(1)
        if comes_back:
            _join(run)
        # What was sent since then to its partitions comes out once somebody has them again.
        run.load_for(1, 1)
        run.drained()
        until = time.monotonic()
        run.drained()
        waits.append(_longest_wait(run, since, until))
        if not comes_back:
            opened = len(_OPENED.findall(run.workers.logs()))
            _join(run)
            while len(_OPENED.findall(run.workers.logs())) < opened + 2 and time.monotonic() < until + 60:
                time.sleep(0.05)
            run.drained()
    return waits


def _longest_wait(run: Run, since: float, until: float) -> float:
    sent = [(number, at) for number, at in list(run.feeder.acknowledged.items()) if since <= at <= until]
    return max(run.judge.arrived[number] - at for number, at in sent)


def _leave(run: Run) -> None:
    worker = run.workers.processes[1]
    assert worker is not None
    worker.terminate()
    worker.wait(40)
    run.workers.processes[1] = None


def _join(run: Run) -> None:
    run.workers.start(1)


def _spread(seconds: Sequence[float]) -> str:
    top = quantiles(seconds, n=100, method="inclusive")[98] if len(seconds) > 1 else seconds[0]
    return f"{median(seconds):.2f} | {top:.2f} | {max(seconds):.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.recovery", description=__doc__)
    parser.add_argument("--entries", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--rebalances", type=int, default=20)
    parser.add_argument("--sessions", type=float, nargs="*", default=[6, 10])
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--logs", type=Path, default=Path(tempfile.gettempdir()) / "tricast-recovery")
    arguments = parser.parse_args()
    about = facts()
    print(f"{about['date']}, {about['processor']}, load per core {load_per_core():.1f}")
    print(f"session time-out {SESSION_S:.0f} s, {arguments.brokers} brokers\n")
    with Cluster(ephemeral=True, brokers=arguments.brokers) as cluster:
        print("| state entries | kills | first output after kill -9, s: p50 | p99 | max | restored entries/s, p50 |")
        print("|---:|---:|---:|---:|---:|---:|")
        for entries in arguments.entries:
            run = Run(cluster, arguments.logs / f"restore-{entries}", 1, 1, RATE)
            try:
                waits, rates = restored(run, entries, arguments.kills)
            finally:
                run.close()
            print(f"| {entries:,} | {len(waits)} | {_spread(waits)} | {median(rates):,.0f} |", flush=True)
        if arguments.rebalances:
            run = Run(cluster, arguments.logs / "rebalance", 1, 2, RATE)
            try:
                left, joined = rebalanced(run, arguments.rebalances)
            finally:
                run.close()
            print("\n| rebalance | times | longest wait of a record, s: p50 | p99 | max |\n|---|---:|---:|---:|---:|")
            print(f"| a worker leaves (SIGTERM) | {len(left)} | {_spread(left)} |")
            print(f"| a worker joins | {len(joined)} | {_spread(joined)} |")
        if arguments.sessions:
            columns = ("kill -9 of one of two", "session s", "membership", "kills", "longest wait of a record, s: p50")
            print(f"\n| {' | '.join(columns)} | p99 | max |")
            print("|---|---:|---|---:|---:|---:|---:|")
        for session_s, is_static, comes_back in product(arguments.sessions, (False, True), (False, True)):
            logs = arguments.logs / f"silence-{session_s:g}-{is_static:d}-{comes_back:d}"
            run = Run(cluster, logs, 1, 2, RATE, session_s=session_s, is_static=is_static)
            try:
                waits = silenced(run, arguments.kills, comes_back=comes_back)
            finally:
                run.close()
            how = ("comes back at once" if comes_back else "stays away", "static" if is_static else "dynamic")
            print(f"| {how[0]} | {session_s:g} | {how[1]} | {len(waits)} | {_spread(waits)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
