"""Recordings, as promtool reads them."""

from dataclasses import replace

import pytest
import yaml

from tests.scenarios.catalogue import SCENARIOS
from tests.scenarios.recording import notation, query, recorded, recording_step_s, rules, waits
from tests.scenarios.scenario import Scenario


@pytest.mark.parametrize(
    ("values", "text"),
    [
        pytest.param([0.0, 0.0, 0.0, 0.0], "0+0x3", id="constant"),
        pytest.param([1.0, 3.0, 5.0, 5.0], "1+2x2 5", id="rising"),
        pytest.param([5.0, 4.0, 3.0], "5-1x2", id="falling"),
        pytest.param([1.0, 2.0], "1 2", id="two are no run"),
        pytest.param([0.25, 0.5, 0.75], "0.25 0.5 0.75", id="fractions do not add up exactly"),
        pytest.param([0.5, 0.5, 0.5], "0.5+0x2", id="a fraction that stands"),
        pytest.param([None, None, 7.0], "_x2 7", id="begins later"),
        pytest.param([7.0, None, None, None, 8.0], "7 stale _x2 8", id="away for a while"),
        pytest.param([7.0, None], "7 stale", id="away in the end"),
        pytest.param([1e15], "1000000000000000", id="large"),
    ],
)
def test_values_are_written_in_runs(values: list[float | None], text: str) -> None:
    assert notation(values) == text


def test_a_recording_holds_series_from_the_start_and_what_has_to_fire_by_when() -> None:
    scenario = Scenario(name="x", meaning="x is struck", codes={"line-down": 5.0})
    series = [
        {
            "metric": {"__name__": "up", "job": "tricast", "instance": "m"},
            "values": [[1000.0, "1"], [1060.0, "0"]],
        },
        {"metric": {"__name__": "tricast_state", "job": "tricast", "state": "down"}, "values": [[1005.0, "1"]]},
    ]
    text = recorded(scenario, series, begin_s=1000.0, struck_s=1010.0, step_s=5.0)
    (test,) = yaml.safe_load(text)["tests"]
    assert [(row["series"], row["values"]) for row in test["input_series"]] == [
        ('tricast_state{job="tricast", state="down"}', "_x1 1 stale _x10"),
        ('up{instance="m", job="tricast"}', "1 stale _x10 0"),
    ]
    assert [(row["eval_time"], len(row["exp_samples"])) for row in test["promql_expr_test"]] == [
        ("10s", 0),  # before the strike
        ("55s", 1),  # struck at 10 s, on the page after 5 s, held for 30 s, scraped and evaluated within 5 s each
        ("60s", 0),  # the end
        ("60s", 1),  # over all
    ]
    may = replace(scenario, may=frozenset({"process-gone", "group-lagging"}))
    (test,) = yaml.safe_load(recorded(may, series, begin_s=1000.0, struck_s=1010.0, step_s=5.0))["tests"]
    assert 'code!~"group-lagging|process-gone"' in test["promql_expr_test"][-1]["expr"]


@pytest.mark.parametrize(("length_s", "step_s"), [(30.0, 5.0), (1000.0, 5.0), (1001.0, 10.0), (1830.0, 10.0)])
def test_a_long_recording_leaves_scrapes_out(length_s: float, step_s: float) -> None:
    assert recording_step_s(length_s, 5.0) == step_s


def test_what_is_recorded_is_what_the_rules_name() -> None:
    asked = query()
    assert asked.startswith('{job="tricast",__name__=~"up|tricast_')
    assert "tricast_reasons" in asked
    assert "tricast_group_lag_records" not in asked


def test_how_long_a_condition_has_to_hold() -> None:
    held = waits()
    assert len(held) == len(rules())
    assert (held["kafka-down"], held["feed-not-live"], held["frames-dropped"]) == (15.0, 120.0, 0.0)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
def test_a_strike_lasts_until_its_alerts_have_come(scenario: Scenario) -> None:
    held = waits()
    assert all(shown_s + held[code] + 10 <= scenario.struck_s for code, shown_s in scenario.codes.items())
