"""Start the product beside a real Prometheus, strike it once, and see who says so and how soon.

    python -m tests.scenarios                        all of one broker in which something is struck
    python -m tests.scenarios vendor worker          only these
    python -m tests.scenarios vendor --record        writes tests/deploy/recorded/vendor.yml, too
    python -m tests.scenarios broker brokers         those of three brokers
    python -m tests.scenarios quiet --minutes 30     no alarm while nothing happens

Needs Prometheus (Debian: apt install prometheus). Exit 0 when page, status, /readyz and alerts said all that they
had to within the times of docs/runbook.md ("How soon it is said"), and nothing else; 1 when not.
"""

import argparse
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.scenarios.catalogue import SCENARIOS
from tests.scenarios.prometheus import interval_s, is_there
from tests.scenarios.recording import FOLDER, waits
from tests.scenarios.run import Outcome, run
from tests.scenarios.scenario import Scenario
from tests.scenarios.times import stated
from tests.shared_kafka import version_under_test
from tricast.kafka import Cluster


def main() -> int:
    one = [name for name, scenario in SCENARIOS.items() if scenario.brokers == 1 and scenario.codes]
    known = "\n".join(
        f"  {name:<12} {scenario.meaning}{' (three brokers)' if scenario.brokers == 3 else ''}"
        for name, scenario in SCENARIOS.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m tests.scenarios",
        description=__doc__,
        epilog=f"scenarios:\n{known}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="see below")
    parser.add_argument("--record", action="store_true", help="keep what was scraped, if it held, to test the rules")
    parser.add_argument("--minutes", type=float, default=30.0, help="of `quiet`  [default: %(default)g]")
    parser.add_argument("--stated", action="store_true", help="print the table of docs/runbook.md and end")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tricast-scenarios")
    arguments = parser.parse_args()
    if arguments.stated:
        print(stated(SCENARIOS.values(), held=waits(), step_s=interval_s()), end="")
        return 0
    if unknown := set(arguments.names) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    if not is_there():
        parser.error("there is no prometheus (Debian: apt install prometheus)")
    console = Console()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    held = True
    for name in arguments.names or one:
        scenario = SCENARIOS[name]
        if name == "quiet":
            scenario = replace(scenario, struck_s=60 * arguments.minutes)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=arguments.folder))
        console.print(f"{name}: {scenario.meaning}; everything is in {folder}", highlight=False, soft_wrap=True)
        try:
            outcome = _run(scenario, folder, console)
        except TimeoutError as error:
            console.print(f"  BROKEN: {error}", highlight=False)
            held = False
            continue
        _report(console, scenario, outcome)
        (folder / "recorded.yml").write_text(outcome.recording)
        if arguments.record and outcome.holds:
            FOLDER.mkdir(exist_ok=True)
            shutil.copy(folder / "recorded.yml", FOLDER / f"{name}.yml")
        held = held and outcome.holds
    return 0 if held else 1


def _run(scenario: Scenario, folder: Path, console: Console) -> Outcome:
    with Cluster(folder / "kafka", ephemeral=True, brokers=scenario.brokers, version=version_under_test()) as kafka:
        return run(scenario, kafka, folder / "product", lambda text: console.print(f"  {text}", highlight=False))


def _report(console: Console, scenario: Scenario, outcome: Outcome) -> None:
    table = Table("what", "who", "stated, s", "said, s", "", title=scenario.name)
    for row in outcome.rows:
        said = "never" if row.said_s is None else f"{row.said_s:.0f}"
        table.add_row(row.what, row.who, f"{row.stated_s:.0f}", said, "LATE" if row.is_late else "")
    console.print(table)
    if outcome.besides:
        told = ", ".join(f"{code} {seconds} s" for code, seconds in outcome.besides.items())
        console.print(f"  on the page, too shortly for an alert: {told}", highlight=False)
    for surprise in outcome.surprises:
        console.print(f"  {surprise}", highlight=False)
    console.print("  held" if outcome.holds else "  BROKEN", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
