"""How the engine's time is divided, and that a clock runs only from the warm-up's end and through what raises."""

import pytest

from benchmarks import shares
from benchmarks.peer import Report, Stopwatch
from benchmarks.shares_worker import Clock


def report(cpu_us: int, job_us: int, encoding_us: int) -> Report:
    settings = {"job_ns": str(job_us * 1_000), "encoding_ns": str(encoding_us * 1_000)}
    return Report(frames=10, seconds=1, cpu_seconds=cpu_us / 1e6, core_wait_seconds=0, rss_mib=1, settings=settings)


def test_parts_and_the_rest_are_medians_of_a_frame():
    found = shares.cells(4, [report(500, 200, 100), report(900, 900, 900), report(400, 100, 50)])
    assert found == ("4", "50.0", "20.0", "10.0", "20.0", "40%")


def busy() -> None:
    for number in range(200_000):
        _ = number * number
    raise KeyError("done")


def test_a_clock_runs_from_the_warm_ups_end_on():
    stopwatch = Stopwatch()
    clock = Clock(stopwatch)
    clocked = clock.around(busy)
    with pytest.raises(KeyError, match="done"):
        clocked()
    assert clock.ns == 0
    stopwatch.begin()
    with pytest.raises(KeyError, match="done"):
        clocked()
    assert clock.ns > 0
