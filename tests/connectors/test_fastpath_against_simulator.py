"""The simulator's ledger against the raw topic: every message it handed over is there, and resuming skips no event."""

from collections import defaultdict
from functools import partial

import pytest

from connectors.fastpath import names
from schemas.fastpath.feed import feed_of
from simulators.fastpath.config import FastpathFaultSettings, FastpathSimulatorSettings
from simulators.fastpath.ledger import read_ledger
from simulators.fastpath.server import FastpathSimulator
from tests.connectors import contract

pytestmark = pytest.mark.kafka

# No swaps: one that slips past the overlap of a resume is a gap, which the processor has repaired.
FAULTS = FastpathFaultSettings(
    cut_every_s=0.3,
    close_every_s=0.5,
    close_after_auth_every=4,
    duplicate_every=5,
    conflict_every=31,
    binary_every=17,
    junk_every=13,
    repeat_status_every=3,
)


@pytest.mark.parametrize("reading", ["skip", "start_at"])
@pytest.mark.parametrize("scope", ["fixture", "connection"])
async def test_the_ledger_is_in_the_raw_topic_and_resuming_skips_no_event(fastpath, tmp_path, scope, reading):
    settings = FastpathSimulatorSettings(
        ledger=tmp_path / "ledger.jsonl",
        faults=FAULTS,
        fixtures={"soccer": 1, "tennis": 1},
        actions_per_second=80.0,
        heartbeat_s=0.5,
        scope=scope,
        position_events=reading,
    )
    async with FastpathSimulator(settings) as simulator:
        live = [fixture for fixture in simulator.world.fixtures if fixture.status == "Live"]
        paths = [fixture.paths[kind] for fixture in live for kind in ("actions", "statistics")]
        token = settings.token.get_secret_value()
        async with fastpath.connector(simulator.urls.stream_url, feeds=paths, token=token):
            for path in paths:
                await fastpath.records(partial(has_opened, path, 8), path=path)
    records = []
    for path in {names.partition_of(path): path for path in paths}.values():
        partition = await fastpath.records(path=path)
        contract.check(partition, feed="fastpath")
        records += partition
    received, ends = defaultdict(list), {}
    for record in records:
        if record.kind == "frame":
            received[record.connection].append(record.value)
        elif record.kind == "closed":
            ends[record.connection] = record.json["reason"]
    ours = {r.json["local"]: r for r in records if r.kind == "opened"}
    sent, connections, indices = defaultdict(list), {}, defaultdict(set)
    for line in read_ledger(tmp_path / "ledger.jsonl"):
        if line.kind == "connect":
            connections[line.connection] = ours.pop(line.peer)
        elif line.kind == "frame":
            opened = connections[line.connection]
            if line.index is not None and len(sent[opened.connection]) < len(received[opened.connection]):
                indices[opened.line].add(line.index)
            sent[opened.connection].append(line.payload)
    assert not ours, "a connection that the simulator knows nothing of"
    for connection, frames in received.items():
        assert frames == sent[connection][: len(frames)]
    for connection, frames in sent.items():
        # What was handed over but never left follows the last frame: inside the gap that `closed` begins.
        assert len(received[connection]) == len(frames) or ends[connection] in {"connection lost", "shutdown"}
    for path in paths:
        if feed_of(path).position is not None:
            assert indices[path] == set(range(len(indices[path]))), f"{path} has a hole"
    assert min(len(indices[path]) for path in paths) > 5


def has_opened(line, count, seen):
    return sum(record.kind == "opened" and record.line == line for record in seen) >= count
