"""How the engine's time is divided, and what a clock around a function counts."""

from itertools import count

import pytest

from benchmarks import shares
from benchmarks.peer import Report, Stopwatch
from benchmarks.shares_worker import Spent


def run(engine_us: float, job_us: float, encoding_us: float, *, is_right: bool = True) -> shares.Run:
    parts_s = {"job": job_us * 10 / 1e6, "encoding": encoding_us * 10 / 1e6, "clocks": 2 * 10 / 1e6}
    report = Report(
        frames=10,
        seconds=1,
        cpu_seconds=(engine_us + 2) * 10 / 1e6,
        core_wait_seconds=0,
        rss_mib=1,
        settings={},
        parts_s=parts_s,
    )
    return shares.Run.of(report, alone_us=9.0, is_right=is_right)


def test_parts_and_the_rest_are_medians_of_runs_without_the_clocks():
    found = shares.cells(4, [run(50, 10, 5), run(60, 40, 10), run(100, 30, 1)])
    assert found == ("4 children", "60.0", "30.0", "5.0", "35.0", "30%", "9.0", "yes")
    assert shares.cells(4, [run(50, 10, 5), run(50, 10, 5, is_right=False)])[-1] == "NO"


def test_a_clock_counts_from_the_warm_ups_end_on_and_through_what_raises():
    stopwatch, ticks = Stopwatch(), count(step=7)
    spent = Spent(stopwatch, now_ns=lambda: next(ticks))
    divided = spent.around(lambda number: 1 / number)
    assert divided(2) == 0.5
    assert (spent.ns, spent.calls) == (0, 0)
    stopwatch.begin()
    assert divided(4) == 0.25
    with pytest.raises(ZeroDivisionError):
        divided(0)
    assert (spent.ns, spent.calls) == (14, 2)
