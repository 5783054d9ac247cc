"""How a simulator keeps its ledger: one JSON object a line, whole lines only; each feed says what stands in a line."""

from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TypeVar

import msgspec

_Line = TypeVar("_Line", bound=msgspec.Struct)


class Ledger:
    """Append lines to a file; each is with the operating system when ``append`` returns.

    Args:
        path: The file; its directories are made. ``None`` keeps no ledger.
    """

    def __init__(self, path: Path | None) -> None:
        self._encoder = msgspec.json.Encoder()
        self._file = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            _drop_torn_line(path)
            self._file = path.open("ab")  # closed by close()

    def append(self, line: msgspec.Struct) -> None:
        """Write one line."""
        if self._file is not None:
            self._file.write(self._encoder.encode(line) + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file; closing twice is no error."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _drop_torn_line(path: Path) -> None:
    """Take away a last line that a killed simulator cut short, so that the next one does not run into it."""
    if path.exists() and path.stat().st_size > 0:
        with path.open("rb+") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as lines:
            whole = lines.rfind(b"\n") + 1
        with path.open("rb+") as file:
            file.truncate(whole)


def read_lines(path: Path, line: type[_Line]) -> Iterator[_Line]:
    """Yield the lines of a ledger; a last line cut short by a killed simulator is left out."""
    decoder = msgspec.json.Decoder(line)
    with path.open("rb") as file:
        for text in file:
            if text.endswith(b"\n"):
                yield decoder.decode(text)
