"""Replay many dead letters while the worker is killed: `python -m tests.dlq --letters 1000 --kills 5`."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.dlq.deployment import DEAD, OFFERS, RAW, Deployment, header
from tricast.cli.main import run
from tricast.kafka import Cluster

SECONDS_PER_KILL = 8.0
"""A worker needs some to join, for the one before it was not seen off."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Cluster(ephemeral=True, brokers=3) as cluster:
        deployment = Deployment(cluster.bootstrap_servers, "dlq.", Path(folder), patience_s=300)
        os.environ |= deployment.environment
        try:
            print(json.dumps(replayed_under_kills(deployment, arguments.letters, arguments.kills, arguments.seed)))
            raise SystemExit(run(["audit", "kambi"]))
        finally:
            deployment.kill()


def replayed_under_kills(deployment: Deployment, letters: int, kills: int, seed: int) -> dict[str, int]:
    """Have all letters replayed, one request twice, and kill the worker on the way; return what was counted."""
    chance = random.Random(seed)
    deployment.start()
    deployment.prices(letters)
    deployment.until(DEAD, lambda found: len(found) == letters)
    deployment.bug.unlink()
    command = [sys.executable, "-m", "tricast", "dlq", "replay", "--feed", "kambi", "--code", "processor-error"]
    command += ["--limit", "100000", "--yes", "--rate", str(letters / (kills * SECONDS_PER_KILL))]
    struck = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as asking:
        while asking.poll() is None or struck < kills:
            deployment.kill()  # before the first request: it waits for the mended code
            deployment.start()
            time.sleep(chance.uniform(0.2, 2 * SECONDS_PER_KILL))
            struck += 1
    assert asking.returncode == 0
    assert run([*command[3:-2]]) == 0  # every letter a second time
    deployment.kill()
    deployment.start()
    refused = deployment.until(DEAD, lambda found: len(found) == 2 * letters)[letters:]
    offers = deployment.until(OFFERS, lambda found: len(found) >= 2 * letters)
    ids = Counter(header(offer, "ce_id") for offer in offers)
    wanted = {f"{deployment.prefix}{RAW}/0/{offset}/0" for offset in range(1, letters + 1)}
    marked = [header(offer, "ce_id") for offer in offers if header(offer, "ce_replayed")]
    return {
        "letters": letters,
        "kills": struck,
        "came out": len(marked),
        "missing": len(wanted - set(marked)),
        "not asked for": len(set(marked) - wanted),
        "more than once": sum(number > 1 for number in ids.values()),
        "second requests refused": sum("replayed before" in header(one, "tc-detail") for one in refused),
    }


if __name__ == "__main__":
    main()
