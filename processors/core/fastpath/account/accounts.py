"""All sequence accounts of one stream task: the door to the account."""

from heapq import heapify, heappop, heappush, nsmallest
from typing import Final

from processors.core.fastpath.account.account import MS_NS, SECOND_NS, Account
from processors.core.fastpath.account.again import begin_again, is_older, take_again
from processors.core.fastpath.account.arrival import AccountSettings, Arrival, Kind
from processors.core.fastpath.account.effects import Effect, Standing
from processors.core.fastpath.account.entries import (
    HEAD,
    ConnectionsEntry,
    Gap,
    GapState,
    Head,
    State,
    account_id,
    encode,
)
from processors.core.fastpath.account.feeds import FeedConnections
from processors.core.fastpath.account.gaps import Gaps
from processors.core.fastpath.account.holding import Holding
from processors.core.fastpath.account.judge import begin, take
from processors.core.fastpath.account.passing import forget, give_up
from processors.core.fastpath.account.ranges import Range, intersects
from processors.core.fastpath.account.repair import next_attempt
from processors.core.fastpath.account.restoring import read
from processors.core.processor import Store
from schemas.fastpath.feed import Feed, feed_of

SILENT_S: Final = 36 * 3600
"""How long an account is kept after its newest packet: a match that is suspended overnight goes on the next day."""
FINISHED_S: Final = 2 * 3600
"""After this, when a packet said that the fixture is over, only the newest numbers are kept: it was no promise."""
KEPT: Final = 64
"""Numbers kept of a fixture that is over: more than a reconnect overlaps."""
MAX_ACCOUNTS: Final = 4_096
"""Accounts of one feed: the golf multiplexer has some hundreds. An eighth goes when there are more, oldest first."""
AHEAD_NS: Final = 10 * SECOND_NS
"""How far stream time may be ahead of a line's clock before that clock counts, too."""
DELETES_PER_RECORD: Final = 20_000
"""Numbers that one record forgets, about, so that no transaction grows without bound."""
MAX_INDEXES: Final = 64
"""Accounts whose numbers are indexed by content at once, about 2 MB each at most, a tenth of it for a match."""

_MEMORY: Final = "fastpath.accounts"
_Name = tuple[str, str, Kind]
_Due = tuple[int, str, str, Kind, int]
"""Stream time (ns), account, first number of the gap: gaps are looked at in this order."""


class Accounts:
    """The accounts of one stream task, by feed, fixture and series.

    One instance lives in ``context.memory`` and is made anew from the store when it is not there; whoever catches an
    exception must throw it away, because it may be ahead of the store. Store keys begin with ``a`` and ``n``.

    Args:
        store: State of the stream task; read through once.
        settings: Bounds.
    """

    def __init__(self, store: Store, settings: AccountSettings) -> None:
        self._store = store
        self._settings = settings
        self._feeds: dict[str, FeedConnections] = {}
        self._members: dict[str, dict[_Name, Account]] = {}
        self._accounts: dict[_Name, Account] = {}
        self._repairing: dict[str, int] = {}
        self._waiting: list[_Due] = []
        self._asked: list[_Due] = []
        self._ends: list[tuple[int, str, str, Kind | None]] = []
        self._indexes: dict[_Name, Account] = {}
        self._restore()

    # What happens.

    def advance(self, now_ns: int) -> list[Effect]:
        """Let time pass: to be called on every record, before what the record itself does.

        Args:
            now_ns: Stream time.
        """
        effects: list[Effect] = []
        while self._waiting and self._waiting[0][0] <= now_ns:
            found = self._find(heappop(self._waiting), "waiting")
            if found is not None:
                give_up(*found, "timeout", now_ns)
                effects += self._taken(found[0])
        while self._asked and self._asked[0][0] <= now_ns:
            found = self._find(heappop(self._asked), "asked")
            if found is not None:
                next_attempt(*found, "timeout", now_ns)
                effects += self._taken(found[0])
        if self._ends and self._ends[0][0] <= now_ns // SECOND_NS:
            effects += self._forget_ended(now_ns)
        return effects

    def lag(self, feed: Feed, line: str, received_ns: int, now_ns: int) -> list[Effect]:
        """Let a line's own time pass where stream time is far ahead: one record from a clock that was ahead stops it.

        To be called after ``advance``. Without it such a record would hold back what is behind a gap for hours.
        """
        if now_ns - received_ns <= AHEAD_NS:
            return []  # nearly always
        effects: list[Effect] = []
        patience_ns = self._settings.hold_ms * MS_NS + AHEAD_NS
        for _, account in sorted(self._members.get(feed.path, {}).items()):
            for gap in [one for one in account.gaps.all() if one.state == "waiting" and one.line == line]:
                if received_ns >= gap.received_ns + patience_ns:
                    give_up(account, gap, "timeout", now_ns)
                elif received_ns < gap.received_ns - AHEAD_NS:  # the line's clock was put back
                    gap.received_ns = received_ns
                    account.gaps.write(gap)
            effects += self._taken(account)
        return effects

    def observe(self, feed: Feed, fixture_id: str, arrival: Arrival, now_ns: int) -> list[Effect]:
        """Take one numbered packet; return what goes out, in order."""
        now_s = now_ns // SECOND_NS
        connections = self._feeds.get(feed.path)
        if connections is None:
            connections = self._new_feed(feed.path, now_s)
        connection = connections.heard(arrival.line, arrival.connection, arrival.position)
        name: _Name = (feed.path, fixture_id, arrival.kind)
        account = self._accounts.get(name)
        effects: list[Effect] = []
        if account is None:
            effects += self._make_room(feed.path, now_ns)
            head = Head(feed.path, fixture_id, arrival.kind)
            account = self._new_account(head, State(arrival.number, arrival.number, now_s), [], {})
            self._store.put(HEAD + account.identity, encode(head))
            heappush(self._ends, (now_s + SILENT_S, *name))
            begin(account, arrival, connection, now_ns)
        else:
            take(account, arrival, connection, now_ns)
            account.state.heard_s = max(account.state.heard_s, now_s)
        if arrival.finished and not account.state.finished:
            account.state.finished = True
            heappush(self._ends, (_end_s(account), *name))
        if account.known.is_indexed and name not in self._indexes:
            self._indexes[name] = account
            if len(self._indexes) > MAX_INDEXES:
                self._indexes.pop(next(iter(self._indexes))).known.drop_index()
        taken = self._taken(account)
        return effects + taken if effects else taken

    def replay(self, feed: Feed, fixture_id: str, arrival: Arrival, now_ns: int) -> list[Effect] | str:
        """Take one numbered packet again; return what goes out, in order, or what is newer."""
        name: _Name = (feed.path, fixture_id, arrival.kind)
        account = self._accounts.get(name)
        effects: list[Effect] = []
        if account is None:
            age_s = (now_ns - arrival.received_ns) // SECOND_NS
            if age_s > SILENT_S:
                return f"fixture {fixture_id}: nothing is known of it, and this is {age_s} s old"
            now_s = now_ns // SECOND_NS
            self._feed(feed.path, now_s)
            effects += self._make_room(feed.path, now_ns)
            head = Head(feed.path, fixture_id, arrival.kind)
            account = self._new_account(head, State(arrival.number, arrival.number, now_s), [], {})
            self._store.put(HEAD + account.identity, encode(head))
            heappush(self._ends, (now_s + SILENT_S, *name))
            begin_again(account, arrival)
        else:
            newer = take_again(account, arrival, now_ns)
            if newer is not None:
                return newer
        return effects + self._taken(account)

    def heard_since(self, feed: Feed, fixture_id: str, kind: Kind, received_ns: int) -> bool:
        """Tell whether a packet of an account came after ``received_ns``."""
        account = self._accounts.get((feed.path, fixture_id, kind))
        return account is not None and is_older(account, received_ns)

    def opened(self, feed: Feed, line: str, connection: str, position: int | None, now_ns: int) -> None:
        """A connection of the feed is up, which asked for ``position``."""
        now_s = now_ns // SECOND_NS
        self._feed(feed.path, now_s).open(line, connection, position, now_s)

    def closed(self, feed: Feed, line: str, connection: str, now_ns: int) -> None:
        """The line is not connected any more (or still not)."""
        now_s = now_ns // SECOND_NS
        self._feed(feed.path, now_s).close(line, connection, now_s)

    def lost(self, feed: Feed, line: str, connection: str, *, frames: Range, now_ns: int) -> None:
        """Frames of a connection, first to last, never reached us, by our own fault: holes, overflow."""
        one = self._feed(feed.path, now_ns // SECOND_NS).lose(line, connection, frames)
        for account in self._members[feed.path].values():
            for gap in account.gaps.all():
                if gap.state == "waiting" and gap.ordinal == one.ordinal and intersects([frames], *gap.frames):
                    gap.ours = True
                    account.gaps.write(gap)

    def repairing(self, feed: str) -> int:
        """Return how many gaps of a feed have a repair asked for."""
        return self._repairing.get(feed, 0)

    # Made, taken, forgotten.

    def _restore(self) -> None:
        feeds, stored = read(self._store)
        for entry in feeds:
            self._hold_feed(entry)
        for one in stored:
            account = self._new_account(one.head, one.state, one.gaps, one.sizes)
            name: _Name = (one.head.feed, one.head.fixture_id, one.head.kind)
            self._ends.append((_end_s(account), *name))
            for gap in one.gaps:
                due = account.deadline(gap)
                if due is not None:
                    (self._waiting if gap.state == "waiting" else self._asked).append((due, *name, gap.first))
            self._sum(account)
        heapify(self._waiting)
        heapify(self._asked)
        heapify(self._ends)

    def _find(self, due: _Due, state: GapState) -> tuple[Account, Gap] | None:
        at, path, fixture_id, kind, first = due
        account = self._accounts.get((path, fixture_id, kind))
        gap = None if account is None else account.gaps.starting_at(first)
        if account is None or gap is None or gap.state != state or account.deadline(gap) != at:
            return None  # closed since, or its deadline moved
        return account, gap

    def _feed(self, path: str, now_s: int) -> FeedConnections:
        return self._feeds.get(path) or self._new_feed(path, now_s)

    def _new_feed(self, path: str, now_s: int) -> FeedConnections:
        connections = self._hold_feed(ConnectionsEntry(path, now_s))
        heappush(self._ends, self._ends.pop())
        return connections

    def _hold_feed(self, entry: ConnectionsEntry) -> FeedConnections:
        connections = self._feeds[entry.path] = FeedConnections(self._store, entry)
        self._members[entry.path] = {}
        self._ends.append((entry.heard_s + SILENT_S, entry.path, "", None))
        return connections

    def _new_account(self, head: Head, state: State, gaps: list[Gap], sizes: dict[int, int]) -> Account:
        identity = account_id(head.feed, head.fixture_id, head.kind)
        name: _Name = (head.feed, head.fixture_id, head.kind)
        account = self._accounts[name] = self._members[head.feed][name] = Account(
            store=self._store,
            feed=feed_of(head.feed),
            head=head,
            identity=identity,
            connections=self._feeds[head.feed],
            settings=self._settings,
            state=state,
            gaps=Gaps(self._store, identity, gaps),
            holding=Holding(self._store, identity, sizes),
        )
        return account

    def _taken(self, account: Account) -> list[Effect]:
        account.write()
        effects, account.effects = account.effects, []
        head = account.head
        if account.due:
            name: _Name = (head.feed, head.fixture_id, head.kind)
            for due, gap in account.due:
                heappush(self._waiting if gap.state == "waiting" else self._asked, (due, *name, gap.first))
            account.due = []
        if account.gaps.asked != account.shown:
            self._sum(account)
            effects.append(Standing(feed=head.feed, repairing=self._repairing[head.feed]))
        return effects

    def _sum(self, account: Account) -> None:
        path = account.head.feed
        shown, account.shown = account.shown, account.gaps.asked
        self._repairing[path] = self.repairing(path) + account.shown - shown

    def _make_room(self, path: str, now_ns: int) -> list[Effect]:
        members = self._members[path]
        effects: list[Effect] = []
        if len(members) >= MAX_ACCOUNTS:
            deleted = 0
            for account in nsmallest(MAX_ACCOUNTS // 8, members.values(), key=_age):
                if deleted >= DELETES_PER_RECORD:
                    break
                told, numbers = self._forget(account, now_ns)
                effects += told
                deleted += numbers
        return effects

    def _forget_ended(self, now_ns: int) -> list[Effect]:
        now_s = now_ns // SECOND_NS
        ended: set[tuple[int, str, str, Kind | None]] = set()
        while self._ends and self._ends[0][0] <= now_s:
            _, path, fixture_id, kind = heappop(self._ends)
            end_s = self._end_s(path, fixture_id, kind)
            if end_s is None:
                continue
            if end_s <= now_s:
                ended.add((end_s, path, fixture_id, kind))
            else:
                heappush(self._ends, (end_s, path, fixture_id, kind))
        effects: list[Effect] = []
        deleted = 0
        for end in sorted(ended, key=lambda one: (*one[:3], one[3] or "")):
            _, path, fixture_id, kind = end
            if deleted >= DELETES_PER_RECORD:
                heappush(self._ends, end)
            elif kind is None:
                self._feeds.pop(path).forget()
                del self._members[path]
                self._repairing.pop(path, None)
            else:
                account = self._accounts[path, fixture_id, kind]
                told, numbers = self._forget_or_shrink(account, now_ns)
                effects += told
                deleted += numbers
        return effects

    def _forget_or_shrink(self, account: Account, now_ns: int) -> tuple[list[Effect], int]:
        if account.state.floor is not None or not account.state.finished or _is_silent(account, now_ns):
            return self._forget(account, now_ns)
        numbers = account.shrink(KEPT)
        heappush(self._ends, (_end_s(account), account.head.feed, account.head.fixture_id, account.head.kind))
        return self._taken(account), numbers

    def _end_s(self, path: str, fixture_id: str, kind: Kind | None) -> int | None:
        if kind is not None:
            account = self._accounts.get((path, fixture_id, kind))
            return None if account is None else _end_s(account)
        connections = self._feeds.get(path)
        if connections is None or self._members[path]:
            return None  # gone, or goes with its last account
        return connections.entry.heard_s + SILENT_S

    def _forget(self, account: Account, now_ns: int) -> tuple[list[Effect], int]:
        for gap in list(account.gaps.all()):
            forget(account, gap, now_ns)
        effects = self._taken(account)
        head = account.head
        name: _Name = (head.feed, head.fixture_id, head.kind)
        deleted = account.known.forget()
        account.forget()
        del self._accounts[name], self._members[head.feed][name]
        self._indexes.pop(name, None)
        if not self._members[head.feed]:
            heappush(self._ends, (self._feeds[head.feed].entry.heard_s + SILENT_S, head.feed, "", None))
        return effects, deleted


def _end_s(account: Account) -> int:
    is_over = account.state.finished and account.state.floor is None
    return account.state.heard_s + (FINISHED_S if is_over else SILENT_S)


def _is_silent(account: Account, now_ns: int) -> bool:
    return account.state.heard_s + SILENT_S <= now_ns // SECOND_NS


def _age(account: Account) -> tuple[int, str, str]:
    return account.state.heard_s, account.head.fixture_id, account.head.kind


def accounts(store: Store, memory: dict[str, object], settings: AccountSettings) -> Accounts:
    """Return the task's accounts, made anew after a restart."""
    known = memory.get(_MEMORY)
    if not isinstance(known, Accounts):
        known = memory[_MEMORY] = Accounts(store, settings)
    return known
