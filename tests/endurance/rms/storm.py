"""``make storm-rms``: fifteen minutes of refusals over three connectors that crash and crash; no limit is broken.

    python -m tests.endurance.rms.storm [--minutes 15] [--seed 1] [--folder DIR]

Three replicas behind one address against a simulator with the vendor's limits. While the storm lasts (429, 500, 401,
half-open connections, slow handshakes; authentication fails too) each of them is killed with SIGKILL every few seconds
and started again. Exit 0 when the simulator never saw more than 10 handshakes in any 60 s nor more than 100 HTTP
requests in any 15 minutes, tokens and look-ups among them, and all three come back by themselves.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from secrets import token_hex

from simulators.rms.ledger import read_ledger
from tests.endurance.rms.stack import RmsStack
from tests.endurance.stack import free_port
from tests.integration.rms.limits import MINUTE_NS, QUARTER_HOUR_NS, handshakes, most_within, requests
from tricast.kafka import Cluster

PREFIX = "storm."
REPLICAS = 3
CRASH_EVERY_S = (2.0, 20.0)
BACK_S = 1_200.0
"""The budget of a quarter of an hour may be used up; then it is over."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.endurance.rms.storm", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tricast-endurance")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    secret_file = folder / "secret"
    secret_file.write_text(f"planted-{token_hex(16)}")
    port = free_port()
    with Cluster(folder / "kafka", brokers=1) as kafka:
        stack = RmsStack(
            bootstrap=kafka.bootstrap_servers,
            prefix=PREFIX,
            folder=folder,
            port=port,
            auth_url=f"http://127.0.0.1:{port}",
            secret_file=secret_file,
            settings={
                "TRICAST_SIMULATOR__RMS__SEED": str(arguments.seed),
                "TRICAST_SIMULATOR__RMS__HTTP_LIMIT_COVERS": '["socket", "auth", "bets"]',
                "TRICAST_SIMULATOR__RMS__PLATFORM__BETS_PER_SECOND": "1",
            },
            replicas=REPLICAS,
        )
        stack.tricast("topics", "create")
        try:
            return _run(stack, arguments)
        finally:
            stack.close()


def _run(stack: RmsStack, arguments: argparse.Namespace) -> int:
    connectors = stack.connectors(REPLICAS)
    stack.start_simulator()
    for name in connectors:
        stack.start(name)
    stack.ask("/simulator/storm", {"for_s": arguments.minutes * 60, "phase_s": 20})
    crashes = _crash(stack, connectors, arguments)
    print(f"the storm is over; crashes: {dict(sorted(crashes.items()))}", flush=True)
    back_s = _await_back(stack)
    # A quarter of an hour may begin before the end of the storm and end after it.
    time.sleep(60)
    codes = {name: stack.end(name) for name in (*connectors, "simulate")}
    tried = handshakes(stack.ledger)
    per_minute = most_within(tried, MINUTE_NS)
    per_quarter = most_within(requests(stack.ledger, all_paths=True), QUARTER_HOUR_NS)
    refused = Counter((line.reason or "")[:3] for line in read_ledger(stack.ledger) if line.kind == "refused")
    print(f"ran {arguments.minutes:g} min, seed {arguments.seed}, in {stack.folder}")
    print(f"crashes: {crashes.total()}; handshakes: {len(tried)}, refused: {dict(sorted(refused.items()))}")
    print(f"most handshakes in any 60 s: {per_minute} of 10; most requests in any 15 min: {per_quarter} of 100")
    print(f"all three joined {back_s:.0f} s after the storm; other ends: {stack.restarts}; exits: {codes}")
    is_back = back_s < BACK_S
    broken = per_minute > 10 or per_quarter > 100 or not is_back or bool(stack.restarts) or any(codes.values())
    print("BROKEN" if broken else "held", flush=True)
    return 1 if broken else 0


def _crash(stack: RmsStack, connectors: tuple[str, ...], arguments: argparse.Namespace) -> Counter[str]:
    chance = Random(arguments.seed)
    crashes: Counter[str] = Counter()
    end = time.monotonic() + arguments.minutes * 60
    due = {name: time.monotonic() + chance.uniform(*CRASH_EVERY_S) for name in connectors}
    while time.monotonic() < end:
        time.sleep(0.2)
        stack.tend()
        for name in connectors:
            if time.monotonic() >= due[name]:
                stack.kill(name)
                crashes[name] += 1
                due[name] = time.monotonic() + chance.uniform(*CRASH_EVERY_S)
    return crashes


def _await_back(stack: RmsStack) -> float:
    """Return how long it took until every replica was joined; ``BACK_S`` if it did not come to that."""
    began = time.monotonic()
    while (waited_s := time.monotonic() - began) < BACK_S:
        stack.tend()
        connections = stack.ask("/simulator/state")["connections"]
        if sum(bool(one["rooms"]) and not one["half_open"] for one in connections) >= REPLICAS:
            return waited_s
        time.sleep(0.5)
    return BACK_S


if __name__ == "__main__":
    sys.exit(main())
