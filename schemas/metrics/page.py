"""``docs/metrics.md``, made of the registry."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from schemas.metrics import METRICS
from schemas.metrics.metric import Metric, Part

PAGE: Final = Path(__file__).parents[2] / "docs" / "metrics.md"

_TITLES: Final[dict[Part, str]] = {
    "process": "Every process",
    "connector": "Connectors (`tricast connect FEED`)",
    "worker": "Workers (`tricast work PROCESSOR`)",
    "monitor": "The monitor (`tricast monitor`)",
}
_HEAD: Final = """\
# Metrics

Made from the registry, `schemas/metrics`, by `python -m schemas.metrics`; do not edit it. What is not in the registry
cannot be exported, and no alert rule or dashboard can name it. Prometheus adds `job` and `instance`; a histogram `x`
is exported as `x_bucket`, `x_sum` and `x_count`.
"""


def rendered() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for part, title in _TITLES.items():
        yield f"## {title}\n"
        yield "| metric | kind | labels | unit | meaning |\n|---|---|---|---|---|"
        yield from (_row(metric) for metric in METRICS.values() if metric.part == part)
        yield from _values([metric for metric in METRICS.values() if metric.part == part])
        yield ""


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.unit} | {metric.meaning} |"


def _values(metrics: list[Metric]) -> Iterator[str]:
    closed = [metric for metric in metrics if metric.values]
    if closed:
        yield "\nLabels whose values are a closed set:\n"
    for metric in closed:
        for label, values in metric.values.items():
            yield f"- `{label}` of `{metric.name}`: {', '.join(f'`{value}`' for value in values)}"
