"""``make chaos``: the whole product on three brokers, struck by one fault after another, judged from outside.

    python -m tests.chaos [--seconds 600] [--seed 1] [--only KIND[:LANE]] [--folder DIR]
    python -m tests.chaos --measure DIR…
    python -m tests.chaos --summarize DIR…

Exit 0 when nothing is lost, doubled, out of order or unexplained; 1 when something is, and then everything is kept.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.chaos.fault import Kind
from tests.chaos.faults import KINDS as WORLD_KINDS
from tests.chaos.judges import Result
from tests.chaos.plan import of_feeds
from tests.chaos.product import VENDORS, Product
from tests.chaos.progress import Screen
from tests.chaos.report import together
from tests.chaos.run import finish, run
from tests.chaos.strikes import KINDS as PROCESS_KINDS
from tests.chaos.summary import COLUMNS, FILE, again, rows
from tests.shared_kafka import version_under_test
from tricast.kafka import Cluster

KINDS: Final = (*PROCESS_KINDS, *WORLD_KINDS)
_JUDGED: Final = ("frames", "lost", "duplicated", "out_of_order", "unexpected", "holes")
_SHOWN: Final = 10
_START_S: Final = 180.0
"""A broker that comes back reads its log again, beside everything else on few processors."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", action="append", default=[], metavar="KIND[:LANE]", help="e.g. kill:workers; again for more"
    )
    parser.add_argument(
        "--feeds", default=",".join(VENDORS), help="which feeds the product has  [default: %(default)s]"
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tricast-chaos")
    parser.add_argument("--keep", action="store_true", help="keep the brokers' files of a run that held, too")
    parser.add_argument("--measure", nargs="+", type=Path, metavar="DIR", help="work out what runs came to once more")
    parser.add_argument("--summarize", nargs="+", type=Path, metavar="DIR", help="add up runs, as Markdown")
    arguments = parser.parse_args()
    if arguments.measure or arguments.summarize:
        for folder in arguments.measure or ():
            again(folder)
        if arguments.summarize:
            print(together(arguments.summarize))
        return 0
    # An end by SIGTERM leaves through the front door, too: disks are unmounted, everybody is ended.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    console = Console()
    feeds = arguments.feeds.split(",")
    kinds = _chosen(arguments.only, feeds, parser)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"seed-{arguments.seed}-", dir=arguments.folder))
    with Screen(console) as screen:
        screen.say(f"starting three brokers; everything is in {folder}")
        with Cluster(
            folder / "kafka", ephemeral=True, brokers=3, version=version_under_test(), start_timeout_s=_START_S
        ) as kafka:
            product = Product(folder, kafka, seed=arguments.seed, feeds=feeds)
            held = False
            try:
                result = run(product, kinds, seconds=arguments.seconds, screen=screen)
                finish(product, result, screen)
                held = result.held
            finally:
                if not held or arguments.keep:
                    _keep(kafka)
    _report(console, folder, result)
    return 0 if held else 1


def _chosen(only: list[str], feeds: list[str], parser: argparse.ArgumentParser) -> tuple[Kind, ...]:
    chosen = [
        kind for kind in of_feeds(KINDS, feeds) if not only or {kind.name, f"{kind.name}:{kind.lane}"} & set(only)
    ]
    kinds = []
    for kind in chosen:
        if (why := kind.needs()) is None:
            kinds.append(kind)
        else:
            print(f"without {kind.name}: {why}")
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
    summed = json.loads((folder / FILE).read_text())
    faults = Table(*COLUMNS, title="faults")
    for row in rows(summed["faults"]):
        faults.add_row(*row)
    console.print(faults)
    judged = Table("tricast audit", "clean", *(name.replace("_", " ") for name in _JUDGED), title="judges")
    for feed, audit in result.audits.items():
        judged.add_row(feed, str(audit["clean"]), *(f"{audit[name]:,}" for name in _JUDGED))
    console.print(judged)
    for name in ("counts", "findings", "ends", "gaps"):
        _say(console, f"{name}: {json.dumps(summed[name])}")
    _say(console, f"a reader was blocked for {summed['blocked_s']:.0f} s at most, at {summed['blocked_at']}")
    for problem in result.problems:
        _say(console, problem)
    found = {f"audit {feed}": audit["findings"] for feed, audit in result.audits.items()}
    for judge, findings in (found | {"checker": result.verdict.get("findings", {})}).items():
        for kind, texts in findings.items():
            for text in texts[:_SHOWN]:
                _say(console, f"{judge}, {kind}: {text}")
    _say(console, "held" if result.held else f"BROKEN; all of it is kept in {folder}")


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=False)


if __name__ == "__main__":
    sys.exit(main())
