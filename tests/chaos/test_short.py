"""The short, seeded part of ``make chaos``: one feed, killed by its parts."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.chaos.fault import Kind
from tests.chaos.judges import check
from tests.chaos.product import Product
from tests.chaos.progress import Screen
from tests.chaos.quiet import Pace
from tests.chaos.run import run
from tests.chaos.strikes import Kill, kill_broker
from tests.chaos.summary import FILE, keep
from tricast.kafka import Cluster

KINDS = (
    Kind(name="kill", make=Kill, targets=("worker:fastpath.audit:1",), lane="workers"),
    Kind(name="kill", make=Kill, targets=("connector:fastpath",), lane="connectors"),
    Kind(name="kill", make=kill_broker, targets=("broker:2",), lane="brokers", lasts_s=(2.0,)),
)

HURRIED = Pace(calm_s=2.0, slack_s=0.0, after_s=0.0)


@pytest.mark.chaos
def test_fastpath_is_whole_after_kills_of_worker_connector_and_broker(
    cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    product = Product(tmp_path, cluster, seed=1, feeds=("fastpath",), prefix=topic_prefix)
    with Screen(Console(file=io.StringIO())) as screen:
        result = run(product, KINDS, seconds=21, screen=screen, pace=HURRIED)
    check(product, result, segments=False)
    assert result.problems == []
    assert result.verdict["findings"] == {}
    assert result.audits["fastpath"]["clean"], result.audits["fastpath"]["findings"]
    keep(tmp_path, result)
    assert len(json.loads((tmp_path / FILE).read_text())["faults"]) == len(KINDS)
