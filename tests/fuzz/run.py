"""Sessions over all targets, in processes of their own that may not outgrow the machine."""

import faulthandler
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

from tests.fuzz.files import FILES
from tests.fuzz.session import Found, inputs_of, play, shrunk
from tests.fuzz.target import Target
from tests.fuzz.tasks import TASKS
from tests.fuzz.watch import end_after, limit_memory, watching
from tests.fuzz.wire import WIRE

TARGETS = {target.name: target for target in (*WIRE, *FILES, *TASKS)}
SESSIONS = 20
"""Of one target, done in a row by one process."""
_LONGEST_S = 60
"""Sessions that compute for so long together hang in compiled code, where no handler of Python's runs."""
_FEW = {"spool": 0.02, "rms.attempts": 0.1}
"""Share of what other targets get: each input is a file."""


@dataclass
class Result:
    """What came of sessions: inputs that were changed, by target, and failures, one of each kind and place."""

    inputs: Counter[str] = field(default_factory=Counter)
    found: dict[tuple[str, str, str], Found] = field(default_factory=dict)
    died: list[str] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        self.inputs += other.inputs
        self.found = other.found | self.found
        self.died += other.died


@dataclass(frozen=True, slots=True)
class Piece:
    """Sessions of one target."""

    target: str
    seed: str
    first: int
    sessions: int


def pieces(names: Sequence[str], inputs: int, seed: str) -> Iterator[Piece]:
    """Yield what makes about ``inputs`` changed inputs together, by share of each target, in turn."""
    targets = [TARGETS[name] for name in names]
    shares = {target.name: target.share * _FEW.get(target.name, 1.0) for target in targets}
    whole = sum(shares.values())
    left = {t.name: max(1, round(inputs * shares[t.name] / whole / (t.session * t.changed))) for t in targets}
    first = Counter[str]()
    while any(left.values()):
        for name, sessions in left.items():
            now = min(sessions, SESSIONS)
            if now:
                yield Piece(name, seed, first[name], now)
                first[name] += now
                left[name] -= now


def run_piece(piece: Piece) -> Result:
    """Play the sessions of ``piece`` in a process that does nothing else."""
    end_after(_LONGEST_S)
    return played(piece)


def played(piece: Piece) -> Result:
    """Play the sessions of ``piece``; the first failure of each kind is made small."""
    target, result = TARGETS[piece.target], Result()
    with watching():
        for number in range(piece.first, piece.first + piece.sessions):
            one_session(target, f"{piece.seed}/{target.name}/{number}", result)
    return result


def one_session(target: Target, seed: str, result: Result) -> None:
    """Play one session; inside :func:`watching`."""
    inputs, changed = inputs_of(target, seed)
    result.inputs[target.name] += changed
    seen = play(target, inputs)
    if seen is None:
        return
    number, failure = seen
    key = (target.name, failure.kind, failure.place)
    if key not in result.found:
        result.found[key] = shrunk(target, seed, inputs[: number + 1], failure)


def run(work: Iterator[Piece], jobs: int, progress: Callable[[Result], None]) -> Result:
    """Play ``work`` in ``jobs`` processes and return everything; ``progress`` is told of each piece."""
    result = Result()
    with _Pool(jobs) as pool:
        waiting: dict[Future[Result], Piece] = {}
        for piece in work:
            while len(waiting) >= 2 * jobs:
                _take(waiting, result, progress)
            waiting[pool.submit(piece)] = piece
        while waiting:
            _take(waiting, result, progress)
    return result


class _Pool:
    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._pool = self._new()

    def __enter__(self) -> "_Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, piece: Piece) -> "Future[Result]":
        try:
            return self._pool.submit(run_piece, piece)
        except BrokenProcessPool:
            self._pool = self._new()
            return self._pool.submit(run_piece, piece)

    def _new(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._jobs, initializer=_begin)


def _begin() -> None:
    faulthandler.enable()
    faulthandler.register(signal.SIGXCPU, chain=True)
    os.nice(10)
    for target in TARGETS.values():
        target.samples()  # once, before anything counts
    limit_memory()


def _take(waiting: "dict[Future[Result], Piece]", result: Result, progress: Callable[[Result], None]) -> None:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        piece = waiting.pop(future)
        try:
            result.add(future.result())
        except BrokenProcessPool:
            # Whoever shared the pool with the one that died is in the list, too.
            result.died.append(f"{piece.target}, sessions {piece.first} to {piece.first + piece.sessions - 1}")
            print(f"a process died in {piece}", file=sys.stderr)
        progress(result)
