"""Until when all that a server sent was read and recorded: what a line's coverage may rest on. No clock, no I/O."""


class Heard:
    """Told of each look at the clock and of each message, in the order in which they happen.

    A message proves that all the server sent before it was read, since a connection keeps the order. When it was *read*
    does not tell when it was sent: after a stall (the process was stopped, the loop was busy, the recorder had no room)
    messages are read that may be as old as the stall, and what was sent after them may be lost with the connection.
    So a message vouches only up to a look at which the reader had read all that had come, and waited for more: the
    message came after that look. A stall has no looks, however long it is, so nothing read on waking vouches for it;
    the first message that comes later proves all of it.

    The look before the last is taken, not the last: one right after waking finds the reader waiting that is about to
    be handed what came meanwhile. By the next one it has been. So it lags up to two looks behind the message.

    Attributes:
        heard_ns: All that was sent until then is on record, UTC nanoseconds; only for as long as transit takes no time.
    """

    def __init__(self, now_ns: int) -> None:
        self.heard_ns = now_ns
        self._before_ns = self._last_ns = now_ns
        self._waits = False

    @property
    def after_ns(self) -> int:
        """The message in hand was sent after this, since all that came before it was read; a stall is not left out."""
        return self._before_ns

    def look(self, now_ns: int) -> None:
        """Time has come to ``now_ns``; to be called at a steady pace. Vouches for nothing yet."""
        if self._waits:
            self._before_ns, self._last_ns = self._last_ns, now_ns
        # A clock put back: what it said before is ahead of it, and would let each tick prove its own time.
        self._before_ns = min(self._before_ns, now_ns)
        self.heard_ns = min(self.heard_ns, now_ns)

    def wait(self) -> None:
        """The reader has nothing in hand and asks for the next message."""
        self._waits = True

    def read(self) -> None:
        """The reader has a message in hand; until it asks for the next, others may lie unread."""
        self._waits = False

    def recorded(self) -> None:
        """What was read is on record, or there is nothing to record of it: only now may anybody build on it."""
        self.heard_ns = self._before_ns
