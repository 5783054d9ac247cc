"""What the endpoints of all processes of one ``tricast up`` tell."""

import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from schemas.metrics import METRICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraped:
    """One scrape of all of them.

    Attributes:
        processes: By name.
        families: Names of all families.
        told: Names of the registry that have a sample.
    """

    processes: frozenset[str]
    families: frozenset[str]
    told: frozenset[str]


def scrape(folder: Path) -> Scraped:
    """Read the addresses in ``folder`` and ask each."""
    families: set[str] = set()
    told: set[str] = set()
    addresses = sorted(folder.glob("*.json"))
    for address in addresses:
        url = json.loads(address.read_text())["url"]
        with urllib.request.urlopen(f"{url}/metrics", timeout=60) as answer:
            page = answer.read().decode()
        for family in text_string_to_metric_families(page):
            # The text format's parser leaves out what a counter's name ends with.
            name = f"{family.name}_total" if family.type == "counter" else family.name
            families.add(name)
            if family.samples:
                told.add(name)
    return Scraped(
        processes=frozenset(address.stem for address in addresses),
        families=frozenset(families),
        told=frozenset(told & METRICS.keys()),
    )
