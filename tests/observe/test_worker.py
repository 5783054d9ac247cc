"""A real worker on a real Kafka: what it tells is true, and stuck it is not ready."""

import contextlib
import http.client
import json
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.metrics import METRICS
from tests.engine.lab import OUT, RAW, Lab, frame, stop, until
from tests.observe.test_endpoints import ask

pytestmark = pytest.mark.kafka


class Watched:
    """One worker with its endpoints."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._address = folder / "observe" / "work-toy.json"
        self.hold = folder / "hold"
        observe = {"port": 0, "address_dir": str(self._address.parent), "stuck_s": 2}
        self.fleet = lab.workers(observe=observe, hold=str(self.hold))

    def ask(self, path: str) -> tuple[int, bytes]:
        with contextlib.suppress(OSError, http.client.HTTPException, json.JSONDecodeError):
            status, _, body = ask(json.loads(self._address.read_text())["url"], path)
            return status, body
        return 0, b"{}"

    def until_ready_says(self, status: int, *codes: str) -> None:
        def said() -> bool:
            found, body = self.ask("/readyz")
            told = {reason["code"] for reason in json.loads(body).get("reasons", ())}
            return found == status and set(codes) <= told

        until(said, f"readyz to say {status} {codes}", lambda: str(self.ask("/readyz")))

    def metrics(self) -> dict[tuple[str, ...], float]:
        families = text_string_to_metric_families(self.ask("/metrics")[1].decode())
        return {
            (sample.name, *(value for label, value in sample.labels.items() if label != "processor")): sample.value
            for family in families
            for sample in family.samples
        }


def test_what_a_worker_tells_is_true_and_stuck_it_is_not_ready(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    with Lab(kafka, topic_prefix, tmp_path) as lab:
        lab.feed(range(100))
        lab.write(frame(100, [("a", "poison")]))
        lab.flush()
        worker = Watched(lab, tmp_path)
        lab.wait_for(OUT, 200)
        worker.until_ready_says(200, "core-failures")
        until(lambda: worker.metrics().get(("tricast_worker_records_total",)) == 101, "all records are counted")
        told = worker.metrics()
        assert {name: told[name] for name in _EXPECTED} == _EXPECTED
        assert told[("tricast_worker_received_to_readable_seconds_count",)] == 101
        assert told[("tricast_worker_commit_seconds_count",)] == told[("tricast_worker_cycles_total",)] > 0
        assert told[("tricast_worker_state_entries",)] == len({(n % 4, key) for n in range(100) for key in "ab"})
        _all_of_the_registry_is_there(told)

        worker.hold.touch()  # the loop goes on, and no offset moves
        until(worker.hold.with_suffix(".held").exists, "cycles are held")
        lab.feed(range(101, 105))
        worker.until_ready_says(503, "stalled")
        assert worker.metrics()[("tricast_worker_lag_records",)] > 0
        worker.hold.unlink()
        worker.until_ready_says(200)

        block = tmp_path / "block"  # the loop stands still
        block.touch()
        lab.write(frame(105, [("a", f"block:{block}")]))
        lab.flush()
        worker.until_ready_says(503, "loop-stuck")
        block.unlink()
        worker.until_ready_says(200)
        assert stop(worker.fleet) == 0
        assert len(lab.read(RAW)) == 106


_EXPECTED = {
    ("tricast_worker_outputs_total", "toy.out"): 200,
    ("tricast_worker_outputs_total", "toy.dead-letters"): 1,
    ("tricast_worker_dead_letters_total", "processor-error"): 1,
    ("tricast_worker_failures_total",): 1,
    ("tricast_worker_repeats_total",): 0,
    ("tricast_worker_tasks_assigned",): 4,
    ("tricast_worker_tasks_open",): 4,
    ("tricast_worker_tasks_restored_total",): 4,
    ("tricast_worker_tasks_kept_total",): 0,
    ("tricast_worker_restored_entries_total",): 0,
    ("tricast_worker_restore_seconds_count",): 1,
    ("tricast_worker_lag_records",): 0,
    ("tricast_worker_records_pending",): 0,
    ("tricast_process_alive",): 1,
    ("tricast_process_state", "degraded"): 1,
    ("tricast_process_state", "ready"): 0,
}


def _all_of_the_registry_is_there(told: dict[tuple[str, ...], float]) -> None:
    """Every metric but those that name what a toy does not have."""
    names = {name for name, *_ in told}
    missing = {
        metric.name
        for metric in METRICS.values()
        if metric.part in {"process", "worker"} and not names & {metric.name, f"{metric.name}_count"}
    }
    assert missing == {"tricast_worker_passed_over_total", "tricast_worker_findings_total"}
