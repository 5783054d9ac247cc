"""All sequence accounts of one stream task: the door to the account."""

from processors.core.fastpath.account.arrival import AccountSettings, Arrival
from processors.core.fastpath.account.effects import Effect, Standing
from processors.core.processor import Store
from schemas.fastpath.feed import Feed


class Accounts:
    """The accounts of one stream task, by feed, fixture and series.

    One instance lives in ``context.memory`` and is made anew from the store when it is not there; whoever catches an
    exception must throw it away, because it may be ahead of the store. Store keys begin with ``a`` and ``n``.

    Args:
        store: State of the stream task; read through once.
        settings: Bounds.
    """

    def __init__(self, store: Store, settings: AccountSettings) -> None: ...

    def advance(self, now_ns: int) -> list[Effect]:
        """Let time pass: to be called on every record, before what the record itself does.

        Args:
            now_ns: Stream time.
        """
        raise NotImplementedError

    def observe(self, feed: Feed, fixture_id: str, arrival: Arrival, now_ns: int) -> list[Effect]:
        """Take one numbered packet; return what goes out, in order."""
        raise NotImplementedError

    def opened(self, feed: Feed, line: str, connection: str, position: int | None, now_ns: int) -> None:
        """A connection of the feed is up."""

    def closed(self, feed: Feed, line: str, connection: str, now_ns: int) -> None:
        """The line is not connected any more (or still not)."""

    def lost(self, feed: Feed, line: str, connection: str, first: int, last: int) -> None:
        """Frames of a connection never reached us, by our own fault: holes, overflow."""

    def standing(self, feed: str) -> Standing:
        """Return how a feed stands now (``fixture_id`` empty)."""
        raise NotImplementedError


def accounts(store: Store, memory: dict[str, object], settings: AccountSettings) -> Accounts:
    """Return the task's accounts, made anew after a restart."""
    known = memory.get("fastpath.accounts")
    if not isinstance(known, Accounts):
        known = memory["fastpath.accounts"] = Accounts(store, settings)
    return known
