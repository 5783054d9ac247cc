"""What connectors find on disk when they start: it was ours once, and has been through a crash since."""

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from connectors.record import RawRecord
from connectors.rms.attempts import Attempt, Moment
from connectors.rms.attempts_file import AttemptsFile, Doubt, Remembered
from connectors.spool import Spool, SpoolFailed
from schemas.raw import RawHeaders
from tests.fuzz.target import Input, Take, Target

_RECORDS: Final = 40
_MOST: Final = 10_000


def _spool() -> Take:
    folder = tempfile.TemporaryDirectory(prefix="tricast-fuzz-")
    numbers = iter(range(1_000_000))

    def take(given: Input) -> None:
        kept = folder.name  # and the folder as long as this
        path = Path(kept) / f"{next(numbers)}.spool"
        path.write_bytes(given.value)
        spool = Spool(path, lock_s=0.01)
        try:
            _drained(spool)
        except SpoolFailed:
            pass
        finally:
            spool.close()
            for left in Path(kept).glob(f"{path.name}*"):
                left.unlink()

    return take


def _drained(spool: Spool) -> None:
    """Read all that can be read, as a backlog does."""
    spool.open()
    spool.last_frames()
    after, turns = spool.first - 1, 0
    while spool.count and after < spool.first + spool.count - 1 and turns < _MOST:
        turns += 1
        try:
            records, after = spool.read(after, max_bytes=100_000, max_records=10)
            for record in records:
                assert isinstance(record.value, bytes)
                record.headers.to_kafka()
        except SpoolFailed:
            good = spool.next_readable(after)
            if good is None:
                break
            after = good - 1
    assert turns < _MOST, "it goes round in circles"
    spool.remove_through(spool.first + spool.count - 1)


@cache
def _spools() -> Sequence[Sequence[Input]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.spool"
        spool = Spool(path, lock_s=1)
        records = [
            RawRecord(
                RawHeaders(
                    feed="kambi",
                    line=f"kambi-{number % 3}",
                    connection="c",
                    frame=number,
                    received_ns=number,
                    kind="frame",
                ),
                b"2" + bytes([65 + number % 26]) * (number * 97 % 3000),
            )
            for number in range(1, _RECORDS)
        ]
        spool.append(records, {})
        spool.close()
        return [[Input(path.read_bytes())]]


def _attempts() -> Take:
    folder = tempfile.TemporaryDirectory(prefix="tricast-fuzz-")
    file = AttemptsFile(Path(folder.name) / "attempts.json")

    def take(given: Input) -> None:
        assert folder.name
        file.path.write_bytes(given.value)
        with file.locked():
            read = file.read()
            assert isinstance(read, Remembered | Doubt)
            if isinstance(read, Remembered):
                file.write(read.attempts)

    return take


@cache
def _attempt_files() -> Sequence[Sequence[Input]]:
    with tempfile.TemporaryDirectory() as folder:
        file = AttemptsFile(Path(folder) / "attempts.json")
        at = Moment(wall_ns=1_790_000_000_000_000_000, uptime_s=12.5)
        with file.locked():
            file.write([Attempt(name=str(n), counts_as=frozenset({"connect", "request"}), at=at) for n in range(3)])
        return [[Input(file.path.read_bytes())]]


FILES: Final = (
    Target(name="spool", samples=_spools, begin=_spool),
    Target(name="rms.attempts", samples=_attempt_files, begin=_attempts),
)
