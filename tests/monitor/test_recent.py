"""Which records a person may want to look at, and what is said of them."""

from types import SimpleNamespace
from typing import Any

import pytest

from tricast.monitor.picture import MOST_RECENT
from tricast.monitor.recent import RecentDesk


def record(offset=7, *, topic="tricast.fastpath.sequence", key=b"k", headers=(), timestamp=1000) -> Any:
    return SimpleNamespace(topic=topic, partition=1, offset=offset, timestamp=timestamp, key=key, headers=list(headers))


GAP = {"line": "l", "state": "gapped", "reason": "hole", "lost_frames": 3, "ours": True}


@pytest.mark.parametrize(
    ("registry", "found", "value", "said"),
    [
        ("kambi.health", record(key=b"l@2/9"), GAP, ("gap", "l: hole, 3 frames, ours")),
        ("kambi.health", record(key=b"l"), GAP, None),
        ("rms.health", record(key=b"line/l"), GAP, None),
        ("kambi.health", record(key=b"event/1"), {"event_id": 1, "state": "gapped"}, None),
        (
            "fastpath.sequence",
            record(),
            {"fixture_id": "f", "finding": "not_repairable", "missing": [[3, 5], [7, 7]], "reason": "timeout"},
            ("gap", "f: not_repairable 3-5, 7-7 (timeout)"),
        ),
        ("fastpath.sequence", record(), {"fixture_id": "f", "finding": "conflict"}, ("conflict", "f: conflict")),
        ("fastpath.sequence", record(), {"fixture_id": "f", "finding": "duplicate"}, None),
        (
            "rms.decisions",
            record(headers=[("ce_type", b"tricast.rms.conflict.v1")]),
            {"bet_slip_id": "b", "why": "opposite"},
            ("conflict", "bet b: conflict (opposite)"),
        ),
        ("rms.decisions", record(headers=[("ce_type", b"tricast.rms.decision.v1")]), {"bet_slip_id": "b"}, None),
        (
            "kambi.dead-letters",
            record(headers=[("tc-code", b"kambi.bad-json"), ("tc-detail", b"no JSON")]),
            None,
            ("dead-letter", "kambi.bad-json: no JSON"),
        ),
    ],
)
def test_what_is_said(registry, found, value, said):
    desk = RecentDesk()
    desk.observe(registry, found, value)
    assert [(recent.kind, recent.title) for recent in desk.newest()] == ([] if said is None else [said])


def test_the_newest_are_kept_whatever_order_they_come_in():
    desk = RecentDesk()
    for n in (*range(0, 300, 2), *range(1, 300, 2)):
        desk.observe("fastpath.sequence", record(n, timestamp=n), {"fixture_id": "f", "finding": "restarted"})
    assert [recent.at_ms for recent in desk.newest()] == list(range(299, 299 - MOST_RECENT, -1))
