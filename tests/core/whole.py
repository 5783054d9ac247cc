"""A run without a cut, for tests that cut it."""

from collections.abc import Iterable
from copy import deepcopy

from processors.core.repeats import RepeatFilter
from tests.core.driver import DeadLetter, Output, RawTask, Record


class Whole:
    """What each record caused, and what a restart before it finds: the state, the repeats, the stream time."""

    def __init__(self, task: RawTask, records: Iterable[Record]) -> None:
        self.task = task
        self.caused: list[tuple[list[Output], list[DeadLetter]]] = []
        self.found: list[tuple[dict[bytes, bytes], RepeatFilter, int]] = []
        for record in records:
            self.found.append((dict(task.store.entries), deepcopy(task.repeats), task.stream_time_ns))
            outputs, dead_letters = len(task.outputs), len(task.dead_letters)
            task.play([record])
            self.caused.append((task.outputs[outputs:], task.dead_letters[dead_letters:]))
