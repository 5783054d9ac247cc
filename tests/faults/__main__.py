"""``make faults``: all fault scenarios on three brokers, judged from outside.

    python -m tests.faults [--seed N] [--times N] [--rate N] [--kafka VERSION] [--logs DIR]
                           [--stock-faust GUARANTEE] [--from REVISION] [NAME …]

Prints a line per scenario; exits 1 if any record was lost, doubled or out of order.
"""

import argparse
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.scenarios import SCENARIOS, complaints, execute, upgrade
from tricast.kafka import KAFKA_VERSION, Cluster

START_TIMEOUT_S = 300.0
"""A busy machine is no finding of these scenarios."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", help="scenarios to run; all when none is named")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, help="strikes per scenario instead of each one's own number")
    parser.add_argument("--rate", type=float, help="records a second and partition at most, for a busy machine")
    parser.add_argument("--kafka", default=KAFKA_VERSION, help="which Kafka; its jars must be pinned")
    parser.add_argument("--logs", type=Path, default=Path(tempfile.gettempdir()) / "tricast-faults")
    parser.add_argument(
        "--stock-faust",
        choices=["at_least_once", "exactly_once"],
        help="let a plain Faust agent with this guarantee do the job, to see what the engine is for",
    )
    parser.add_argument("--from", dest="older", metavar="REVISION", help="of git: the older version of `upgrade`")
    arguments = parser.parse_args()
    wanted = set(arguments.names) or {one.name for one in SCENARIOS if arguments.older or one.strike is not upgrade}
    chosen = [scenario for scenario in SCENARIOS if scenario.name in wanted]
    if not chosen:
        parser.error(f"no such scenario; there are {', '.join(scenario.name for scenario in SCENARIOS)}")
    logging.disable()  # the producers of this process meet faults on purpose
    broken = 0
    with (
        tempfile.TemporaryDirectory(prefix="tricast-older-") as folder,
        Cluster(ephemeral=True, brokers=3, version=arguments.kafka, start_timeout_s=START_TIMEOUT_S) as cluster,
    ):
        older = None if arguments.older is None else _checkout(arguments.older, Path(folder))
        for number, scenario in enumerate(chosen, 1):
            began = time.monotonic()
            times = scenario.times if arguments.times is None or scenario.prefill else arguments.times
            try:
                run = execute(
                    scenario,
                    cluster,
                    arguments.logs,
                    arguments.seed,
                    times,
                    arguments.rate,
                    arguments.stock_faust,
                    older,
                )
                found, line = complaints(scenario, run), run.judge.verdict.line()
                line += f" exits={sorted({code for _, code in run.workers.exits})}x{len(run.workers.exits)}"
                line += "".join(f" [{remark}]" for remark in run.remarks)
            except Exception as error:  # the report goes on with the next scenario
                found, line = [repr(error)[:4000]], "failed"
            broken += bool(found)
            print(
                f"[{number}/{len(chosen)}] {'BROKEN' if found else 'held'} {scenario.name} seed={arguments.seed}"
                f" strikes={times} {time.monotonic() - began:.0f}s {line}",
                flush=True,
            )
            for text in found:
                print(f"    {text}", flush=True)
    print(f"{len(chosen) - broken} held, {broken} broken", flush=True)
    return 1 if broken else 0


def _checkout(revision: str, root: Path) -> Path:
    """Put a copy of ``revision`` into ``root``, and return that."""
    archive = subprocess.run(["git", "archive", revision], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(root)], input=archive, check=True)
    return root


if __name__ == "__main__":
    sys.exit(main())
