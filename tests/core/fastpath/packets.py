"""Frames by hand, what they are read as, and the record each becomes."""

import json
from typing import Any

from hypothesis import strategies as st

from processors.core.fastpath.classify import classify
from processors.core.fastpath.normalize import normalize
from processors.core.fastpath.packet import (
    ActionPacket,
    ElementPacket,
    MatchPacket,
    Packet,
    StatisticsPacket,
)
from schemas.codec import encode
from schemas.fastpath.feed import feed_of
from tests.core.fastpath.golden import RELEASED, stamp

FIXTURE = "0b9c1c6e-7a57-4b0c-9c71-0d6a5f3e2a11"
ACTIONS = f"soccer/fixtures/{FIXTURE}/actions"
STATISTICS = f"soccer/fixtures/{FIXTURE}/statistics"
FIGHT = "mma/fights/47/details"
MULTIPLEXER = "multiplexer/?sport=golf"
PATHS = [ACTIONS, STATISTICS, FIGHT, "mma/fights/47/livestats", "golf/tournaments/9/leaderboard", MULTIPLEXER, "new/1"]


def read(frame: dict[str, Any] | str, path: str = ACTIONS) -> Packet:
    return classify((frame if isinstance(frame, str) else json.dumps(frame)).encode(), feed_of(path))


def match_packet(frame: dict[str, Any] | str, path: str = ACTIONS) -> MatchPacket:
    packet = read(frame, path)
    assert isinstance(packet, MatchPacket)
    return packet


def action(**fields: Any) -> dict[str, Any]:
    return {"fixtureAction": {"fixtureSeqNum": 7, "actionId": "a-1", "sendType": "Pending", "sendTypeId": 1} | fields}


def element(**fields: Any) -> dict[str, Any]:
    return {"seqNum": 7, "eventElementType": "Undo", "timestamp": "2026-11-20T18:00:00.000Z"} | fields


def value_of(frame: dict[str, Any] | str, path: str = ACTIONS) -> str:
    packet = match_packet(frame, path)
    assert isinstance(packet, ActionPacket | ElementPacket | StatisticsPacket)
    return encode(normalize(packet, stamp(path), RELEASED).record).decode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
