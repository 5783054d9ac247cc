"""Bugs to plant: in the core, one rule each, and in what it wrote. Comparing with the oracle must notice each."""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest

from processors.core import repeats
from processors.core.kambi import (
    book,
    copies,
    dedupe,
    facts,
    frames,
    judge_events,
    judge_offers,
    judging,
    late,
    merge,
    merge_offers,
    moments,
    normalize,
    processor,
    shards,
    shelf,
    snapshot,
)
from tests.oracle.oracle import Written


@dataclass(frozen=True, slots=True)
class Bug:
    """A function of the core in which ``old``, standing there exactly once, is replaced by ``new``.

    Attributes:
        name: The rule that is broken.
        module: Where the function stands.
        function: Its name, with its class if it has one.
        also: Another module that took it by name.
    """

    name: str
    module: ModuleType
    function: str
    old: str
    new: str
    also: ModuleType | None = None

    def plant(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Plant it until ``monkeypatch`` is undone."""
        owner: Any = self.module
        *outer, name = self.function.split(".")
        for part in outer:
            owner = getattr(owner, part)
        sound = getattr(owner, name)
        source = textwrap.dedent(inspect.getsource(sound))
        assert source.count(self.old) == 1, f"{self.name}: the catalogue has to follow the code"
        made: dict[str, Any] = {}
        exec(source.replace(self.old, self.new), vars(self.module), made)
        monkeypatch.setattr(owner, name, made[name])
        if self.also is not None:
            monkeypatch.setattr(self.also, name, made[name])
        if self.module in (judge_events, judge_offers):
            for kind, judge in late._JUDGES.items():
                if judge is sound:
                    monkeypatch.setitem(late._JUDGES, kind, made[name])


BUGS = (
    Bug("window shorter", dedupe, "Sighting._entry", "<= WINDOW_S", "<= 40"),
    Bug("window longer", dedupe, "Sighting._entry", "<= WINDOW_S", "<= 10**9"),
    Bug("occurrence count ignored", dedupe, "Sighting.is_new", "occurrence > max(lines.values())", "False"),
    Bug("line ignored", dedupe, "Sighting.__init__", "self._line = line", "self._line = 1"),
    Bug("per-outcome filter dropped", facts, "Facts._reduced", "candidate.outcomes = new", "pass"),
    Bug("repeats pass", repeats, "RepeatFilter.observe", "if numbered and frame <= last", "if False"),
    Bug("shard rule inverted", shards, "Share.holds", "% self.shards ==", "% self.shards !="),
    Bug("skipped child takes no index", frames, "Frame.process", "index += 1", "index += placed is not None"),
    Bug(
        "unknown offer dead for every shard",
        frames,
        "Frame._with_event",
        "if not self._general or self._share",
        "if True or self._share",
    ),
    Bug("foreign offers not remembered", book, "Book.remember_place", "if offer_id not in", "if False and offer_id in"),
    Bug("state late at its own time", judge_events, "_event_state", "order < event.order", "order <= event.order"),
    Bug("state of its event's removal", judge_events, "_event_state", "order <= event.floor", "order < event.floor"),
    Bug("facts of their offer's removal", judge_offers, "_entry", "order <= offer.gone", "order < offer.gone"),
    Bug("offer late at its own time", judge_offers, "_offer_added", "order < offer.order", "order <= offer.order"),
    Bug(
        "late status changes the book",
        judge_offers,
        "_offer_status",
        "    return mark_late(candidate)",
        "    mark_late(candidate)",
    ),
    Bug("version ignored", judging, "is_older", "if version is not None", "if False", judge_events),
    Bug("future believed", late, "order_time_ms", "or time_ms > received_ms + FUTURE_MS", "", moments),
    Bug("seconds are milliseconds", normalize, "vendor_time_ms", "FIRST_TIME_MS <=", "0 <=", moments),
    Bug("removed offer resurrected", book, "Book.remove_offer", "self.line, order", "self.line, 0"),
    Bug("newer than its offer's removal", book, "Book.remove_offer", "if entry.order > order", "if False"),
    Bug("removed event resurrected", book, "Book.remove_event", "floor=floor", "floor=0"),
    Bug("offers of a removed event start anew", book, "Book.add_offer", "floor = event.floor", "floor = -1"),
    Bug("snapshot beats what is newer", merge_offers, "_status", "if offer.order > merge.as_of_ms", "if False"),
    Bug(
        "newer offer removed by absence",
        merge_offers,
        "merge_absence",
        "offer.newest() > merge.as_of_ms",
        "False",
        snapshot,
    ),
    Bug("hidden offer removed", merge_offers, "merge_absence", "or offer.visible is False", "", snapshot),
    Bug("offer from before its removal", merge_offers, "_define", "offer.floor > as_of_ms", "False"),
    Bug("newer price lost", merge_offers, "_define_outcomes", "_say_known(outcome, entry)", "pass"),
    Bug("price of a snapshot has no time", merge_offers, "_outcome", "entry.order, entry.line,", "_, _,"),
    Bug("absent outcomes stay", merge_offers, "_absent_outcomes", "if outcome_id in shown", "if True"),
    Bug("ticking clock is a difference", merge, "_clock", "None if clock.running is True else time", "time"),
    Bug("newer score overwritten", merge, "_is_newer", "known.order > as_of_ms", "False"),
    Bug("snapshot brings removed events back", merge, "EventMerge.part", "event.removed_s", "False"),
    Bug("newer state overwritten", merge, "EventMerge.describe", "event.order > self.as_of_ms", "False"),
    Bug("speaks for its request", snapshot, "take_snapshot", "- BEFORE_REQUEST_MS", "", processor),
    Bug("ahead of push", snapshot, "take_snapshot", "min(as_of_ms, newest)", "as_of_ms", processor),
    Bug("copies at equal t only", copies, "NearSighting._oldest", "<= self._skew_ms", "<= 0"),
    Bug("copies farther apart", copies, "NearSighting._oldest", "<= self._skew_ms", "<= 2 * self._skew_ms"),
    Bug("late fact stands for a later one", copies, "NewFact.mark_late", "| _LATE] = 1", "| 99] = 0"),
    Bug("removed too soon forgotten", shelf, "Shelf.expire", "now_s - second <= WINDOW_S", "now_s - second <= 5"),
)


def _late_dropped(written: list[Written]) -> list[Written] | None:
    for place, said in enumerate(written):
        if isinstance(said.value, dict) and said.value.get("late"):
            current = {name: value for name, value in said.value.items() if name != "late"}
            return [*written[:place], replace(said, value=current), *written[place + 1 :]]
    return None


def _outcome_lost(written: list[Written]) -> list[Written] | None:
    for place, said in enumerate(written):
        if isinstance(said.value, dict) and len(said.value.get("outcomes", ())) > 1 and said.topic == "offers":
            fewer = said.value | {"outcomes": said.value["outcomes"][1:]}
            return [*written[:place], replace(said, value=fewer), *written[place + 1 :]]
    return None


def _digit_lost(written: list[Written]) -> list[Written] | None:
    for place, said in enumerate(written):
        if isinstance(said.value, dict) and said.value.get("offer_id", 0) % 2 and said.value["offer_id"] > 2**53:
            rounded = said.value | {"offer_id": int(float(said.value["offer_id"]))}
            return [*written[:place], replace(said, value=rounded), *written[place + 1 :]]
    return None


def _of_first(change: Callable[[Written], list[Written]]) -> Callable[[list[Written]], list[Written] | None]:
    return lambda written: [*change(written[0]), *written[1:]] if written else None


def _index_moved(said: Written) -> list[Written]:
    partition, offset, index, *_ = said.position
    return [replace(said, position=(partition, offset, (index or 0) + 1))]


LIES: dict[str, Callable[[list[Written]], list[Written] | None]] = {
    "record lost": _of_first(lambda _: []),
    "record twice": _of_first(lambda said: [said, said]),
    "order changed": lambda written: [written[1], written[0], *written[2:]] if len(written) > 1 else None,
    "index moved": _of_first(_index_moved),
    "topic changed": _of_first(lambda said: [replace(said, topic="scores" if said.topic != "scores" else "events")]),
    "key changed": _of_first(lambda said: [replace(said, key=(said.key or 0) + 1)]),
    "type or code changed": _of_first(lambda said: [replace(said, kind=said.kind + "x")]),
    "mark of lateness dropped": _late_dropped,
    "outcome lost": _outcome_lost,
    "id through a float": _digit_lost,
}
"""What may go wrong on the way out: a change of what was written, ``None`` where there is nothing to change."""
