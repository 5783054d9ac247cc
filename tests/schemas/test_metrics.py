import re

import pytest

from schemas.metrics import METRICS, Metric
from schemas.metrics.page import PAGE, rendered

_ALL = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


@_ALL
def test_a_name_says_whose_it_is_and_its_unit(metric: Metric) -> None:
    own = r"(topic|group|kafka|state|reasons|health)" if metric.part == "monitor" else metric.part
    assert re.fullmatch(rf"tricast_{own}(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    for unit in ("seconds", "bytes"):
        assert metric.name.removesuffix("_total").endswith(f"_{unit}") == (metric.unit == unit)


@_ALL
def test_buckets_belong_to_histograms_and_rise(metric: Metric) -> None:
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert list(metric.buckets) == sorted(set(metric.buckets))


@_ALL
def test_closed_values_are_of_labels_it_has(metric: Metric) -> None:
    assert set(metric.values) <= set(metric.labels)
    assert len(set(metric.labels)) == len(metric.labels)
    assert not {"le", "job", "instance"} & set(metric.labels), "Prometheus sets these itself"
    assert metric.meaning.endswith(".")


def test_no_two_metrics_share_a_name() -> None:
    ends = {"histogram": ("_bucket", "_sum", "_count")}
    exported = [metric.name + end for metric in METRICS.values() for end in ends.get(metric.kind, ("",))]
    assert len(exported) == len(set(exported))


def test_the_page_is_what_the_registry_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == rendered(), "run python -m schemas.metrics"
