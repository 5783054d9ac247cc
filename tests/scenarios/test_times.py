"""Who said what how soon; and what the witnesses say, read from the real page."""

from pathlib import Path

import msgspec
import pytest

from tests.scenarios.catalogue import SCENARIOS
from tests.scenarios.prometheus import interval_s
from tests.scenarios.recording import waits
from tests.scenarios.scenario import Scenario
from tests.scenarios.times import Row, is_well, rows, shown_besides, stated, surprises
from tests.scenarios.witnesses import ALL, Moment, Said, page_said, status_said
from tests.web.pictures import away, degraded, healthy
from tricast.monitor.picture import Picture
from tricast.web.sections import Sections, changed, environment
from tricast.web.stream import event

RUNBOOK = Path(__file__).parents[2] / "docs/runbook.md"
WELL = Said("healthy")
DOWN = Said("degraded", frozenset({"line-down"}))
SCENARIO = Scenario(name="x", meaning="", part="connect-kambi", codes={"line-down": 3.0, "process-gone": 0.0}, well_s=9)


def moment(at_s: float, page: Said = WELL, status: Said = WELL, readyz: str = "ready", *firing: str) -> Moment:
    return Moment(at_s, page, status, readyz, frozenset(firing))


COURSE = [
    moment(99),
    moment(101),
    moment(102, DOWN),
    moment(110, DOWN, DOWN, "gone"),
    moment(120, DOWN, DOWN, "gone", "process-gone"),
    moment(160, DOWN, DOWN, "gone", "line-down", "process-gone"),
    moment(201, DOWN, WELL, "ready", "line-down"),
    moment(202),
    moment(203, DOWN),
    moment(204),
]


def test_each_witness_has_its_time_after_the_strike_and_after_its_end() -> None:
    found = list(
        rows(SCENARIO, COURSE, struck_s=100, healed_s=200, held={"line-down": 30.0, "process-gone": 30.0}, step_s=5.0)
    )
    assert found == [
        Row("line-down", "page", 3.0, 2),
        Row("line-down", "status", 3.0, 10),
        Row("line-down", "alert", 43.0, 60),
        Row("process-gone", "alert", 40.0, 20),
        Row("not ready", "/readyz of connect-kambi", 5.0, 10),
        Row("well again", "page", 9, 4),
        Row("well again", "status", 9, 1),
        Row("well again", "/readyz", 9, 1),
        Row("well again", "alerts", 9, 2),
    ]
    assert [row.is_late for row in found] == [False, True, True, False, True, False, False, False, False]


def test_what_never_comes_is_late_and_so_is_what_is_not_well_at_last() -> None:
    course = [moment(101), moment(201, DOWN)]
    found = list(
        rows(SCENARIO, course, struck_s=100, healed_s=200, held={"line-down": 0.0, "process-gone": 0.0}, step_s=5.0)
    )
    assert [(row.who, row.said_s) for row in found if row.is_late] == [
        ("page", 101),  # long after all was over
        ("status", None),
        ("alert", None),
        ("alert", None),
        ("/readyz of connect-kambi", None),
        ("page", None),
    ]


def test_where_nothing_has_to_fire_nobody_may_say_anything_at_any_time() -> None:
    quiet = Scenario(name="quiet", meaning="", part=ALL)
    told = rows(quiet, [moment(99), moment(201)], struck_s=100, healed_s=200, held={}, step_s=5.0)
    assert [(row.what, row.who, row.is_late) for row in told] == [
        ("well again", who, False) for who in ("page", "status", "/readyz", "alerts")
    ]
    assert surprises(quiet, [moment(99), moment(101), moment(300)], 100) == []
    course = [moment(99), moment(101, DOWN, DOWN, "degraded"), moment(200, WELL, WELL, "ready", "slow")]
    assert surprises(quiet, course, 100) == [
        "/readyz: not well though nothing had happened",
        "alert slow fired",
        "alerts: not well though nothing had happened",
    ]
    assert shown_besides(quiet, course) == {"line-down": 1}  # e.g. that a vendor calls a feed doubtful


def test_a_false_alarm_is_told_and_what_was_on_the_page_without_one() -> None:
    slow = Said("degraded", frozenset({"slow"}))
    course = [moment(99, DOWN), moment(101, slow, WELL, "ready", "slow"), moment(102, WELL, WELL, "ready", "line-down")]
    assert surprises(SCENARIO, course, 100) == ["alert slow fired", "page: not well though nothing had happened"]
    assert shown_besides(SCENARIO, course) == {"slow": 1}
    assert [is_well(SCENARIO, each) for each in course] == [False, False, False]


@pytest.mark.parametrize("picture", [healthy(), degraded(), away(healthy(), 9)], ids=lambda picture: picture.state)
def test_page_and_status_are_read_as_they_are(picture: Picture) -> None:
    expected = Said(picture.state, frozenset(reason.code for reason in picture.reasons))
    sections = changed({}, Sections(environment()).overview(picture))
    assert page_said(event(picture.at_ms, picture.at_ms, sections).splitlines()[1]) == expected
    assert status_said(msgspec.json.encode(picture)) == expected


def test_an_event_without_the_verdict_leaves_it_as_it_was() -> None:
    assert [page_said(line) for line in event(1, 1, {"lines": "<p>"}).splitlines()] == [None, None, None]


def test_the_runbook_states_the_times_that_are_held() -> None:
    table = stated(SCENARIOS.values(), held=waits(), step_s=interval_s())
    assert table in RUNBOOK.read_text(), "put what `python -m tests.scenarios --stated` prints into the runbook"
