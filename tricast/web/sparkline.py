"""Lines of the last minute, small enough to stand in a table row."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 120, 24
_TOP = 2
"""Room above, so that the line's own width is not cut off."""
_OUTSIDE = 4
"""How far beyond its box a path is closed: what closes it is not to be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """SVG path data, to be stroked, filled and cut off at a box of ``WIDTH`` x ``HEIGHT``.

    Attributes:
        path: The values, newest at the right edge, closed below the box.
        top: Value at the upper edge.
    """

    path: str
    top: float


def sparkline(values: Sequence[float], length: int) -> Sparkline:
    """Draw ``values``, oldest first.

    Args:
        length: How many values fill the whole width; fewer begin further right, so that a second is always as wide.
    """
    values = values[-length:]
    top = max(values, default=0.0)
    step = WIDTH / max(1, length - 1)
    left = WIDTH - step * max(0, len(values) - 1)
    scale = (HEIGHT - 1 - _TOP) / top if top > 0 else 0.0
    # Half a pixel is as much as one sees; what changes by less is not sent again.
    heights = [round(2 * (HEIGHT - 1 - value * scale)) / 2 for value in values] or [HEIGHT - 1.0]
    points = "L".join(f"{left + step * index:.0f} {height:g}" for index, height in enumerate(heights))
    right, low = WIDTH + _OUTSIDE, HEIGHT + _OUTSIDE
    return Sparkline(path=f"M{left - (left <= 0) * _OUTSIDE:.0f} {low}V{heights[0]:g}L{points}H{right}V{low}Z", top=top)
