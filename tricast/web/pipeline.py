"""Where everything stands in the drawn pipeline: columns by depth, one lane a feed. Pure sums, no look at Kafka."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log10

from tricast.monitor.picture import Edge

NODE_WIDTH, NODE_HEIGHT = 134, 28
_COLUMN, _ROW = 198, 38
_LANE_GAP = 22
_MARGIN = 8
_BEND = 28
"""How wide a curve is; the rest of the way is straight, and the rate stands above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A node: something that records go through.

    Attributes:
        name: As in ``Edge``: ``topic/tricast.kambi.raw``.
        x: Left edge; ``y`` is its middle.
    """

    name: str
    feed: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """An edge, drawn.

    Attributes:
        path: SVG path data.
        label_x: Right end of the rate beside it, above the line; ``label_y`` is its base line.
        width: Of the stroke: a step for each power of ten.
    """

    source: str
    target: str
    rate: float | None
    path: str
    label_x: float
    label_y: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """All of it, in a box of ``width`` x ``height``."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: float
    height: float


def draw(edges: Sequence[Edge]) -> Drawing:
    """Lay out ``edges``; the same edges always stand in the same places, whatever their rates are."""
    depth = _depths(edges)
    feed_of: dict[str, str] = {}
    for edge in edges:
        feed_of.setdefault(edge.source, edge.feed)
        feed_of.setdefault(edge.target, edge.feed)
    boxes: dict[str, Box] = {}
    top = float(_MARGIN)
    for feed in dict.fromkeys(edge.feed for edge in edges):
        columns: dict[int, list[str]] = defaultdict(list)
        for name in (name for name, its_feed in feed_of.items() if its_feed == feed):
            columns[depth[name]].append(name)
        rows = max((len(names) for names in columns.values()), default=0)
        middle = top + rows * _ROW / 2
        for column in sorted(columns):
            names = sorted(columns[column], key=lambda name: _pulled_to(name, edges, boxes, middle))
            first = middle - (len(names) - 1) * _ROW / 2
            for row, name in enumerate(names):
                x = _MARGIN + column * _COLUMN
                boxes[name] = Box(name=name, feed=feed, x=x, y=first + row * _ROW)
        top += rows * _ROW + _LANE_GAP
    columns_used = max(depth.values(), default=0)
    return Drawing(
        boxes=tuple(boxes.values()),
        arrows=tuple(_arrows(edges, boxes)),
        width=2 * _MARGIN + columns_used * _COLUMN + NODE_WIDTH,
        height=max(top - _LANE_GAP, 0) + _MARGIN + (_ROW / 2 if any(_leads_back(edge, boxes) for edge in edges) else 0),
    )


def _depths(edges: Sequence[Edge]) -> Mapping[str, int]:
    """Return the column of each node: one further than the last that leads to it. What leads back counts nothing."""
    leads_to: dict[str, list[str]] = {}
    for edge in edges:
        leads_to.setdefault(edge.source, []).append(edge.target)
        leads_to.setdefault(edge.target, [])
    depth = dict.fromkeys(leads_to, 0)
    forward: list[tuple[str, str]] = []
    seen: set[str] = set()

    def follow(name: str, trail: frozenset[str]) -> None:
        seen.add(name)
        for target in leads_to[name]:
            if target not in trail:
                forward.append((name, target))
                if target not in seen:
                    follow(target, trail | {target})

    targets = {edge.target for edge in edges}
    for name in sorted(leads_to, key=lambda name: name in targets):  # where nothing leads to, first
        if name not in seen:
            follow(name, frozenset({name}))
    for _ in depth:
        for source, target in forward:
            depth[target] = max(depth[target], depth[source] + 1)
    nearest: dict[str, int] = {}
    for _ in depth:  # a source of its own stands beside who reads it, not far on the left
        for source, target in forward:
            nearest[source] = min(nearest.get(source, depth[target]), depth[target])
        depth |= {name: before - 1 for name, before in nearest.items()}
        nearest.clear()
    return depth


def _pulled_to(name: str, edges: Iterable[Edge], boxes: Mapping[str, Box], middle: float) -> float:
    """Return how high a node should stand: between those that lead to it."""
    heights = [boxes[edge.source].y for edge in edges if edge.target == name and edge.source in boxes]
    return sum(heights) / len(heights) if heights else middle


def _leads_back(edge: Edge, boxes: Mapping[str, Box]) -> bool:
    return boxes[edge.target].x <= boxes[edge.source].x + NODE_WIDTH


def _arrows(edges: Iterable[Edge], boxes: Mapping[str, Box]) -> Iterable[Arrow]:
    arriving: dict[str, int] = defaultdict(int)
    for edge in edges:
        source, target = boxes[edge.source], boxes[edge.target]
        begin, end = source.x + NODE_WIDTH, target.x
        if _leads_back(edge, boxes):  # under the nodes
            low = max(source.y, target.y) + _ROW / 2 + 4
            path = f"M{begin:.0f} {source.y:.0f}C{begin + _BEND:.0f} {low:.0f} {end - _BEND:.0f} {low:.0f} {end:.0f} "
            path += f"{target.y:.0f}"
        else:
            level = f"{target.y:.0f}"
            path = f"M{begin:.0f} {source.y:.0f}C{begin + _BEND:.0f} {source.y:.0f} {begin:.0f} {level} "
            path += f"{begin + _BEND:.0f} {level}H{end:.0f}"
        already = arriving[edge.target]
        arriving[edge.target] += 1
        yield Arrow(
            source=edge.source,
            target=edge.target,
            rate=edge.rate,
            path=path,
            label_x=end - 6,
            label_y=target.y - 5 + already * 18,
            width=1.0 + (0.7 * log10(1 + edge.rate) if edge.rate else 0.0),
        )
