"""Ask for what is missing: twice at most, within a budget, and say which numbers did not come."""

from typing import Final

from processors.core.fastpath.account.account import SECOND_NS, Account
from processors.core.fastpath.account.effects import Ask, UnrepairedReason
from processors.core.fastpath.account.entries import Connection, Gap

ATTEMPTS: Final = 2
OVERLAP: Final = 2
"""Events read again, because the vendor's text leaves open whether a position is skipped or included (sheet §8)."""


def is_repairable(account: Account) -> bool:
    """Tell whether the feed can be read again and what is missing is worth it."""
    return account.holds_back and account.feed.position is not None


def has_budget(account: Account, now_ns: int) -> bool:
    """Tell whether one more repair may be asked for."""
    state, settings = account.state, account.settings
    state.commands = [asked for asked in state.commands if now_ns - asked < settings.repair_window_s * SECOND_NS]
    return len(state.commands) < settings.repairs_per_fixture


def ask(account: Account, gap: Gap, now_ns: int) -> None:
    """Ask for a gap, or ask again; when the budget is used up, say what is missing."""
    if not has_budget(account, now_ns):
        give_in(account, gap, "budget", now_ns)
        return
    gap.attempt += 1
    if gap.attempt == 1:
        gap.asked_position, gap.asked_line = _position(account, gap), gap.line
    else:
        others = (line for line in account.connections.open_lines() if line != gap.asked_line)
        gap.asked_position, gap.asked_line = _start(account), next(others, gap.asked_line)
    gap.state = "asked"
    gap.asked_ns = now_ns
    gap.asked_ordinal = account.connections.entry.following
    account.state.commands.append(now_ns)
    account.effects.append(
        Ask(
            feed=account.feed.path,
            fixture_id=account.head.fixture_id,
            line=gap.asked_line,
            first=gap.first,
            last=gap.last,
            position=gap.asked_position,
            attempt=gap.attempt,
        )
    )
    account.gaps.write(gap)
    account.watch(gap)


def ask_all(account: Account, line: str, number: int, now_ns: int) -> None:
    """Ask for everything once: numbers restarted before ``number``, and nothing says how many packets are missing."""
    if not is_repairable(account) or not has_budget(account, now_ns):
        return
    account.state.commands.append(now_ns)
    account.effects.append(
        Ask(
            feed=account.feed.path,
            fixture_id=account.head.fixture_id,
            line=line,
            first=number,
            last=number,
            position=_start(account),
            attempt=1,
        )
    )


def review(account: Account, place: int, connection: Connection, now_ns: int) -> None:
    """End the attempts that a packet shows to be over: its connection replayed, is past the gap, and it is open."""
    for gap in list(account.gaps.all()):
        if gap.state != "asked" or place <= gap.last:
            continue
        if connection.ordinal >= gap.asked_ordinal and (connection.position or 0) <= gap.asked_position:
            next_attempt(account, gap, "not-in-replay", now_ns)


def next_attempt(account: Account, gap: Gap, reason: UnrepairedReason, now_ns: int) -> None:
    """An attempt is over and did not bring everything."""
    if gap.attempt < ATTEMPTS:
        ask(account, gap, now_ns)
    else:
        give_in(account, gap, reason, now_ns)


def give_in(account: Account, gap: Gap, reason: UnrepairedReason, now_ns: int) -> None:
    """Say which numbers did not come; nothing more is done for them."""
    gap.state = "told"
    account.found_gap("not_repairable", gap, gap.missing, reason=reason, now_ns=now_ns)
    account.gaps.write(gap)


def _position(account: Account, gap: Gap) -> int:
    if account.feed.position == "sequence":
        return max(account.feed.first_number, gap.first - 1 - account.state.offset)
    return gap.position


def _start(account: Account) -> int:
    return account.feed.first_number if account.feed.position == "sequence" else 0
