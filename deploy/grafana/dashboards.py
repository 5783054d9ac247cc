"""Writes ``deploy/grafana/dashboards/*.json``: ``python -m deploy.grafana.dashboards``; a test says what is stale.

Grafana's JSON repeats itself; what is meant is here. Units and meanings come from the registry of metrics.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.metrics import METRICS

FOLDER = Path(__file__).parent / "dashboards"
_WIDTH = 24
_UNITS = {"seconds": "s", "bytes": "bytes"}
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart.

    Attributes:
        title: What it shows.
        queries: PromQL, each with the legend of its series.
        kind: Grafana's name of the panel.
        unit: Grafana's name of the unit; that of the first metric, per second for a rate, when empty.
        width: Of 24 columns.
    """

    title: str
    queries: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    unit: str = ""
    width: int = 8


@dataclass(frozen=True, slots=True)
class Row:
    """Panels below one heading."""

    title: str
    panels: tuple[Panel, ...]


def _one(title: str, query: str, legend: str, **more: Any) -> Panel:
    return Panel(title, ((query, legend),), **more)


def _quantiles(title: str, metric: str, label: str) -> Panel:
    rate = f"sum by (le, {label}) (rate({metric}_bucket[$__rate_interval]))"
    return Panel(
        title,
        tuple((f"histogram_quantile({q}, {rate})", f"p{q * 100:g} {{{{{label}}}}}") for q in (0.5, 0.99)),
        unit="s",
    )


def _rate(metric: str, *labels: str) -> str:
    return f"sum by ({', '.join(labels)}) (rate({metric}[$__rate_interval]))"


OVERVIEW = (
    Row(
        "How it stands",
        (
            _one("Verdict", "tricast_state == 1", "{{state}}", kind="stat", unit="none", width=4),
            _one("Reasons", "tricast_reasons > 0", "{{code}}", unit="none", width=12),
            _one("Processes by state", "sum by (state) (tricast_process_state)", "{{state}}", width=8),
        ),
    ),
    Row(
        "Flow",
        (
            _one("Frames received", _rate("tricast_connector_received_frames_total", "feed"), "{{feed}}"),
            _one("Records processed", _rate("tricast_worker_records_total", "processor"), "{{processor}}"),
            _one("Records written", _rate("tricast_worker_outputs_total", "topic"), "{{topic}}"),
        ),
    ),
    Row(
        "Time",
        (
            _quantiles("Vendor to us", "tricast_worker_vendor_to_received_seconds", "processor"),
            _quantiles("Received to readable", "tricast_worker_received_to_readable_seconds", "processor"),
            _one("Lag of groups", "max by (group) (tricast_group_lag_seconds)", "{{group}}"),
        ),
    ),
    Row(
        "What went wrong",
        (
            _one("Findings", _rate("tricast_worker_findings_total", "finding", "kind"), "{{finding}} {{kind}}"),
            _one("Dead letters", _rate("tricast_worker_dead_letters_total", "code"), "{{code}}"),
            _one(
                "Frames dropped",
                _rate("tricast_connector_dropped_frames_total", "feed", "reason"),
                "{{feed}} {{reason}}",
            ),
        ),
    ),
)
CONNECTORS = (
    Row(
        "Lines",
        (
            _one("Lines by state", "sum by (feed, state) (tricast_connector_lines)", "{{feed}} {{state}}"),
            _one(
                "Connections that ended",
                _rate("tricast_connector_reconnects_total", "feed", "reason"),
                "{{feed}} {{reason}}",
            ),
            _one(
                "Connects that failed",
                _rate("tricast_connector_connect_failures_total", "feed", "reason"),
                "{{feed}} {{reason}}",
            ),
            _one("Budget left", "min by (feed, budget) (tricast_connector_budget_left)", "{{feed}} {{budget}}"),
            _one("Age of tokens", "max by (token) (tricast_connector_token_age_seconds)", "{{token}}"),
            _one("Requests", _rate("tricast_connector_requests_total", "feed", "outcome"), "{{feed}} {{outcome}}"),
        ),
    ),
    Row(
        "To Kafka",
        (
            _one("Bytes received", _rate("tricast_connector_received_bytes_total", "feed"), "{{feed}}"),
            _quantiles("Received to acknowledged", "tricast_connector_received_to_acknowledged_seconds", "feed"),
            _one("Waiting", "sum by (feed, place) (tricast_connector_records_waiting)", "{{feed}} {{place}}"),
            _one("Oldest unacknowledged", "max by (feed) (tricast_connector_unacknowledged_seconds)", "{{feed}}"),
            _one("Room of spools", "min by (feed) (tricast_connector_spool_free_bytes)", "{{feed}}"),
            _one("Frames spooled", _rate("tricast_connector_spooled_frames_total", "feed"), "{{feed}}"),
        ),
    ),
)
WORKERS = (
    Row(
        "Cycles",
        (
            _one("Cycles", _rate("tricast_worker_cycles_total", "processor"), "{{processor}}"),
            _quantiles("Commit", "tricast_worker_commit_seconds", "processor"),
            _one("Behind", "sum by (processor) (tricast_worker_lag_records)", "{{processor}}"),
            _one("Stalled", "max by (processor) (tricast_worker_stalled_seconds)", "{{processor}}"),
            _one("Pending", "sum by (processor) (tricast_worker_records_pending)", "{{processor}}"),
            _one("Entries of state", "sum by (processor) (tricast_worker_state_entries)", "{{processor}}"),
        ),
    ),
    Row(
        "Tasks",
        (
            _one("Open", "sum by (processor) (tricast_worker_tasks_open)", "{{processor}}"),
            _one("Restored entries", _rate("tricast_worker_restored_entries_total", "processor"), "{{processor}}"),
            _quantiles("Restore", "tricast_worker_restore_seconds", "processor"),
        ),
    ),
    Row(
        "What they find",
        (
            _one("Facts", _rate("tricast_worker_facts_total", "processor", "kind"), "{{processor}} {{kind}}"),
            _one(
                "Passed over",
                _rate("tricast_worker_passed_over_total", "processor", "reason"),
                "{{processor}} {{reason}}",
            ),
            _one("Repeats", _rate("tricast_worker_repeats_total", "processor"), "{{processor}}"),
        ),
    ),
    Row(
        "Processes",
        (
            _one("CPU", _rate("tricast_process_cpu_seconds_total", "instance"), "{{instance}}", unit="percentunit"),
            _one("Memory", "tricast_process_resident_memory_bytes", "{{instance}}"),
            _quantiles("Loop lag", "tricast_process_loop_lag_seconds", "instance"),
        ),
    ),
)
KAFKA = (
    Row(
        "Cluster",
        (
            _one("Reachable", "tricast_kafka_reachable", "Kafka", kind="stat", unit="none", width=4),
            _one("Brokers", "tricast_kafka_brokers - tricast_kafka_brokers_silent", "answering", kind="stat", width=4),
            _one(
                "Replicas out of sync",
                "sum by (topic) (tricast_topic_replicas - tricast_topic_in_sync_replicas) > 0",
                "{{topic}}",
            ),
            _one("Held back by open transactions", "max by (topic) (tricast_topic_held_back_seconds)", "{{topic}}"),
        ),
    ),
    Row(
        "Topics",
        (
            _one("Offsets per second", "sum by (topic) (deriv(tricast_topic_end_offset[1m]))", "{{topic}}", unit="cps"),
            _one("Size", "sum by (topic) (tricast_topic_size_bytes)", "{{topic}}"),
            _one("Age of the newest record", "min by (topic) (tricast_topic_newest_age_seconds)", "{{topic}}"),
        ),
    ),
    Row(
        "Groups",
        (
            _one("Lag, records", "sum by (group) (tricast_group_lag_records)", "{{group}}"),
            _one("Lag, seconds", "max by (group) (tricast_group_lag_seconds)", "{{group}}"),
            _one("Members", "tricast_group_members", "{{group}}"),
        ),
    ),
)
DASHBOARDS = {
    "overview": ("tricast: overview", OVERVIEW),
    "connectors": ("tricast: connectors", CONNECTORS),
    "workers": ("tricast: workers", WORKERS),
    "kafka": ("tricast: Kafka", KAFKA),
}


def _unit(panel: Panel) -> str:
    if panel.unit:
        return panel.unit
    query = panel.queries[0][0]
    metric = METRICS[re.findall(r"tricast_\w+", query)[0]]
    base = _UNITS.get(metric.unit, "short")
    if "rate(" not in query:
        return base
    return {"bytes": "Bps", "short": "cps"}.get(base, base)


def _meaning(panel: Panel) -> str:
    names = dict.fromkeys(re.findall(r"tricast_\w+", " ".join(query for query, _ in panel.queries)))
    metrics = [METRICS.get(name) or METRICS[re.sub(r"_(bucket|sum|count)$", "", name)] for name in names]
    return "\n\n".join(metric.meaning for metric in metrics)


def _drawn(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": _meaning(panel),
        "datasource": _DATASOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": 8},
        "fieldConfig": {"defaults": {"unit": _unit(panel), "min": 0}, "overrides": []},
        "options": {"textMode": "name"} if panel.title == "Verdict" else {},
        "targets": [
            {"refId": chr(ord("A") + index), "expr": query, "legendFormat": legend, "datasource": _DATASOURCE}
            for index, (query, legend) in enumerate(panel.queries)
        ],
    }


def _panels(rows: Sequence[Row]) -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        panels.append(
            {"id": len(panels) + 1, "type": "row", "title": row.title, "gridPos": {"x": 0, "y": y, "w": _WIDTH, "h": 1}}
        )
        y += 1
        x = 0
        for panel in row.panels:
            if x + panel.width > _WIDTH:
                x, y = 0, y + 8
            panels.append(_drawn(panel, len(panels) + 1, x, y))
            x += panel.width
        y += 8
    return panels


def rendered(name: str) -> str:
    """Return the JSON of the dashboard ``name``, as Grafana imports it."""
    title, rows = DASHBOARDS[name]
    datasource = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    dashboard = {
        "uid": f"tricast-{name}",
        "title": title,
        "tags": ["tricast"],
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "templating": {"list": [datasource]},
        "links": [{"type": "dashboards", "tags": ["tricast"], "title": "tricast", "asDropdown": True}],
        "panels": _panels(rows),
    }
    return json.dumps(dashboard, indent=1) + "\n"


if __name__ == "__main__":
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard}.json").write_text(rendered(dashboard), encoding="utf-8")
