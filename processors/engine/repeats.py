"""Keeps what libraries say of an outage readable: a client that cannot connect says so ten times a second."""

import logging
from typing import Final

QUIET_S: Final = 10.0
_MOST: Final = 1_000
"""Messages remembered; a library has some dozens."""


class Repeats(logging.Filter):
    """Lets each message of the named loggers through once in ``QUIET_S``, with the number of those left out.

    For handlers: what a child logger says passes no filter of its parents.

    Args:
        names: Loggers, with all below them. What others say always passes.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether it is written; the text of one that is says how many like it were not."""
        if record.name.partition(".")[0] not in self._names:
            return True
        what = (record.name, str(record.msg))
        since_s, left_out = self._said.get(what, (-QUIET_S, 0))
        if 0 <= record.created - since_s < QUIET_S:  # else it is over, or the clock was put back
            self._said[what] = since_s, left_out + 1
            return False
        if len(self._said) >= _MOST:
            self._said.clear()
        self._said[what] = record.created, 0
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more like it since it was last told)", None
        return True
