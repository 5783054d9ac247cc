"""What the simulator published, against what consumers got: every number once, or named as lost; nothing else."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from schemas.fastpath.feed import feed_of
from simulators.fastpath.ledger import read_ledger
from tests.endurance.fastpath.reader import Feed


def published(ledger: Path) -> dict[str, dict[int, tuple[Any, Any]]]:
    """Return by feed of actions each number that its list holds, with (action id, send type) where a frame shows it."""
    numbers: dict[str, dict[int, tuple[Any, Any]]] = defaultdict(dict)
    place: dict[tuple[str, int], int] = {}
    for line in read_ledger(ledger):
        if feed_of(line.feed).kind != "actions":
            continue
        if line.kind == "published" and line.number is not None and line.index is not None:
            numbers[line.feed].setdefault(line.number, (None, None))
            place[line.feed, line.index] = line.number
        elif line.kind == "frame" and line.sort == "event" and not line.fault and line.index is not None:
            number = place[line.feed, line.index]
            if numbers[line.feed][number] == (None, None):
                action = json.loads(line.payload).get("fixtureAction") or {}
                numbers[line.feed][number] = (action.get("actionId"), action.get("sendType"))
    return numbers


def differences(feed: str, truth: dict[int, tuple[Any, Any]], found: Feed, last_ever: int) -> list[str]:
    """Return in words what is not as promised.

    Args:
        feed: Feed path.
        truth: What its list holds.
        found: What consumers got.
        last_ever: Greatest number that its list gave out.
    """
    words = [f"{feed}: {text}" for text in found.wrong]
    for number, identity in truth.items():
        got = found.got.get(number)
        if got is None and number not in found.lost:
            words.append(f"{feed}: number {number} is nowhere")
        elif got is not None and identity != (None, None) and got != identity:
            words.append(f"{feed}: number {number} is {got}, sent was {identity}")
    words += [f"{feed}: number {number} was never sent" for number in found.got.keys() - truth.keys()]
    words += [f"{feed}: {number} is named as lost and is there" for number in found.lost & found.got.keys()]
    first = min(found.got, default=0)
    holes = {n for n in range(first, last_ever + 1) if n not in found.got}
    words += [f"{feed}: {n} is named as lost, it never was one" for n in found.lost - holes]
    words += [f"{feed}: number {n} is missing and not named" for n in holes - found.lost]
    return words
