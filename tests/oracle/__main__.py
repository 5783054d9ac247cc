"""Compare core and oracle over many histories: ``python -m tests.oracle --histories 100000 --jobs 2``.

``--feed fastpath`` and ``--feed rms`` for theirs. Each history has its seed, so whatever is found can be seen again by
``--seed``.
Exits 1 if anything was found.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.oracle.delivery import Raw, random_history
from tests.oracle.fastpath import report as fastpath
from tests.oracle.play import Difference, compare
from tests.oracle.rms import report as rms
from tests.oracle.shrink import difference_over, shrink

PART = 100
"""Histories that one process takes at a time."""
SHOWN = 10
"""Seeds that are named when many disagree."""
_REPORTS = {"fastpath": fastpath, "rms": rms}
console = Console()


def run_part(feed: str, first: int, number: int) -> tuple[list[int], Counter[str]]:
    """Return the seeds on which core and oracle differ, and what the histories held."""
    bad = []
    contents: Counter[str] = Counter()
    for seed in range(first, first + number):
        report = _REPORTS.get(feed)
        found, held = compare(random_history(seed)) if report is None else report.compare_seed(seed)
        contents += held
        if found:
            bad.append(seed)
    return bad, contents


def run(feed: str, first: int, histories: int, jobs: int) -> tuple[list[int], Counter[str]]:
    """Run ``histories`` in ``jobs`` processes, with a bar."""
    bad: list[int] = []
    contents: Counter[str] = Counter()
    parts = [(start, min(PART, first + histories - start)) for start in range(first, first + histories, PART)]
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[bad]} disagree"), TimeRemainingColumn())
    with ProcessPoolExecutor(jobs) as pool, Progress(*columns, console=console) as bar:
        shown = bar.add_task("histories", total=histories, bad=0)
        done = pool.map(run_part, *zip(*((feed, *part) for part in parts), strict=True))
        for (_, number), (seeds, held) in zip(parts, done, strict=True):
            bad += seeds
            contents += held
            bar.update(shown, advance=number, bad=len(bad))
    return bad, contents


def show(feed: str, seed: int) -> bool:
    """Print where core and oracle differ over one history, made small; return whether they do."""
    report = _REPORTS.get(feed)
    if report is not None:
        lines = list(report.lines_of(seed))
        for line in lines or [f"seed {seed}: core and oracle agree"]:
            console.print(line, markup=False, soft_wrap=True, highlight=False)
        return bool(lines)
    delivered = random_history(seed)
    found, _ = compare(delivered)
    for difference in found:
        records = delivered.partitions[difference.partition]
        skew_ms = delivered.copy_skew_ms
        alone = difference_over(records, skew_ms)
        if alone is None:
            console.print("only with the restarts of the history; all of it:", markup=False)
            _print(difference, records)
        else:
            small = shrink(records, skew_ms)
            _print(difference_over(small, skew_ms) or alone, small)
    if not found:
        console.print(f"seed {seed}: core and oracle agree")
    return bool(found)


def _print(difference: Difference, records: list[Raw]) -> None:
    for line in _lines(difference, records):
        console.print(line, markup=False, soft_wrap=True, highlight=False)


def _lines(difference: Difference, records: list[Raw]) -> Iterator[str]:
    yield f"partition {difference.partition}"
    for record in records:
        stamps = {name: value.decode() for name, value in record.headers}
        at_ms = int(stamps["tc-received-ns"]) // 1_000_000
        yield f"{record.offset:4} {at_ms} {stamps['tc-line']} {stamps['tc-kind']} {record.value.decode()}"
    for said in difference.missing:
        yield f"the oracle says     {said}"
    for said in difference.unexpected:
        yield f"the core says       {said}"
    for name, (right, wrong) in difference.counts.items():
        yield f"{name}: the oracle counts {right}, the core {wrong}"
    if difference.disordered:
        yield "the same, in another order"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--feed", choices=("kambi", *_REPORTS), default="kambi")
    parser.add_argument("--histories", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first one")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, help="show one history, made as small as it gets if anything is wrong")
    options = parser.parse_args()
    if options.seed is not None:
        return int(show(options.feed, options.seed))
    began = time.monotonic()
    bad, contents = run(options.feed, options.first, options.histories, options.jobs)
    table = Table("what the histories held", "how often")
    for name, number in sorted(contents.items()):
        table.add_row(name, f"{number:,}")
    console.print(table)
    console.print(
        f"{options.histories:,} histories in {time.monotonic() - began:.0f} s, {len(bad)} of them with a difference"
        f" between core and oracle"
    )
    if bad:
        console.print(f"seeds: {', '.join(map(str, bad[:SHOWN]))}; the first one:")
        show(options.feed, bad[0])
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
