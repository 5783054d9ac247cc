"""How packets pass an account: in order, held back behind a gap, into a gap; and how a gap is given up."""

from processors.core.fastpath.account.account import Account, Packet
from processors.core.fastpath.account.effects import Repair
from processors.core.fastpath.account.entries import Gap, Held
from processors.core.fastpath.account.ranges import intersects
from processors.core.fastpath.account.repair import OVERLAP, ask, give_in, has_budget, is_repairable
from schemas.fastpath.fields import Why
from schemas.fastpath.sequence import FindingKind


def pass_on(account: Account, packet: Packet, place: int) -> None:
    """A number that was never here goes out, with all it held back; or it waits for what is missing before it."""
    barrier = account.gaps.barrier
    if barrier is None or place < barrier:
        account.release(packet.arrival, place, "in_order")
        account.release_held("filled", packet.now_ns)
    elif not account.holds_back:
        account.release(packet.arrival, place, "unordered")
    else:
        account.holding.hold(place, Held(packet.arrival.number, packet.now_ns, packet.arrival.payload()))
        while account.holding.exceeds(account.settings.hold_count, account.settings.held_bytes):
            lowest = account.gaps.waiting
            assert lowest is not None  # nothing is held back but behind a waiting gap
            give_up(account, lowest, "overfull", packet.now_ns)


def skip(account: Account, packet: Packet, first: int, last: int) -> None:
    """Numbers were skipped on a connection by the packet at hand."""
    gap = _gap(account, packet, first, last)
    account.gaps.add(gap)
    account.watch(gap)
    make_room(account, packet.now_ns)


def skip_for_good(account: Account, packet: Packet, first: int, last: int) -> None:
    """Numbers were skipped by a packet that is replayed: nobody sends them any more, and nobody is asked."""
    gap = _gap(account, packet, first, last)
    gap.state = "told"
    account.gaps.add(gap)
    account.found_gap("not_repairable", gap, gap.missing, reason="no-replay", now_ns=packet.now_ns)
    make_room(account, packet.now_ns)


def skip_silently(account: Account, packet: Packet, first: int, last: int) -> None:
    """Numbers below the baseline were skipped: they may come yet, but nobody promised them."""
    gap = _gap(account, packet, first, last)
    gap.state = "silent"
    account.gaps.add(gap)
    make_room(account, packet.now_ns)


def fill(account: Account, packet: Packet, gap: Gap, place: int) -> None:
    """A missing number came (R6)."""
    arrival, link, now_ns = packet.arrival, packet.link, packet.now_ns
    is_own, is_renewed = link.ordinal == gap.ordinal, link.ordinal >= gap.born
    if not is_own:
        gap.foreign = arrival.line
        gap.renewed = gap.renewed or is_renewed
    account.known.put(place, packet.content)
    account.gaps.fill(gap, place)
    why: Why = "late" if is_own else "repaired"
    kind: FindingKind
    if gap.state == "silent":
        account.release(arrival, place, "repaired")
    elif gap.state == "told":
        kind = "gap_repaired" if is_renewed else "gap_closed"
        account.found_gap(kind, gap, [(place, place)], by=arrival.line, now_ns=now_ns)
        account.release(arrival, place, why)
    elif gap.state == "waiting":
        if not gap.missing:
            kind = "gap_closed" if gap.foreign else "reordered"
            account.found_gap(kind, gap, [(gap.first, gap.last)], by=gap.foreign or None, now_ns=now_ns)
        if account.holds_back:
            pass_on(account, packet, place)
        else:  # newer ones are out, and whoever takes the newest must not take this one for it
            account.release(arrival, place, "unordered", late=is_own, repaired=not is_own)
    else:
        if not gap.missing:
            kind = "gap_repaired" if gap.renewed else "gap_closed"
            account.found_gap(kind, gap, gap.given_up, by=gap.foreign or gap.line, now_ns=now_ns)
        account.release(arrival, place, why)
    make_room(account, now_ns)


def give_up(account: Account, gap: Gap, why: Why, now_ns: int) -> None:
    """Wait no longer for a gap (R8): say so, ask for it, let go what it held back."""
    gap.state = "given-up"
    gap.given_up = list(gap.missing)
    can_ask = is_repairable(account)
    repair: Repair = "asked" if can_ask and has_budget(account, now_ns) else "none"
    account.found_gap("gap_suspected", gap, gap.given_up, repair=repair, now_ns=now_ns)
    if can_ask:
        ask(account, gap, now_ns)
    elif account.holds_back:
        give_in(account, gap, "no-replay", now_ns)
    else:
        gap.state = "told"  # the next aggregate holds all
        account.gaps.write(gap)
    account.release_held(why, now_ns)


def make_room(account: Account, now_ns: int) -> None:
    """Forget gaps beyond what is remembered, lowest first; their numbers are on record."""
    while (gap := account.gaps.surplus()) is not None:
        forget(account, gap, now_ns)


def forget(account: Account, gap: Gap, now_ns: int) -> None:
    """Forget a gap, whatever its state."""
    if gap.state == "waiting":
        give_up(account, gap, "overfull", now_ns)
    if gap.state == "asked":
        give_in(account, gap, "forgotten", now_ns)
    account.gaps.drop(gap)


def _gap(account: Account, packet: Packet, first: int, last: int) -> Gap:
    arrival, connection, link = packet.arrival, packet.connection, packet.link
    frames = (link.frame, arrival.frame)
    return Gap(
        first=first,
        last=last,
        since_ns=packet.now_ns,
        line=arrival.line,
        connection=arrival.connection,
        ordinal=link.ordinal,
        born=account.connections.entry.following,
        position=max(0, (connection.position or 0) + packet.events - OVERLAP),
        frames=frames,
        missing=[(first, last)],
        ours=intersects(connection.lost, *frames),
        received_ns=arrival.received_ns,
    )
