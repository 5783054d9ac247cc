"""``make fuzz``: a million inputs into everything that reads what a vendor sends.

Each input is known by target, seed and session, so a finding is repeated with ``--target kambi --session 1/kambi/17``.
Failures are printed, made small, and kept as JSON (values in base64).
"""

import argparse
import base64
import hashlib
import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.fuzz.run import TARGETS, Result, one_session, pieces, run
from tests.fuzz.session import Found
from tests.fuzz.watch import HANG_S, watching

_TOLD = 25_000
"""Inputs between two lines of progress where nobody watches a bar."""


def main() -> None:
    """Run and exit 1 when anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="changed inputs, over all targets")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="only this one; may be repeated")
    parser.add_argument("--session", help="play this one session and no other, e.g. 1/kambi/17")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(".tricast/fuzz"), help="where failing inputs are kept")
    arguments = parser.parse_args()
    began = time.monotonic()
    if arguments.session:
        result = Result()
        with watching():
            one_session(TARGETS[arguments.session.split("/")[1]], arguments.session, result)
    else:
        result = _run(arguments)
    _print(result, time.monotonic() - began, arguments.keep)
    sys.exit(1 if result.found or result.died else 0)


def _run(arguments: argparse.Namespace) -> Result:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("inputs", total=arguments.inputs)
        told = 0

        def progress(so_far: Result) -> None:
            nonlocal told
            bar.update(task, completed=so_far.inputs.total())
            if not console.is_terminal and so_far.inputs.total() >= told + _TOLD:
                told = so_far.inputs.total()
                console.print(f"{told:,} inputs, {len(so_far.found)} kinds of failures, {len(so_far.died)} pieces lost")

        work = pieces(arguments.target or list(TARGETS), arguments.inputs, arguments.seed)
        return run(work, arguments.jobs, progress)


def _print(result: Result, seconds: float, keep: Path) -> None:
    table = Table("target")
    table.add_column("inputs", justify="right")
    table.add_column("failures", justify="right")
    for name in TARGETS:
        if result.inputs[name]:
            failures = sum(key[0] == name for key in result.found)
            table.add_row(name, f"{result.inputs[name]:,}", str(failures))
    console = Console()
    console.print(table)
    for found in result.found.values():
        path = _kept(found, keep)
        console.print(f"\n{found.target}: {found.failure.kind} at {found.failure.place}, session {found.seed}, {path}")
        console.print(found.failure.text, markup=False, highlight=False)
        console.print(repr(found.inputs[-1].value[:300]), markup=False, highlight=False)
    for died in result.died:
        console.print(f"a process died or hung: {died}")
    console.print(
        f"{result.inputs.total():,} inputs in {seconds:,.0f} s, {len(result.found)} kinds of failures "
        f"(an exception, more than {HANG_S:g} s of computing, or memory), {len(result.died)} pieces lost"
    )


def _kept(found: Found, folder: Path) -> Path:
    inputs = [
        {
            "value": base64.b64encode(given.value).decode(),
            "headers": [
                [name, None if content is None else base64.b64encode(content).decode()]
                for name, content in given.headers
            ],
            "key": None if given.key is None else base64.b64encode(given.key).decode(),
            "timestamp_ms": given.timestamp_ms,
            "restart": given.restart,
        }
        for given in found.inputs
    ]
    failure = {"kind": found.failure.kind, "place": found.failure.place, "text": found.failure.text}
    text = json.dumps({"target": found.target, "seed": found.seed, "failure": failure, "inputs": inputs}, indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{found.target}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    path.write_text(text)
    return path


if __name__ == "__main__":
    main()
