"""Lines of the last minute, small enough to stand in a table row."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 120, 24
_TOP = 2
"""Room above, so that the line's own width is not cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """SVG path data in a box of ``WIDTH`` x ``HEIGHT``.

    Attributes:
        line: The values, newest at the right edge.
        area: The same, closed at the bottom.
        top: Value at the upper edge.
    """

    line: str
    area: str
    top: float


def sparkline(values: Sequence[float], length: int) -> Sparkline:
    """Draw ``values``, oldest first.

    Args:
        length: How many values fill the whole width; fewer begin further right, so that a second is always as wide.
    """
    values = values[-length:]
    top = max(values, default=0.0)
    step = WIDTH / max(1, length - 1)
    begin = WIDTH - step * max(0, len(values) - 1)
    scale = (HEIGHT - 1 - _TOP) / top if top > 0 else 0.0
    points = [f"{begin + step * index:.1f} {HEIGHT - 1 - value * scale:.1f}" for index, value in enumerate(values)]
    if len(points) < 2:
        return Sparkline(line=f"M0 {HEIGHT - 1}H{WIDTH}", area="", top=top)
    line = "M" + "L".join(points)
    return Sparkline(line=line, area=f"{line}V{HEIGHT}H{begin:.1f}Z", top=top)
