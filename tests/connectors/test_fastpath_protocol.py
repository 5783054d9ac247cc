"""What messages mean for liveness and resuming, in every shape that is documented, and in those that are not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fastpath import protocol
from connectors.fastpath.protocol import Event, Heartbeat, Other, Refusal, read

FIXTURE = "11111111-2222-4333-8444-555555555555"


def action(number):
    return b'{"finished":false,"fixtureAction":{"fixtureId":"%s","fixtureSeqNum":%s}}' % (FIXTURE.encode(), number)


@pytest.mark.parametrize(
    ("number", "read_as"),
    [
        (b"41", 41),
        (b'"41"', 41),
        (b"41.0", 41),
        (b"4.1e1", 41),
        (b"0", 0),
        (b"9223372036854775807", 2**63 - 1),
        (b"9223372036854775808", None),
        (b"1" * 400, None),
        (b'"' + b"1" * 5000 + b'"', None),
        (b"1e400", None),
        (b"-1", None),
        (b"41.5", None),
        (b"true", None),
        (b"null", None),
        (b'"41 "', None),
        (b'"four"', None),
        ('"٤١"'.encode(), None),
        (b"[41]", None),
        (b"{}", None),
    ],
)
def test_a_sequence_number_may_be_written_in_several_ways(number, read_as):
    wanted = Event(stream=("action", FIXTURE), number=read_as, finished=False) if read_as is not None else Other()
    assert read(action(number)) == wanted


@pytest.mark.parametrize(
    ("packet", "event"),
    [
        ({"seqNum": 8, "fixtureId": "f", "finished": True}, Event(stream=("packet", "f"), number=8, finished=True)),
        ({"seqNum": 9, "eventElementType": "PointScored"}, Event(stream=("packet", ""), number=9)),
        ({"seqNum": 12, "eventElementType": "Alarm"}, Event(stream=("packet", ""), number=12)),
        ({"SeqNum": 3, "eventElementType": "MarketOpen"}, Event(stream=("packet", ""), number=3)),
        ({"eventElementType": "ModeChange", "mode": "x", "seqNum": 4}, Event(stream=("packet", ""), number=4)),
        ({"fixtureAction": {"fixtureSeqNum": 1, "fixtureId": 7}}, Event(stream=("action", ""), number=1)),
        ({"fixtureAction": {"fixtureSeqNum": 1}, "finished": "yes"}, Event(stream=("action", ""), number=1)),
        ({"fixtureAction": {"fixtureSeqNum": 1}, "seqNum": 5}, Event(stream=("action", ""), number=1)),
    ],
    ids=lambda value: "" if isinstance(value, Event) else " ".join(value),
)  # fmt: skip
def test_what_counts_as_an_event(packet, event):
    assert read(json.dumps(packet).encode()) == event


def test_broken_text_in_a_field_that_is_not_looked_at_does_not_hide_the_number():
    assert read(b'{"seqNum":1,"x":"\xff"}') == Event(stream=("packet", ""), number=1)


@pytest.mark.parametrize(
    "packet",
    [
        {"message": "Heartbeat sent at 2026-11-20T18:00:10.412Z", "level": "INFO"},
        {"eventElementType": "heartbeat", "timestamp": "2026-11-20T18:00:20.001Z", "message": "alive"},
        {"eventelementType": "Heartbeat", "message": "alive"},
        {"eventElementType": "HEARTBEAT"},
        {"sport": "golf", "dataType": "heartbeats", "message": {"timestamp": "x"}},
    ],
    ids=["a and c", "golf", "golf's table", "upper case", "multiplexer"],
)
def test_a_heartbeat_in_every_documented_shape(packet):
    assert read(json.dumps(packet).encode()) == Heartbeat()


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        ({"message": "The supplied authentication is invalid", "level": "ERROR"}, "unauthorised"),
        ({"message": "Authentication message had incorrect format", "level": "error"}, "unauthorised"),
        ({"errorMessage": "Supplied token could not be authenticated"}, "unauthorised"),
        ({"error": "nobody knows you", "status": 401}, "unauthorised"),
        ({"error": "Access denied", "status": "403"}, "unauthorised"),
        ({"message": "THE SUPPLIED AUTHENTICATION IS INVALID"}, "unauthorised"),
        ({"message": "Full access is needed", "statusCode": 401}, "unauthorised"),
        ({"message": "Access token expired", "level": "FATAL"}, "unauthorised"),
        ({"error": {"code": 401, "message": "who are you"}}, "unauthorised"),
        ({"error": "Unauthorized"}, "unauthorised"),
        ("The supplied authentication is invalid", "unauthorised"),
        ([{"message": "The supplied authentication is invalid"}], "unauthorised"),
        ({"message": "Could not find fixture topic x", "level": "WARN"}, "unknown-fixture"),
        ({"error": "fixture not found", "status": 404}, "unknown-fixture"),
    ],
)
def test_a_refusal_in_words(packet, why):
    said = read(json.dumps(packet).encode())
    assert isinstance(said, Refusal)
    assert said.why == why


def test_a_refusal_in_plain_text():
    said = read(b"The supplied authentication is invalid")
    assert isinstance(said, Refusal)
    assert said.why == "unauthorised"


@pytest.mark.parametrize(
    "payload",
    [
        b'{"message": "Authorisation accepted", "level": "INFO"}',
        b'{"message": "unauthorised access was averted", "level": "INFO"}',
        b'{"eventElementType": "Alarm", "message": "token could not be authenticated"}',
        b"The supplied authentication is invalid" + b"!" * 2000,
        b'{"message": "Authentication will be renewed", "level": "WARN"}',
        b'{"message": "internal trouble", "level": "ERROR"}',
        b'{"eventElementType":"ConnectionStateChanged","state":"Disconnected","timestamp":"2026-11-20T18:00:40.000Z"}',
        b'{"sport":"golf","eventId":"901-1-21","dataType":"eventdata","message":{"seqNum":3}}',
        b'{"error": "token", "status": true}',
        b"",
        b"null",
        b"[1,2]",
        b'"text"',
        b"not json",
        b'{"fixtureAction":',
        b'{"fixtureAction":[1]}',
        b'{"fixtureAction":{"fixtureSeqNum":1},"fixtureAction":7}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"x":' + b"[" * 100_000,
        b'{"seqNum":1}' * 2,
    ],
    ids=lambda payload: payload[:40].decode("latin-1"),
)  # fmt: skip
def test_everything_else_says_only_that_the_socket_lives(payload):
    assert read(payload) == Other()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
fields = st.sampled_from(
    ["fixtureAction", "fixtureSeqNum", "fixtureId", "seqNum", "finished", "message", "level", "error", "status",
     "errorMessage", "eventElementType", "dataType"]
)  # fmt: skip


packets = st.dictionaries(fields, json_values | st.dictionaries(fields, json_values))


@given(st.binary() | packets.map(lambda packet: json.dumps(packet).encode()))
def test_nothing_breaks_it(payload):
    read(payload)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "unauthorised"), (403, "unauthorised"), (204, "not-started"), (404, "unknown-fixture"),
        (400, "bad-request"), (302, "bad-request"), (426, "bad-request"), (429, "too-many-requests"),
        (200, "unavailable"), (500, "unavailable"), (503, "unavailable"), (408, "unavailable"), (425, "unavailable"),
    ],
)  # fmt: skip
def test_a_refusal_as_a_status(status, why):
    assert protocol.refused_status(status) == why


@pytest.mark.parametrize(
    ("status", "why"),
    [(200, "unauthorised"), (400, "unauthorised"), (429, "too-many-requests"), (500, "unavailable")],
)
def test_a_refused_token_is_known_by_its_text_whatever_the_status(status, why):
    assert protocol.refused_status(status, "Supplied token could not be authenticated") == why


@pytest.mark.parametrize(
    ("code", "reason", "heard", "why"),
    [
        (1008, "", False, "unauthorised"),
        (1008, "unknown fixture", False, "unknown-fixture"),
        (1008, "slow consumer", True, None),
        (4404, "", False, "unknown-fixture"),
        (1000, "", False, None),
        (1011, "auth", False, None),
        (1005, "", False, None),
        (4401, "", False, "unauthorised"),
        (4401, "", True, None),
        (4403, "", False, "unauthorised"),
        (3000, "Unauthorized", False, "unauthorised"),
        (1000, "The supplied authentication is invalid", False, "unauthorised"),
        (1011, "The supplied authentication is invalid", True, None),
    ],
)
def test_a_refusal_as_a_close(code, reason, heard, why):
    assert protocol.refused_close(code, reason, heard=heard) == why


@pytest.mark.parametrize(
    ("path", "position", "url"),
    [
        ("soccer/fixtures/1/actions", None, "wss://h/soccer/fixtures/1/actions"),
        ("soccer/fixtures/1/actions", 0, "wss://h/soccer/fixtures/1/actions?startPosition=0"),
        ("multiplexer/?sport=golf", None, "wss://h/multiplexer/?sport=golf"),
        ("x/y?speed=fast", 7, "wss://h/x/y?speed=fast&startPosition=7"),
    ],
)
def test_the_url_is_the_subscription(path, position, url):
    assert protocol.url_of("wss://h", path, position) == url


def test_the_token_is_escaped_into_its_frame():
    assert json.loads(protocol.auth_frame('a"b\\c')) == {"authToken": 'a"b\\c'}
