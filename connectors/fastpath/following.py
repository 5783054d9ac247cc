"""What discovery and commands may ask of the feeds of this process."""

from collections.abc import Mapping
from typing import Literal, Protocol

State = Literal["connecting", "open", "waiting", "finished", "unauthorised"]
"""Of a feed's line: ``waiting`` for its fixture to start or to be known; the last two have ended for good."""


class Following(Protocol):
    """The feeds of this process, by path; called in the event loop and not to wait."""

    @property
    def feeds(self) -> Mapping[str, State]:
        """Paths that were started and not stopped, the ended ones included, and how each one is."""
        ...

    def start(self, path: str) -> None:
        """Follow a feed (see ``config.feed_path``). One that runs goes on; one that ended begins again at once."""
        ...

    def stop(self, path: str) -> None:
        """Follow a feed no more: its connection closes in order, and it is forgotten."""
        ...

    def repair(self, line: str, position: int) -> bool:
        """Reconnect ``line`` with that ``startPosition``.

        Returns:
            Whether it will be done: the line is of this process, runs, takes positions and has budget left.
        """
        ...
