"""``make endurance``: hours of simulated offering with drops, delays, duplicates and kills; then the truth is compared.

    python -m tests.endurance [--minutes 12] [--speed 10] [--events 24] [--seed 1] [--folder DIR]

Two connectors (hot standby) and two workers on a real Kafka. Exit 0 when, after the offering stood still: every event,
offer, outcome, score and clock that a consumer of the normalized topics knows is the simulator's; no older price came
as current and no record twice; the audit is clean; and what push did not bring out lies in recorded gaps.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from tests.endurance.compare import differences, unannounced
from tests.endurance.missing import missing, outside
from tests.endurance.reader import Reader
from tests.endurance.stack import Stack, free_port
from tricast.kafka import Cluster

PREFIX = "endurance."
SETTLE_S = 120.0
SLACK_NS = 5_000_000_000
"""What was handed to a socket shortly before it broke was on its way: the gap begins with the last frame received."""
STRIKE_EVERY_S = (15.0, 35.0)
FAULTS = {
    "drop_every_s": "13",
    "duplicate_every": "40",
    "delay_every_line": "3",
    "delay_ms": "3000",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.endurance", description=__doc__)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--events", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=VALUE", help="a further simulator fault")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tricast-endurance")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=_made(arguments.folder)))
    faults = FAULTS | dict(fault.split("=", 1) for fault in arguments.fault)
    port = free_port()
    settings = {
        "TRICAST_KAMBI__PUSH_URL": f"ws://127.0.0.1:{port}",
        "TRICAST_KAMBI__OFFERING_URL": f"http://127.0.0.1:{port}",
        "TRICAST_SIMULATOR__KAMBI__SEED": str(arguments.seed),
        "TRICAST_SIMULATOR__KAMBI__SPEED": str(arguments.speed),
        "TRICAST_SIMULATOR__KAMBI__EVENTS_LIVE": str(arguments.events),
        "TRICAST_KAMBI__SNAPSHOT_INTERVAL_S": "10",
        "TRICAST_KAMBI__DISCOVERY_INTERVAL_S": "5",
        **{f"TRICAST_SIMULATOR__KAMBI__FAULTS__{name.upper()}": value for name, value in faults.items()},
    }
    with Cluster(folder / "kafka") as kafka:  # kept: what it holds explains a difference
        stack = Stack("kambi", "kambi", kafka.bootstrap_servers, PREFIX, folder, port, settings)
        stack.tricast("topics", "create")
        reader = Reader(kafka.bootstrap_servers, PREFIX, partitions=4, log=folder / "records.jsonl")
        reader.start()
        try:
            return _run(stack, reader, arguments)
        finally:
            reader.quit.set()
            reader.join(30)
            stack.close()


def _run(stack: Stack, reader: Reader, arguments: argparse.Namespace) -> int:
    chance = Random(arguments.seed)
    stack.start_all()
    end = time.monotonic() + arguments.minutes * 60
    next_strike = time.monotonic() + 20
    strikes: list[str] = []
    while time.monotonic() < end:
        time.sleep(0.5)
        stack.tend()
        if time.monotonic() >= next_strike:
            strikes.append(chance.choice(("connect-a", "connect-b", "worker-0", "worker-1")))
            stack.kill(strikes[-1])
            next_strike = time.monotonic() + chance.uniform(*STRIKE_EVERY_S)
            left_s = end - time.monotonic()
            print(f"{left_s:5.0f} s left; killed {strikes[-1]}; {reader.records.total()} records", flush=True)
    stack.ask("/simulator/faults", {})
    stack.ask("/simulator/pause", {})
    vendor = stack.ask("/simulator/state")
    settled_s, left = _settle(stack, reader, vendor)
    codes = {name: stack.end(name) for name in ("connect-a", "connect-b", "simulate")}
    audit = json.loads(stack.tricast("audit", "kambi", "--json", "--ledger", str(stack.ledger), check=False))
    unseen, unexplained = outside(missing(stack.ledger, reader.pushed), audit["gaps"], SLACK_NS)
    offers = sum(len(event["offers"]) for event in vendor.values())
    print(f"ran {arguments.minutes:g} min at {arguments.speed:g}x, seed {arguments.seed}, in {stack.folder}")
    print(f"kills: {len(strikes)}; other ends: {stack.restarts}; exits: {codes}")
    print(f"final state: {len(vendor)} events, {offers} offers; {len(left)} differences after {settled_s:.0f} s")
    print(f"events to come whose announcement fell into a gap: {len(unannounced(reader.offering, vendor))}")
    print(f"records: {dict(sorted(reader.records.items()))}")
    print(f"not brought out by push: {unseen}, outside recorded gaps: {len(unexplained)}")
    print(f"wrong on the way: {dict(reader.wrong)}")
    keys = ("clean", "frames", "normalized", "duplicates", "lost", "duplicated", "out_of_order", "unexpected", "holes")
    print(f"audit: { {key: audit[key] for key in keys} } gaps: {len(audit['gaps'])} ledger: {audit['ledger']}")
    for text in [*left[:20], *unexplained[:20], *reader.examples, *_texts(audit)]:
        print(f"    {text}")
    broken = bool(left or unexplained or reader.wrong or not audit["clean"] or stack.restarts or any(codes.values()))
    print("BROKEN" if broken else "held", flush=True)
    return 1 if broken else 0


def _settle(stack: Stack, reader: Reader, vendor: dict) -> tuple[float, list[str]]:
    """Return how long it took until nothing differed any more, and what still does after ``SETTLE_S``."""
    began = time.monotonic()
    while True:
        stack.tend()
        with reader.lock:
            left = differences(reader.offering, vendor)
        waited_s = time.monotonic() - began
        if not left or waited_s > SETTLE_S:
            return waited_s, left
        time.sleep(0.5)


def _texts(audit: dict) -> list[str]:
    return [f"{kind}: {text}" for kind, texts in audit["findings"].items() for text in texts[:10]]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
