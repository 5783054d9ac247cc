from collections.abc import Iterable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.errors import ContractError
from schemas.histogram import Histogram
from schemas.metrics import METRICS
from tricast.observe.exporter import Exporter, Sample


def page(*samples: Sample) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    def source() -> Iterable[Sample]:
        return samples

    text = Exporter(["connector", "process"], [source]).text().decode()
    return {
        (sample.name, tuple(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_counter_and_a_gauge_say_what_they_were_told() -> None:
    assert page(
        Sample("tricast_connector_dropped_frames_total", ("kambi", "3", "queue-full"), 7),
        Sample("tricast_process_alive", (), 1),
    ) == {
        (
            "tricast_connector_dropped_frames_total",
            (("feed", "kambi"), ("partition", "3"), ("reason", "queue-full")),
        ): 7,
        ("tricast_process_alive", ()): 1,
    }


def test_buckets_of_a_histogram_add_up() -> None:
    name = "tricast_process_loop_lag_seconds"
    lag = Histogram(METRICS[name].buckets)
    lag.observe(0.001, 2)
    lag.observe(0.3)
    lag.observe(60)
    told = page(Sample(name, (), lag))
    assert told[(f"{name}_bucket", (("le", "0.001"),))] == 2
    assert told[(f"{name}_bucket", (("le", "0.25"),))] == 2
    assert told[(f"{name}_bucket", (("le", "0.5"),))] == 3
    assert told[(f"{name}_bucket", (("le", "+Inf"),))] == told[(f"{name}_count", ())] == 4
    assert told[(f"{name}_sum", ())] == pytest.approx(60.302)


def test_every_family_is_there_with_its_meaning_before_anything_happened() -> None:
    families = {
        family.name: family for family in text_string_to_metric_families(Exporter(["worker"], []).text().decode())
    }
    wanted = {name: metric for name, metric in METRICS.items() if metric.part == "worker"}
    assert {name.removesuffix("_total"): metric.meaning for name, metric in wanted.items()} == {
        name: family.documentation for name, family in families.items()
    }


@pytest.mark.parametrize(
    ("sample", "complaint"),
    [
        (Sample("tricast_connector_frames_total", (), 1), "no metric"),
        (Sample("tricast_worker_cycles_total", ("kambi",), 1), "no metric of these parts"),
        (Sample("tricast_connector_lookups_waiting", (), 1), "has the labels"),
        (Sample("tricast_connector_lines", ("kambi", "asleep"), 1), "is none of"),
        (Sample("tricast_connector_lookups_waiting", ("rms",), Histogram((1,))), "is a gauge"),
        (Sample("tricast_process_loop_lag_seconds", (), Histogram((1,))), "is a histogram"),
        (Sample("tricast_process_loop_lag_seconds", (), 1), "is a histogram"),
    ],
    ids=["unknown", "of-another-part", "labels", "value", "histogram-for-gauge", "buckets", "number-for-histogram"],
)
def test_what_the_registry_does_not_know_is_not_exported(sample: Sample, complaint: str) -> None:
    with pytest.raises(ContractError, match=complaint):
        page(sample)
