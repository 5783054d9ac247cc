"""``make faults``: all fault scenarios on three brokers, judged from outside.

    python -m tests.faults [--seed N] [--times N] [--rate N] [--kafka VERSION] [--logs DIR]
                           [--stock-faust GUARANTEE] [NAME …]

Prints a line per scenario; exits 1 if any record was lost, doubled or out of order.
"""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.scenarios import SCENARIOS, complaints, execute
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
    arguments = parser.parse_args()
    chosen = [scenario for scenario in SCENARIOS if not arguments.names or scenario.name in arguments.names]
    if not chosen:
        parser.error(f"no such scenario; there are {', '.join(scenario.name for scenario in SCENARIOS)}")
    logging.disable()  # the producers of this process meet faults on purpose
    broken = 0
    with Cluster(ephemeral=True, brokers=3, version=arguments.kafka, start_timeout_s=START_TIMEOUT_S) as cluster:
        for number, scenario in enumerate(chosen, 1):
            began = time.monotonic()
            times = scenario.times if arguments.times is None or scenario.prefill else arguments.times
            try:
                run = execute(
                    scenario, cluster, arguments.logs, arguments.seed, times, arguments.rate, arguments.stock_faust
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


if __name__ == "__main__":
    sys.exit(main())
