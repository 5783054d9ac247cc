"""FastPath's ledger as if there were no gate: ``tricast audit`` knows a connection by the port it was dialled from."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Passage(NamedTuple):
    """A connection that passed a gate.

    Attributes:
        at_ns: When, UTC.
        beyond: ``host:port`` that the vendor saw.
        dialled: ``host:port`` that the connector had.
    """

    at_ns: int
    beyond: str
    dialled: str


def without_gate(ledger: Path, passed: Iterable[Passage], into: Path) -> None:
    """Write ``ledger`` to ``into`` with each peer as the connector had it."""
    known: defaultdict[str, list[Passage]] = defaultdict(list)
    for passage in passed:
        known[passage.beyond].append(passage)
    with ledger.open(encoding="utf-8") as lines, into.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(_dialled(line, known) if line.startswith('{"kind":"connect"') else line)


def _dialled(line: str, known: dict[str, list[Passage]]) -> str:
    told = json.loads(line)
    passages = known.get(told["peer"], [])
    if not passages:
        return line
    # Ports come back: of all that had this one, the connection that passed next to this time.
    nearest = min(passages, key=lambda passage: abs(passage.at_ns - told["at_ns"]))
    return json.dumps(told | {"peer": nearest.dialled}) + "\n"
