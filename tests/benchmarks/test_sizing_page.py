"""docs/sizing.md counts with the rates that the last benchmark wrote, not with older ones."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def rates(page: str, after: str) -> dict[str, set[str]]:
    """Return the numbers of four digits and more in each row of the first table behind ``after``, by its first cell."""
    _, _, rest = (DOCS / page).read_text(encoding="utf-8").partition(after)
    found = {}
    for line in rest[rest.index("\n|") :].strip().splitlines():
        if not line.startswith("|"):
            break
        _, name, *cells = line.split("|")
        found[name.strip()] = set(re.findall(r"\d+(?:,\d{3})+", "|".join(cells)))
    return found


def test_rates_of_a_core_are_those_of_the_benchmarks_page():
    measured = rates("benchmarks.md", "\n## The whole road")
    used = {name: numbers for name, numbers in rates("sizing.md", "\n## Measured").items() if numbers}
    assert used.keys() == {name for name, numbers in measured.items() if numbers}
    assert {name: numbers - measured[name] for name, numbers in used.items() if numbers - measured[name]} == {}
