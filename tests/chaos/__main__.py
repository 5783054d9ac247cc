"""``make chaos``: the whole product on three brokers, struck by one fault after another, judged from outside.

    python -m tests.chaos [--seconds 600] [--seed 1] [--only KIND[:TARGET]] [--folder DIR]

Exit 0 when nothing is lost, doubled, out of order or unexplained; 1 when something is, and then everything is kept.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.fault import Kind
from tests.chaos.progress import Screen
from tests.chaos.run import Result, run
from tests.chaos.strikes import KINDS
from tricast.kafka import Cluster


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", action="append", default=[], metavar="KIND[:LANE]", help="e.g. kill:workers; again for more"
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tricast-chaos")
    parser.add_argument("--keep", action="store_true", help="keep the brokers' files of a run that held, too")
    arguments = parser.parse_args()
    console = Console()
    kinds = _chosen(arguments.only, parser)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"seed-{arguments.seed}-", dir=arguments.folder))
    with Screen(console) as screen:
        screen.say(f"starting three brokers; everything is in {folder}")
        with Cluster(folder / "kafka", ephemeral=True, brokers=3) as kafka:
            try:
                result = run(folder, kafka, kinds, seed=arguments.seed, seconds=arguments.seconds, screen=screen)
                held = result.held
            except BaseException:
                _keep(kafka)
                raise
            if not held or arguments.keep:
                _keep(kafka)
    _report(console, folder, result)
    return 0 if held else 1


def _chosen(only: list[str], parser: argparse.ArgumentParser) -> tuple[Kind, ...]:
    kinds = []
    for kind in KINDS:
        if only and not {kind.name, f"{kind.name}:{kind.lane}"} & set(only):
            continue
        kinds.append(kind)
    if not kinds:
        parser.error(f"no such kind; there are {', '.join(f'{kind.name}:{kind.lane}' for kind in KINDS)}")
    return tuple(kinds)


def _keep(kafka: Cluster) -> None:
    """An ephemeral cluster removes its files where it expects them, also when this process is killed."""
    for broker in kafka.brokers:
        if kafka.pid(broker) is not None:
            kafka.kill_broker(broker)
    shutil.move(kafka.files.root, kafka.files.root.with_name("kafka-kept"))


def _report(console: Console, folder: Path, result: Result) -> None:
    table = Table("audit", "clean", "frames", "normalized", "lost", "duplicated", "out of order", "unexpected", "holes")
    for feed, audit in result.audits.items():
        keys = ("clean", "frames", "normalized", "lost", "duplicated", "out_of_order", "unexpected", "holes")
        table.add_row(feed, *(str(audit[key]) for key in keys))
    console.print(table)
    for problem in result.problems:
        console.print(problem, highlight=False, soft_wrap=True, markup=False)
    for feed, audit in result.audits.items():
        for kind, texts in audit["findings"].items():
            for text in texts[:5]:
                console.print(f"{feed} {kind}: {text}", highlight=False, soft_wrap=True, markup=False)
    console.print(json.dumps(result.verdict.get("counts", {})), soft_wrap=True)
    console.print("held" if result.held else f"BROKEN; see {folder}")


if __name__ == "__main__":
    sys.exit(main())
