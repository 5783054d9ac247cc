"""Alert rules and dashboards: whatever they name exists, and promtool reads them."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.dashboards import FOLDER, rendered
from schemas.metrics import METRICS
from tricast.monitor.verdict import CODES

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
DASHBOARDS = sorted(FOLDER.glob("*.json"))
RUNBOOK = ROOT / "docs/runbook.md"
_NAME = re.compile(r"\btricast_\w+")
_SELECTOR = re.compile(r"\b(tricast_\w+)\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_PROMETHEUS_LABELS = {"job", "instance", "le"}


def _rules() -> list[Mapping[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def _queries(node: Any) -> Iterator[str]:
    """Yield all queries of a dashboard's JSON."""
    if isinstance(node, dict):
        if isinstance(node.get("expr"), str):
            yield node["expr"]
        if node.get("type") == "query" and isinstance(node.get("definition"), str):
            yield node["definition"]
        for value in node.values():
            yield from _queries(value)
    elif isinstance(node, list):
        for value in node:
            yield from _queries(value)


def _exprs() -> list[tuple[str, str]]:
    alerts = [(rule["alert"], rule["expr"]) for rule in _rules()]
    panels = [(path.stem, expr) for path in DASHBOARDS for expr in _queries(json.loads(path.read_text()))]
    return alerts + panels


_EXPORTED = {
    metric.name + end: metric
    for metric in METRICS.values()
    for end in (("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",))
}


@pytest.mark.parametrize(("where", "expr"), _exprs())
def test_a_query_names_only_metrics_and_labels_that_exist(where: str, expr: str) -> None:
    outside_quotes = re.sub(r'"[^"]*"', "", expr)
    assert set(_NAME.findall(outside_quotes)) <= set(_EXPORTED), f"{where}: {expr}"
    for name, matchers in _SELECTOR.findall(expr):
        metric = _EXPORTED[name]
        for label, operator, value in _MATCHER.findall(matchers):
            assert label in {*metric.labels, *_PROMETHEUS_LABELS}, f"{where}: {name} has no label {label}"
            if label in metric.values and operator in {"=", "!="} and not value.startswith("$"):
                assert value in metric.values[label], f"{where}: {name} never has {label}={value}"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_what_its_source_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == rendered(path.stem), "run python -m deploy.grafana.dashboards"


def test_counters_are_never_read_bare_and_gauges_never_as_counters() -> None:
    for where, expr in _exprs():
        for name in _NAME.findall(re.sub(r'"[^"]*"', "", expr)):
            is_counted = re.search(rf"\b(rate|increase|irate)\(\s*{name}\b", expr) is not None
            grows = _EXPORTED[name].kind == "counter" or (
                _EXPORTED[name].kind == "histogram" and name.endswith(("_bucket", "_sum", "_count"))
            )
            assert is_counted == grows, f"{where}: {expr}"


def test_each_reason_of_the_verdict_has_its_alert_and_no_other_code_is_asked_for() -> None:
    asked = re.findall(r'tricast_reasons\{code="([^"]+)"\}', ALERTS.read_text())
    assert sorted(asked) == sorted(CODES)


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on(rule: Mapping[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")
    code = rule["labels"]["code"]
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{code}"
    paragraphs = RUNBOOK.read_text().split("\n### ")
    assert [part for part in paragraphs if part.partition("\n")[0] == code], f"the runbook has no paragraph {code}"


def test_the_runbook_knows_no_alert_that_there_is_not() -> None:
    told = set(re.findall(r"^### (.+)$", RUNBOOK.read_text(), re.MULTILINE))
    assert told == {rule["labels"]["code"] for rule in _rules()}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Debian: apt install prometheus)")
def test_promtool_reads_the_rules() -> None:
    done = subprocess.run(["promtool", "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
