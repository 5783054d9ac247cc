"""Make a history that core and oracle disagree on as small as it gets, record by record."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.oracle.fastpath.account import Rules
from tests.oracle.fastpath.delivery import Raw
from tests.oracle.fastpath.oracle import expected
from tests.oracle.fastpath.play import Difference, differences, play


def difference_over(records: Sequence[Raw], rules: Rules) -> Difference | None:
    """Return what core and oracle differ in over some records, without restarts."""
    return differences(expected(records, rules), play(records, rules)) if records else None


def shrink(records: Sequence[Raw], fails: Callable[[list[Raw]], bool]) -> list[Raw]:
    """Return a part of ``records`` on which ``fails`` still holds, and nothing in it can be left out."""
    kept = list(records)
    size = len(kept)
    while size:
        place = 0
        while place < len(kept):
            fewer = _numbered(kept[:place] + kept[place + size :])
            if fewer and fails(fewer):
                kept = fewer
            else:
                place += size
        size //= 2
    return kept


def _numbered(records: list[Raw]) -> list[Raw]:
    return [replace(record, offset=offset) for offset, record in enumerate(records)]
