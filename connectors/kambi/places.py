"""Connections that event lines may still open: one count over all shards of a process. Pure."""


class Places:
    """A bounded number of places; the shards of a process share one, first come first served.

    Args:
        free: How many there are.
    """

    def __init__(self, free: int) -> None:
        self.free = free

    def take(self) -> bool:
        """Take a place when there is one; return whether there was."""
        taken = self.free > 0
        self.free -= taken
        return taken

    def give_back(self) -> None:
        """Return a place that was taken."""
        self.free += 1
