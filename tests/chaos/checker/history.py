"""The harness's history: which part of the product was really down, and when."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_WHOLE = 1 << 62
_KAFKA = ("broker", "controller", "kafka")
_MACHINE = ("clock", "host", "machine")


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that may take a line down, from when to when (UTC ns), and of whom: a feed, or all of them."""

    feed: str | None
    since_ns: int
    until_ns: int
    why: str


@dataclass(slots=True)
class History:
    """What happened.

    Attributes:
        run: The first line: seed, settings, prefix.
        causes: What may have taken lines down, by time.
        quiet_ns: When the vendors were stopped and all was drained; far away if that never came.
        retired_ns: When a process ended that was not started again, by name.
        strikes: How often each kind of fault struck which kind of target.
        samples: The lines of samples, in order; read again from the file when asked for.
    """

    run: dict[str, Any] = field(default_factory=dict)
    causes: list[Cause] = field(default_factory=list)
    quiet_ns: int = _WHOLE
    retired_ns: dict[str, int] = field(default_factory=dict)
    strikes: dict[str, int] = field(default_factory=dict)
    is_known: bool = False


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a history; one that was cut short at the end is left out."""
    if path.exists():
        with path.open("rb") as file:
            for text in file:
                if text.endswith(b"\n"):
                    yield json.loads(text)


def told(lines: Iterable[Mapping[str, Any]]) -> History:
    """Return what the lines of a history say."""
    history = History()
    faults: dict[int, Mapping[str, Any]] = {}
    ended: dict[str, tuple[int, str]] = {}
    for line in lines:
        history.is_known = True
        at_ns = line["at_ns"]
        match line["event"]:
            case "run":
                history.run = dict(line)
            case "fault":
                faults[line["number"]] = line
                strike = f"{line['kind']} {_kind_of(line['target'])}"
                history.strikes[strike] = history.strikes.get(strike, 0) + 1
            case "healed" if line["number"] in faults:
                fault = faults.pop(line["number"])
                history.causes.append(_cause(fault, at_ns))
            case "ended":
                ended[line["process"]] = (at_ns, f"{line['process']} ended")
            case "started" if line["process"] in ended:
                since_ns, why = ended.pop(line["process"])
                history.causes.append(Cause(feed_of(line["process"]), since_ns, at_ns, why))
            case "quiet":
                history.quiet_ns = min(history.quiet_ns, at_ns)
            case _:
                pass
    # A kill is healed by the next start, which is a cause of its own; what else was never healed lasted to the end.
    for fault in faults.values():
        history.causes.append(_cause(fault, fault["at_ns"] if "kill" in fault["kind"] else _WHOLE))
    for process, (since_ns, why) in ended.items():
        history.retired_ns[process] = since_ns
        history.causes.append(Cause(feed_of(process), since_ns, _WHOLE, why))
    history.causes.sort(key=lambda cause: cause.since_ns)
    return history


def feed_of(target: str) -> str | None:
    """Return the feed whose lines a target is about; ``None``: all of them."""
    kind, _, rest = target.partition(":")
    return None if kind.startswith((*_KAFKA, *_MACHINE)) else rest.partition(":")[0].partition(".")[0] or None


def _cause(fault: Mapping[str, Any], until_ns: int) -> Cause:
    why = f"{fault['kind']} of {fault['target']}"
    return Cause(feed_of(fault["target"]), fault.get("began_ns", fault["at_ns"]), until_ns, why)


def _kind_of(target: str) -> str:
    return target.partition(":")[0]


def of_lines(history: History, feed: str) -> list[Cause]:
    """Return what may have taken down the lines of a feed; what struck workers did not."""
    return [cause for cause in history.causes if cause.feed in {feed, None} and "worker:" not in cause.why]
