"""Judge a run: ``python -m tests.chaos.checker FOLDER [--bootstrap HOST:PORT,…] [--segments DIR…]``.

    FOLDER       holds history.jsonl, the vendors' ledgers and final states, and records.sqlite of the follower
    --bootstrap  reads what the follower has not, or everything where there was none; Kafka has to run
    --segments   the brokers' log directories, after they were stopped: judges transactions and replicas, too

Prints a table, writes ``FOLDER/verdict.json``. Exit 0: held; 1: it did not.
"""

import argparse
import sys
import time
from pathlib import Path

from tests.chaos.checker.cabinet import Cabinet
from tests.chaos.checker.follow import DATABASE, Follower
from tests.chaos.checker.group_offsets import Committed
from tests.chaos.checker.history import read_lines, told
from tests.chaos.checker.judge import judge
from tests.chaos.checker.logs import judge_logs
from tests.chaos.checker.samples import judge_samples
from tests.chaos.checker.verdict import Verdict


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.checker", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bootstrap")
    parser.add_argument("--segments", "--logs", type=Path, nargs="+", default=[], metavar="DIR")
    parser.add_argument("--prefix", help="of the topics; else as the history says")
    arguments = parser.parse_args()
    began_s = time.monotonic()
    folder: Path = arguments.folder
    history = told(read_lines(folder / "history.jsonl"))
    prefix = arguments.prefix if arguments.prefix is not None else history.run["prefix"]
    cabinet = Cabinet(folder / DATABASE)
    verdict = Verdict()
    if arguments.bootstrap:
        follower = Follower(arguments.bootstrap, prefix, cabinet)
        if not follower.finish():
            verdict.find("unreadable", "a reader with read_committed was held back for a minute")
        follower.close()
    judge(folder, cabinet, history, prefix, verdict)
    kept = judge_logs(arguments.segments, prefix, cabinet, verdict) if arguments.segments else set[Committed]()
    judge_samples(read_lines(folder / "history.jsonl"), verdict, kept=kept)
    for strike, number in history.strikes.items():
        verdict.count(f"strikes: {strike}", number)
    verdict.figures["judged in, s"] = round(time.monotonic() - began_s, 1)
    cabinet.close()
    verdict.write(folder / "verdict.json")
    print(verdict.table())
    return 0 if verdict.held else 1


if __name__ == "__main__":
    sys.exit(main())
