"""The Secret Key: from a setting, or from a file that may be replaced while we run."""

import logging
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

_MOST_BYTES: Final = 64 * 1024


class Secret:
    """The Secret Key in force. Its text is shown nowhere, and neither is what is wrong with it beyond a word.

    Args:
        setting: What the setting says; empty when there is none.
        path: File that says it instead.
    """

    def __init__(self, setting: str, path: Path | None) -> None:
        self._path = path
        self._told: str | None = None
        self.text = setting if path is None else ""

    @property
    def is_followed(self) -> bool:
        """Whether it may change while we run."""
        return self._path is not None

    def look(self) -> bool:
        """Read the file again; return whether it holds another secret. While it holds none the last one stays."""
        if self._path is None:
            return False
        try:
            with self._path.open("rb") as file:
                text = file.read(_MOST_BYTES + 1).decode().strip()
        except OSError as error:
            self._tell(error.strerror or type(error).__name__)
            return False
        except UnicodeDecodeError:
            self._tell("it is not UTF-8")
            return False
        if not text or len(text) > _MOST_BYTES or not text.isprintable():
            self._tell("it is empty" if not text else "it is not one line of text")
            return False
        self._told = None
        is_other = text != self.text
        self.text = text
        return is_other

    def _tell(self, why: str) -> None:
        if why != self._told:
            log.error(
                "rms.secret_unreadable path=%s why=%s Operator action: put the Secret Key there, alone, readable by "
                "this process; until then the last one that was read is used",
                self._path,
                why,
            )
        self._told = why
