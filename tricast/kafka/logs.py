"""What a broker's logs say about why it did not come up."""

import re
from pathlib import Path

_WINDOW_BYTES = 256 * 1024
_LAST_LINES = 12
_ERROR_LINES = 12
# An error of Kafka's log, and the lines of its stack trace that name causes; not the frames.
_ERROR = re.compile(r"^\S+ \S+ (ERROR|FATAL) |^Caused by: |^[\w.$]+(Exception|Error)\b")


def telling_lines(log: Path) -> list[str]:
    """Return the last lines of ``log``, before them the errors that stand further up.

    A broker that fails logs the error, then a hundred lines of shutting down: the last lines alone say nothing.
    """
    lines = _window(log)
    earlier, last = lines[:-_LAST_LINES], lines[-_LAST_LINES:]
    errors = list(dict.fromkeys(line for line in earlier if _ERROR.match(line)))[-_ERROR_LINES:]
    return [*errors, "…", *last] if errors else last


def _window(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _WINDOW_BYTES))
            return file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
