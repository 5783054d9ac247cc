"""Frames that are no packets: a dead letter that says why, never an exception."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processors.core.exact import MAX_DEPTH
from processors.core.fastpath.classify import classify
from processors.core.fastpath.findings import Unreadable
from processors.core.fastpath.normalize import normalize
from processors.core.fastpath.packet import ActionPacket, ElementPacket, Packet, StatisticsPacket
from schemas.codec import encode
from schemas.fastpath.codes import Code
from schemas.fastpath.feed import feed_of
from tests.core.fastpath.golden import RELEASED, stamp

ACTIONS = "soccer/fixtures/f-1/actions"
STATISTICS = "soccer/fixtures/f-1/statistics"
MULTIPLEXER = "multiplexer/?sport=golf"
PATHS = [ACTIONS, STATISTICS, "tennis/events/x/stream", "golf/tournaments/9/leaderboard", MULTIPLEXER, "new/1", ""]
GOOD = b'{"fixtureAction":{"fixtureSeqNum":1,"actionId":"a","sendType":"Pending"}}'


def read(frame: bytes, path: str = ACTIONS) -> Packet:
    return classify(frame, feed_of(path))


def nested(depth: int) -> bytes:
    return b'{"fixtureAction":{"fixtureSeqNum":1,"x":' + b"[" * (depth - 2) + b"]" * (depth - 2) + b"}}"


DEAD = [
    (b"", Code.NOT_JSON),
    (b"\n", Code.NOT_JSON),
    (b"\x00\x01\xfe", Code.BAD_UTF8),
    (b"The supplied authentication is invalid", Code.NOT_JSON),
    (b"<html>502</html>", Code.NOT_JSON),
    (GOOD[:-1], Code.NOT_JSON),
    (GOOD + b"{}", Code.NOT_JSON),
    (GOOD + GOOD, Code.NOT_JSON),
    (b"{'fixtureAction':{}}", Code.NOT_JSON),
    (GOOD.replace(b'"a"', b"NaN"), Code.NOT_JSON),
    (GOOD.replace(b'"a"', b"Infinity"), Code.NOT_JSON),
    (GOOD.replace(b'"a"', b"-Infinity"), Code.NOT_JSON),
    (GOOD.replace(b'"a"', b'["\\u00e9",NaN]'), Code.NOT_JSON),
    (GOOD.replace(b'"a"', b"01"), Code.NOT_JSON),
    (GOOD.replace(b'"a"', b"1" * 5_000), Code.NOT_JSON),
    (GOOD.replace(b"a", b"\xff"), Code.BAD_UTF8),
    (GOOD.replace(b"a", b"\xed\xa0\x80"), Code.BAD_UTF8),
    (GOOD.replace(b"a", b"\\ud800"), Code.BAD_UTF8),
    (GOOD.replace(b"a", b"\\udc00\\ud800"), Code.BAD_UTF8),
    (GOOD.decode().encode("utf-16"), Code.BAD_UTF8),
    (GOOD.replace(b'"a"', b'"\x01"'), Code.NOT_JSON),
    (b"\xef\xbb\xbf" * 2 + GOOD, Code.NOT_JSON),
    (b"\xef\xbb\xbf" * 100_000, Code.NOT_JSON),
    (nested(MAX_DEPTH + 1), Code.TOO_DEEP),
    (nested(900), Code.TOO_DEEP),
    (b"[" * 1_000_000, Code.TOO_DEEP),
    (b'{"a":' * 1_000_000, Code.TOO_DEEP),
    (GOOD.replace(b'"actionId"', b'"fixtureSeqNum"'), Code.DUPLICATE_KEY),
    (b'{"fixtureAction":{"fixtureSeqNum":1},"fixtureAction":{"fixtureSeqNum":2}}', Code.DUPLICATE_KEY),
    (b'{"fixtureAction":{"fixtureSeqNum":1,"x":[{"y":1,"y":1}]}}', Code.DUPLICATE_KEY),
    (b'{"fixtureAction":{"fixtureSeqNum":1,"fixtureSeq\\u004eum":2}}', Code.DUPLICATE_KEY),
    (b'{"fixtureAction":{"fixtureSeqNum":1,"x":1,"x":"\\u003a"}}', Code.DUPLICATE_KEY),
    (b"null", Code.NOT_AN_OBJECT),
    (b"41", Code.NOT_AN_OBJECT),
    (b'"heartbeat"', Code.NOT_AN_OBJECT),
    (b"[" + GOOD + b"]", Code.NOT_AN_OBJECT),
    (b"{}", Code.UNKNOWN_SHAPE),
    (b'{"a":1}', Code.UNKNOWN_SHAPE),
    (b'{"message":{"seqNum":1}}', Code.UNKNOWN_SHAPE),
    (b'{"message":5,"level":"INFO"}', Code.UNKNOWN_SHAPE),
    (b'{"error":{"code":1},"status":500}', Code.UNKNOWN_SHAPE),
    (b'{"fixtureSummary":{"homeTeamScore":1}}', Code.UNKNOWN_SHAPE),
    (b'{"fixtureId":"f-1","timestamp":"2026-11-20T18:00:00Z"}', Code.UNKNOWN_SHAPE),
    (b'{"fixtureAction":null}', Code.BAD_ACTION),
    (b'{"fixtureAction":[{"fixtureSeqNum":1}]}', Code.BAD_ACTION),
    (b'{"fixtureAction":"x"}', Code.BAD_ACTION),
    (b'{"fixtureAction":{"fixtureSeqNum":null}}', Code.BAD_SEQUENCE),
    (b'{"fixtureAction":{"fixtureSeqNum":true}}', Code.BAD_SEQUENCE),
    (b'{"seqNum":"x","fixtureId":"f-1"}', Code.BAD_SEQUENCE),
    (b'{"seqNum":-1,"eventElementType":"Undo"}', Code.BAD_SEQUENCE),
    (b'{"eventElementType":"ConnectionStateChanged"}', Code.BAD_STATUS),
    (b'{"eventElementType":"ConnectionStateChanged","state":null}', Code.BAD_STATUS),
    (b'{"eventElementType":"ConnectionStateChanged","state":1}', Code.BAD_STATUS),
    (b'{"eventElementType":"ConnectionStateChanged","state":" "}', Code.BAD_STATUS),
    (b'{"eventElementType":"ConnectionStateChanged","state":"' + b"x" * 201 + b'"}', Code.BAD_STATUS),
    (b'{"dataType":"eventdata","feedType":"f","eventId":"1"}', Code.BAD_ENVELOPE),
    (b'{"dataType":"eventdata","feedType":"f","eventId":"1","message":"{}"}', Code.BAD_ENVELOPE),
    (b'{"dataType":null}', Code.BAD_ENVELOPE),
    (b'{"dataType":"eventdata","message":{"dataType":"eventdata","message":{}}}', Code.UNKNOWN_SHAPE),
    (b'{"dataType":"connectionState","feedType":"f","message":{}}', Code.BAD_STATUS),
]


@pytest.mark.parametrize(
    ("frame", "code"), DEAD, ids=[f"{number} {frame[:60]!r}" for number, (frame, _) in enumerate(DEAD)]
)
def test_is_a_dead_letter(frame: bytes, code: Code):
    packet = read(frame)
    assert isinstance(packet, Unreadable)
    assert packet.code == code
    assert packet.detail
    assert len(packet.detail) < 300


def test_every_code_of_a_packet_is_shown_above():
    # Of raw records, of facts and of replays, not of packets.
    records = {Code.BAD_HEADERS, Code.UNKNOWN_KIND, Code.BAD_CONTROL, Code.BAD_FACT}
    replays = {Code.BAD_REPLAY, Code.REPLAY_REFUSED}
    assert {code for _, code in DEAD} == set(Code) - records - replays


def test_a_byte_order_mark_and_space_around_cost_nothing():
    packet = read(GOOD)
    assert isinstance(packet, ActionPacket)
    assert read(b"\xef\xbb\xbf" + GOOD) == read(b" \r\n\t" + GOOD + b"\n") == packet


def test_depth_is_counted_and_not_brackets():
    assert isinstance(read(nested(MAX_DEPTH)), ActionPacket)
    wide = GOOD.replace(b'"a"', b"[" + b"[[]]," * 1_000 + b'"[[[["]')
    assert isinstance(read(wide), ActionPacket)


def test_colons_in_strings_are_no_keys():
    for text in (b"a:b:c", b"a\\u003ab", b"\\u003a:", b"\\\\u003a"):
        assert isinstance(read(GOOD.replace(b'"a"', b'"' + text + b'"')), ActionPacket)


def test_an_oversized_packet_is_a_packet():
    assert isinstance(read(GOOD.replace(b'"a"', b'"' + b"x" * 8_000_000 + b'"')), ActionPacket)


def whatever_comes(frame: bytes, path: str) -> None:
    packet = read(frame, path)
    if isinstance(packet, ActionPacket | ElementPacket | StatisticsPacket):
        assert packet.number is None or 0 <= packet.number < 2**63
        assert len(packet.key) == len(packet.body) == 8
        assert encode(normalize(packet, stamp(path), RELEASED).record)
    elif isinstance(packet, Unreadable):
        assert packet.detail


WORDS = [
    "fixtureAction", "fixtureSummary", "fixtureSeqNum", "seqNum", "SEQNUM", "fixtureId", "actionId", "sendType",
    "sendTypeId", "timestamp", "delayStatus", "metadata", "collectionStatus", "eventElementType", "eventelementtype",
    "state", "message", "level", "dataType", "feedType", "eventId", "error", "errorMessage", "status", "version",
    "finished", "team", "player", "periods", "timelineSequence", "traceId", "fixtureActionType", "fixtureActionTypeId",
]  # fmt: skip
TEXTS = ["heartbeat", "ConnectionStateChanged", "Connected", "eventdata", "connectionState", "Pending", "41", "", ":"]
values: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(TEXTS)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(WORDS), values), st.sampled_from(PATHS))
def test_no_object_of_the_vendors_words_raises(tree: dict[str, Any], path: str):
    whatever_comes(json.dumps(tree).encode(), path)


@given(st.dictionaries(st.sampled_from(WORDS), values), st.sampled_from(PATHS))
def test_no_envelope_raises(tree: dict[str, Any], path: str):
    whatever_comes(json.dumps({"dataType": "eventdata", "message": tree}).encode(), path)


@given(st.binary(), st.sampled_from(PATHS))
def test_no_bytes_raise(frame: bytes, path: str):
    whatever_comes(frame, path)


@settings(max_examples=200)
@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.binary(max_size=4), st.sampled_from(PATHS))
@example(14, 17, b"\xff", ACTIONS)
def test_no_damaged_packet_raises(start: int, end: int, junk: bytes, path: str):
    whatever_comes(GOOD[:start] + junk + GOOD[end:], path)
