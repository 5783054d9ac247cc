"""A broker on which nobody has used a group yet: its coordinator comes with the first question for it."""

import json
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from schemas.raw import RawHeaders
from tricast.cli.main import run
from tricast.kafka import Cluster

pytestmark = pytest.mark.kafka


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with Cluster(ephemeral=True, brokers=1) as broker:
        monkeypatch.setenv("TRICAST_KAFKA__BOOTSTRAP_SERVERS", broker.bootstrap_servers)
        assert run(["topics", "create"]) == 0
        yield broker.bootstrap_servers


def test_audit_of_a_fresh_broker_leaves_raw_unjudged(fresh: str, capsys: pytest.CaptureFixture[str]):
    headers = RawHeaders(
        feed="kambi", line="kambi-0-general", connection="c", frame=1, received_ns=1_790_000_000 * 10**9, kind="frame"
    )
    producer = Producer({"bootstrap.servers": fresh})
    producer.produce("tricast.kambi.raw", b'2["message","[]"]', b"0", partition=0, headers=list(headers.to_kafka()))
    assert producer.flush(30) == 0
    capsys.readouterr()
    assert run(["audit", "kambi", "--json", "--timeout", "2"]) == 1
    told = capsys.readouterr()
    assert list(json.loads(told.out)["findings"]) == ["unjudged"]
    assert "GroupCoordinator" not in told.err


@pytest.mark.usefixtures("fresh")
def test_status_of_a_fresh_broker_says_that_nothing_is_committed(capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    assert run(["status", "--json"]) == 1
    groups = {group["name"]: group for group in json.loads(capsys.readouterr().out)["groups"]}
    assert groups["tricast.kambi"]["members"] == 0
    assert {row["committed"] for row in groups["tricast.kambi"]["partitions"]} == {None}
    assert {row["topic"] for row in groups["tricast.kambi"]["partitions"]} == {"tricast.kambi.raw"}
