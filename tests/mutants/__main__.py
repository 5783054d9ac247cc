"""Run the mutants: ``python -m tests.mutants [name …]``.

Each mutant is patched into a copy of the tree, never into the working tree, and only the tests it names run there,
all over one Kafka. First the same tests run on an unpatched copy: they must be green. Exits 1 if a mutant survives.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tests.mutants.catalogue import MUTANTS, Mutant, StaleMutant
from tricast.kafka import Cluster

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("connectors", "processors", "schemas", "simulators", "tests", "tricast", "pyproject.toml", "README.md")
RUN_TIMEOUT_S = 300
GREEN_TIMEOUT_S = 600
PYTEST_FAILED = 1
"""pytest's exit code for "tests ran, some failed"; any other is no kill but a broken run."""
console = Console()


def copy_tree(target: Path) -> Path:
    """Copy what tests need."""
    ignore = shutil.ignore_patterns("__pycache__", "node_modules", "*.pyc")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignore)
        elif source.exists():
            shutil.copy(source, target / name)
    return target


def run_tests(tree: Path, tests: tuple[str, ...], bootstrap: str, timeout_s: float, *more: str) -> tuple[int, str]:
    """Run tests in ``tree``; return pytest's exit code and output."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "120", *more, *tests]
    environment = os.environ | {
        "TRICAST_TEST_KAFKA": bootstrap,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with subprocess.Popen(
        command, cwd=tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            output, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            return PYTEST_FAILED, output + f"\nFAILED by time-out after {timeout_s:.0f} s"
    return process.returncode, output


def failed_tests(output: str) -> list[str]:
    lines = [line for line in output.splitlines() if line.startswith(("FAILED tests/", "ERROR tests/", "FAILED by"))]
    return [line.split(" - ")[0].rpartition("::")[2] or line for line in lines]


def judge(mutant: Mutant, bootstrap: str, scratch: Path) -> tuple[Mutant, str, float]:
    """Return what became of ``mutant``: the first test that killed it, SURVIVED or why it could not be judged."""
    began = time.monotonic()
    tree = copy_tree(scratch / mutant.name)
    try:
        for edit in mutant.edits:
            path = tree / edit.path
            path.write_text(edit.apply(path.read_text()))
    except StaleMutant as stale:
        return mutant, f"STALE {stale}", 0.0
    code, output = run_tests(tree, mutant.tests, bootstrap, RUN_TIMEOUT_S, "-x")
    (scratch / f"{mutant.name}.log").write_text(output)
    shutil.rmtree(tree)
    if code == 0:
        result = "SURVIVED"
    elif code == PYTEST_FAILED:
        result = ", ".join(failed_tests(output)) or "time-out"
    else:
        result = f"BROKEN RUN (pytest exit code {code})\n{output[-500:]}"
    return mutant, result, time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="mutants to run; all when none is named")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time")
    parser.add_argument("--logs", type=Path, help="keep each run's output in this directory")
    parser.add_argument("--skip-green", action="store_true", help="do not run the tests on the unpatched tree first")
    options = parser.parse_args()
    unknown = set(options.names) - {mutant.name for mutant in MUTANTS}
    if unknown:
        parser.error(f"no such mutant: {', '.join(sorted(unknown))}")
    chosen = [mutant for mutant in MUTANTS if not options.names or mutant.name in options.names]
    with (
        tempfile.TemporaryDirectory(prefix="tricast-mutants-") as scratch,
        Cluster(ephemeral=True, brokers=1) as broker,
    ):
        table, spared = run(chosen, broker.bootstrap_servers, Path(scratch), options.jobs, green=not options.skip_green)
        if options.logs:
            options.logs.mkdir(parents=True, exist_ok=True)
            for log in Path(scratch).glob("*.log"):
                shutil.copy(log, options.logs)
    if table is not None:
        console.print(table)
    return 1 if spared else 0


def run(chosen: list[Mutant], bootstrap: str, scratch: Path, jobs: int, *, green: bool) -> tuple[Table | None, int]:
    """Judge all; return the table and how many were not killed."""
    if green:
        tests = tuple(sorted({test for mutant in chosen for test in mutant.tests}))
        console.print(f"{len(tests)} named tests on the unpatched tree …")
        began = time.monotonic()
        code, output = run_tests(copy_tree(scratch / "green"), tests, bootstrap, GREEN_TIMEOUT_S)
        if code != 0:
            console.print(output[-5000:], markup=False)
            console.print("these tests must be green before they can judge a mutant")
            return None, 1
        console.print(f"green after {time.monotonic() - began:.0f} s")
    table = Table(
        Column("mutant", no_wrap=True), Column("property removed"), Column("killed by", overflow="fold"), "seconds"
    )
    spared = 0
    with ThreadPoolExecutor(jobs) as pool:
        for number, (mutant, result, seconds) in enumerate(
            pool.map(lambda mutant: judge(mutant, bootstrap, scratch), chosen), 1
        ):
            alive = result.startswith(("SURVIVED", "STALE", "BROKEN"))
            spared += alive
            console.print(
                f"{number}/{len(chosen)} {mutant.name}: {result} ({seconds:.0f} s)", markup=False, soft_wrap=True
            )
            table.add_row(mutant.name, mutant.removes, Text(result, style="red" if alive else ""), f"{seconds:.0f}")
    return table, spared


if __name__ == "__main__":
    sys.exit(main())
