"""How far approvals by code alone have come through their tasks: order over tasks that know nothing of each other."""

from typing import Final

from processors.core.rms.join.entries import Passage

MAX_AHEAD: Final = 256
"""Ranges kept ahead of what is missing; the oldest hole is given up when there are more."""


def take_passed(passage: Passage, ordinal: int, now_ns: int) -> bool:
    """Note that one has passed; tell whether the mark moved."""
    if ordinal <= passage.mark or any(first <= ordinal <= last for first, last in passage.ahead):
        return False
    if ordinal > passage.mark + 1:
        if not passage.ahead:
            passage.stuck_ns = now_ns
        _insert(passage.ahead, ordinal)
        if len(passage.ahead) <= MAX_AHEAD:
            return False
        _skip(passage, now_ns)
        passage.given_up_ns = now_ns
        return True
    passage.mark = ordinal
    if passage.ahead and passage.ahead[0][0] == ordinal + 1:
        _skip(passage, now_ns)
    return True


def heal(passage: Passage, now_ns: int, patience_ns: int) -> bool:
    """Give up a hole that stood for longer than ``patience_ns``; tell whether the mark moved.

    A message that was lost in a reset never comes, and every later bet would wait for it.
    """
    if not passage.ahead:
        return False
    if passage.stuck_ns == 0:
        passage.stuck_ns = now_ns
    if now_ns <= passage.stuck_ns + patience_ns:
        return False
    _skip(passage, now_ns)
    passage.given_up_ns = now_ns
    return True


def _skip(passage: Passage, now_ns: int) -> None:
    passage.mark = passage.ahead.pop(0)[1]
    passage.stuck_ns = now_ns if passage.ahead else 0


def _insert(ahead: list[tuple[int, int]], ordinal: int) -> None:
    at = len(ahead)
    while at and ahead[at - 1][0] > ordinal:
        at -= 1
    joins_before = at > 0 and ahead[at - 1][1] == ordinal - 1
    joins_after = at < len(ahead) and ahead[at][0] == ordinal + 1
    if joins_before and joins_after:
        ahead[at - 1 : at + 1] = [(ahead[at - 1][0], ahead[at][1])]
    elif joins_before:
        ahead[at - 1] = (ahead[at - 1][0], ordinal)
    elif joins_after:
        ahead[at] = (ordinal, ahead[at][1])
    else:
        ahead.insert(at, (ordinal, ordinal))
