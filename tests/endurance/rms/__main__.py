"""``make endurance-rms``: every part of RMS is killed again and again; then each outcome is compared with the truth.

    python -m tests.endurance.rms [--minutes 12] [--rate 4] [--replicas 1] [--brokers 3] [--seed 1] [--folder DIR]

A connector (or two), the three workers and a bet platform on three real brokers. Killed are connectors, workers and
brokers; sockets are cut and closed. Exit 0 when each bet that had to has exactly one outcome, and it is the vendor's or
unverified inside a recorded gap; when the audit is clean; and when no secret stands anywhere it could be read.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from secrets import token_hex

from schemas.topics import TOPICS
from tests.endurance.rms.go_between import GoBetween
from tests.endurance.rms.planted import CommandLines, in_files, in_text, in_topics
from tests.endurance.rms.reader import Reader
from tests.endurance.rms.stack import WORKERS, RmsStack
from tests.endurance.rms.truth import bets, differences
from tests.endurance.stack import free_port
from tricast.kafka import Cluster

PREFIX = "endurance."
STRIKE_EVERY_S = (5.0, 9.0)
BROKER_DOWN_S = 4.0
SETTLE_S = 180.0
"""Longer than the longest window, its look-up's patience and a rebalance."""
SETTINGS = {
    # Windows of seconds, so that thousands of bets end in minutes; the vendor's limits stay as they are, but for
    # look-ups: 50 in 15 minutes would leave nearly all of a gap's bets unverified, and nothing to compare.
    "TRICAST_RMS__WINDOW_PREMATCH_S": "30",
    "TRICAST_RMS__WINDOW_LIVE_S": "12",
    "TRICAST_RMS__ORPHAN_S": "60",
    "TRICAST_RMS__VERIFY_S": "45",
    "TRICAST_RMS__UNANSWERED_S": "60",
    "TRICAST_RMS__LOOKUPS_PER_15_MIN": "5000",
    "TRICAST_RMS__REQUESTS_PER_15_MIN": "6000",
    # Who is killed every minute may not be missed for half of it.
    "TRICAST_ENGINE__SESSION_TIMEOUT_S": "6",
    "TRICAST_ENGINE__HEARTBEAT_INTERVAL_S": "1",
    "TRICAST_ENGINE__TRANSACTION_TIMEOUT_S": "8",
    # A socket that is heard once a second is known to have been whole up to a second ago.
    "TRICAST_SIMULATOR__RMS__PING_INTERVAL_S": "1",
    "TRICAST_SIMULATOR__RMS__PING_TIMEOUT_S": "10",
    "TRICAST_SIMULATOR__RMS__PLATFORM__BETS_PER_SECOND": "0",
    "TRICAST_SIMULATOR__RMS__ACCESS_TOKEN_S": "45",
    "TRICAST_SIMULATOR__RMS__CLOSE_EXPIRED": "true",
    "TRICAST_SIMULATOR__RMS__REFERRED_SHARE": "0.7",
    "TRICAST_SIMULATOR__RMS__TRADER": json.dumps(
        {
            "accept_share": 0.5,
            "reject_share": 0.35,
            "repeat_share": 0.1,
            "amend_share": 0.05,
            "decide_after_s": [0.2, 15.0],
            "shapes": ["object", "string", "list", "two-arguments"],
            "ids": ["both", "slip", "code"],
            "spellings": ["documented", "camel", "snake", "code"],
            "times": ["iso", "iso7", "epoch-ms", "none"],
            "number_share": 0.3,
        }
    ),
    "TRICAST_SIMULATOR__RMS__FAULTS": json.dumps(
        {
            "duplicate_every": 23,
            "unknown_event_every": 31,
            "junk_every": 37,
            "auth_fail_every": 5,
            "slow_s": 2,
            # Not 401: to an exchange it says that the secret is wrong, which ends the connector, as it should.
            "auth_failures": ["429", "500", "html", "no-expiry", "no-refresh-token", "cut", "slow"],
        }
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.endurance.rms", description=__doc__)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--rate", type=float, default=4.0, help="bets per second")
    parser.add_argument("--replicas", type=int, choices=(1, 2), default=1)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tricast-endurance")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    port = free_port()
    secret = f"planted-{token_hex(16)}"
    secret_file = folder / "secret"
    secret_file.write_text(secret)
    secret_file.chmod(0o600)
    with (
        Cluster(folder / "kafka", brokers=arguments.brokers) as kafka,
        GoBetween(f"http://127.0.0.1:{port}") as between,
    ):
        between.given.add(secret)
        stack = RmsStack(
            bootstrap=kafka.bootstrap_servers,
            prefix=PREFIX,
            folder=folder,
            port=port,
            auth_url=between.url,
            secret_file=secret_file,
            settings=SETTINGS
            | {
                "TRICAST_SIMULATOR__RMS__SEED": str(arguments.seed),
                "TRICAST_SIMULATOR__BETS__SEED": str(arguments.seed),
                "TRICAST_SIMULATOR__BETS__BETS_PER_SECOND": str(arguments.rate),
            },
            replicas=arguments.replicas,
        )
        stack.tricast("topics", "create")
        reader = Reader(kafka.bootstrap_servers, PREFIX, TOPICS["rms.decisions"].partitions)
        lines = CommandLines(between.given)
        reader.start()
        lines.start()
        try:
            return _run(stack, kafka, reader, lines, between.given, arguments)
        finally:
            for thread in (reader, lines):
                thread.quit.set()
                thread.join(30)
            stack.close()


def _run(
    stack: RmsStack,
    kafka: Cluster,
    reader: Reader,
    lines: CommandLines,
    secrets: set[str],
    arguments: argparse.Namespace,
) -> int:
    connectors = stack.connectors(arguments.replicas)
    stack.start_all()
    strikes = _strike(stack, kafka, arguments, connectors)
    stack.ask("/simulator/faults", {})
    retired = stack.retire("bets")
    settled_s, left = _settle(stack, reader)
    status = stack.tricast("status", "--json", check=False)
    codes = {"bets": retired} | {name: stack.end(name) for name in (*connectors, *WORKERS, "simulate")}
    printed = stack.tricast("audit", "rms", "--json", "--ledger", str(stack.ledger), check=False)
    audit = json.loads(printed)
    records, shown = in_topics(secrets, kafka.bootstrap_servers, PREFIX)
    # What brokers keep has been read as topics.
    kept = (stack.folder / "kafka").glob("broker-*/data")
    shown += in_files(secrets, stack.folder, but=[stack.folder / "secret", *kept])
    shown += [*in_text(secrets, "status", status), *in_text(secrets, "audit", printed), *lines.found]
    with reader.lock:
        outcomes = Counter(
            (one["outcome"], one["evidence"], one.get("why", ""))
            for decisions in reader.decisions.values()
            for one in decisions
        )
        gaps = {line: len(of_line) for line, of_line in reader.gaps.items()}
        kinds = dict(sorted(reader.kinds.items()))
    print(f"ran {arguments.minutes:g} min, {arguments.rate:g} bets/s, seed {arguments.seed}, in {stack.folder}")
    print(f"strikes: {dict(sorted(strikes.items()))}; other ends: {stack.restarts}; exits: {codes}")
    print(f"bets written: {len(reader.written)}; outcomes:")
    for (outcome, evidence, why), number in sorted(outcomes.items()):
        print(f"    {number:6} {outcome} by {evidence} {why}")
    print(f"records: {kinds}; gaps: {gaps}")
    print(f"differences after {settled_s:.0f} s: {len(left)}")
    print(f"audit: { {key: value for key, value in audit.items() if not isinstance(value, list | dict)} }")
    print(f"secrets looked for: {len(secrets)}, in {records} records, files, {lines.looks} looks at command lines")
    for text in [*left[:30], *shown[:30], *_texts(audit)]:
        print(f"    {text}")
    broken = bool(left or shown or not audit["clean"] or stack.restarts or any(codes.values()))
    print("BROKEN" if broken else "held", flush=True)
    return 1 if broken else 0


def _strike(
    stack: RmsStack, kafka: Cluster, arguments: argparse.Namespace, connectors: tuple[str, ...]
) -> Counter[str]:
    """Strike one part after the other, each kind once in a round, in an order drawn anew."""
    chance = Random(arguments.seed)
    kinds = (connectors, *((worker,) for worker in WORKERS), ("broker",), ("cut", "half-open", "1001", "4401"))
    strikes: Counter[str] = Counter()
    round_: list[tuple[str, ...]] = []
    end = time.monotonic() + arguments.minutes * 60
    next_strike = time.monotonic() + 20
    while time.monotonic() < end:
        time.sleep(0.5)
        stack.tend()
        if time.monotonic() < next_strike:
            continue
        round_ = round_ or chance.sample(kinds, len(kinds))
        target = chance.choice(round_.pop())
        strikes[target] += 1
        match target:
            case "broker":
                _strike_broker(kafka, chance, arguments.brokers)
            case "cut" | "half-open":
                stack.ask("/simulator/close", {"how": target})
            case "1001" | "4401":
                stack.ask("/simulator/close", {"how": int(target)})
            case _:
                stack.kill(target)
        next_strike = time.monotonic() + chance.uniform(*STRIKE_EVERY_S)
        print(f"{end - time.monotonic():5.0f} s left; struck {target}", flush=True)
    return strikes


def _strike_broker(kafka: Cluster, chance: Random, brokers: int) -> None:
    """Kill one broker; the next strike finds all in sync, as a second loss at once would be another experiment."""
    broker = chance.randint(1, brokers)
    kafka.kill_broker(broker)
    time.sleep(BROKER_DOWN_S)
    kafka.start_broker(broker)
    kafka.await_in_sync(120)


def _settle(stack: RmsStack, reader: Reader) -> tuple[float, list[str]]:
    """Return how long it took until nothing differed any more, and what still does after ``SETTLE_S``."""
    began = time.monotonic()
    while True:
        stack.tend()
        with reader.lock:
            # Two sockets of one customer: what is missed by both only can be missed; one gap is then no excuse.
            gaps = _shared([list(of_line.values()) for of_line in reader.gaps.values()])
            left = differences(bets(stack.ledger), reader.written, reader.decisions, gaps)
        waited_s = time.monotonic() - began
        if not left or waited_s > SETTLE_S:
            return waited_s, left
        time.sleep(2.0)


def _shared(lines: list[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """Return the intervals in which every line was away."""
    shared = lines[0] if lines else []
    for other in lines[1:]:
        shared = [
            (max(since, from_), min(until, to))
            for since, until in shared
            for from_, to in other
            if max(since, from_) <= min(until, to)
        ]
    return shared


def _texts(audit: dict) -> list[str]:
    return [f"{kind}: {text}" for kind, texts in audit["findings"].items() for text in texts[:10]]


if __name__ == "__main__":
    sys.exit(main())
