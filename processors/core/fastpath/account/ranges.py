"""Sets of numbers as sorted ranges, so that a hole of a billion numbers costs two of them."""

from bisect import bisect_right

Range = tuple[int, int]
"""First and last number, both included."""


def _first(one: Range) -> int:
    return one[0]


def contains(ranges: list[Range], number: int) -> bool:
    """Tell whether ``number`` is in one of ``ranges``."""
    at = bisect_right(ranges, number, key=_first) - 1
    return at >= 0 and number <= ranges[at][1]


def remove(ranges: list[Range], number: int) -> bool:
    """Take ``number`` out of ``ranges``; return whether it was in."""
    at = bisect_right(ranges, number, key=_first) - 1
    if at < 0 or number > ranges[at][1]:
        return False
    first, last = ranges[at]
    left: list[Range] = []
    if first < number:
        left.append((first, number - 1))
    if number < last:
        left.append((number + 1, last))
    ranges[at : at + 1] = left
    return True


def intersects(ranges: list[Range], first: int, last: int) -> bool:
    """Tell whether one of ``ranges`` shares a number with ``first`` to ``last``."""
    return any(one[0] <= last and first <= one[1] for one in ranges)
