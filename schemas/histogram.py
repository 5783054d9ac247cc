"""A histogram as hot paths keep it: bounds, plain counts and a sum; whoever exports it reads them."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """How often values fell between the bounds. Bounds and values are in one unit, whichever.

    Args:
        bounds: Upper bounds of the buckets, each inclusive, rising; a last bucket for all beyond is added.

    Attributes:
        bounds: As given.
        counts: How many values fell into each bucket, one more than bounds.
        sum: Of all values.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        if not self.bounds or any(low >= high for low, high in zip(self.bounds, self.bounds[1:], strict=False)):
            raise ValueError(f"bounds have to rise: {self.bounds}")
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)

    def observe(self, value: float, count: int = 1) -> None:
        """Take note of ``value``, ``count`` times."""
        self.counts[bisect_left(self.bounds, value)] += count
        self.sum += value * count

    def observe_all(self, values: Sequence[float]) -> None:
        """Take note of each of ``values``; cheap when all of them fall into one bucket, as those of one batch do."""
        if not values:
            return
        counts, bounds = self.counts, self.bounds
        first, last = bisect_left(bounds, min(values)), bisect_left(bounds, max(values))
        if first == last:
            counts[first] += len(values)
        else:
            for value in values:
                counts[bisect_left(bounds, value)] += 1
        self.sum += sum(values)

    def add(self, other: "Histogram") -> None:
        """Take over what ``other``, of the same bounds, holds."""
        self.counts = [own + its for own, its in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum

    def copy(self) -> "Histogram":
        """Return what it holds now."""
        copied = Histogram(self.bounds)
        copied.counts, copied.sum = self.counts.copy(), self.sum
        return copied
