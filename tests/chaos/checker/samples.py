"""What the independent sampler saw each second: committed offsets rise, and readers are not held back for long."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tests.chaos.checker.group_offsets import Committed
from tests.chaos.checker.verdict import Verdict


def judge_samples(
    lines: Iterable[Mapping[str, Any]], verdict: Verdict, *, kept: Collection[Committed] = frozenset()
) -> None:
    """Judge the samples of a history.

    A group coordinator that just started answers by what it knows to be replicated, which may be less than it has. So
    an offset that seems to go back did not if the commit that was seen before is in the brokers' log for good: there
    each step is judged (``group_offsets``).

    A reader is held back while the last stable offset stays where it is and the high watermark is beyond it; each
    step of the stable offset lets it go on.
    """
    committed: dict[tuple[str, str], tuple[int, int]] = {}
    held: dict[str, tuple[int, int]] = {}
    for line in lines:
        if line["event"] != "sample":
            continue
        verdict.count("samples")
        at_ns = line["at_ns"]
        for group, places in line.get("committed", {}).items():
            for place, offset in places.items():
                if offset is None or offset < 0:
                    continue
                last, last_ns = committed.get((group, place), (-1, 0))
                topic, _, partition = place.rpartition("/")
                if offset < last and Committed(group, topic, int(partition), last) in kept:
                    verdict.count("samples that showed an older offset than is in the brokers' log")
                    continue
                if offset < last:
                    text = f"group {group}, {place}: {last} at {last_ns}, {offset} at {at_ns}"
                    verdict.find("offset-went-back", text)
                committed[group, place] = (offset, at_ns)
        stable, high = line.get("stable", {}), line.get("high", {})
        for place in stable.keys() & high.keys():
            if stable[place] >= high[place]:
                held.pop(place, None)
            elif held.get(place, (-1, 0))[0] != stable[place]:
                held[place] = (stable[place], at_ns)
            else:
                verdict.greatest("longest time that a reader was held back, s", (at_ns - held[place][1]) / 1e9)
