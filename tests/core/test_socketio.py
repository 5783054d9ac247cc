"""Packets of Socket.IO, whatever the feed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.core.socketio import Ack, Broken, Control, Disconnect, Event, Packet, read_packet


@pytest.mark.parametrize(
    ("value", "packet"),
    [
        (b'2["join"]', Event("join", (), "/", binary=False)),
        (b'2[ "a" , {"b":[1,2]} , "c" ] ', Event("a", ('{"b":[1,2]}', '"c"'), "/", binary=False)),
        (b'2/,["a"]', Event("a", (), "/", binary=False)),
        (b'2/other,["a"]', Event("a", (), "/other", binary=False)),
        (b'2/?token=1,["a"]', Event("a", (), "/", binary=False)),
        (b'217["a",1]', Event("a", ("1",), "/", binary=False)),
        (b'2["a",{"b":"c"},{"d":]', Event("a", ('{"b":"c"}', '{"d":'), "/", binary=False)),
        (b'2["\\u0061"]', Event("a", (), "/", binary=False)),
        (b'2["a","\xff"]', Event("a", ('"\udcff"',), "/", binary=False)),
        (b'51-["a",{"_placeholder":true,"num":0}]', Event("a", ('{"_placeholder":true,"num":0}',), "/", binary=True)),
        (b'30[{"status":"ok"}]', Ack("/")),
        (b"3/other,1[]", Ack("/other")),
        (b"1", Disconnect("/")),
        (b"1/other,", Disconnect("/other")),
        (b'0{"sid":"s1"}', Control()),
        (b'4{"message":"no"}', Control()),
        (b"2", Control()),
        (b"3probe", Control()),
    ],
)
def test_packet_is_read(value: bytes, packet: Packet):
    assert read_packet(value) == packet


@pytest.mark.parametrize(
    ("value", "is_packet"),
    [
        (b"", False),
        (b"hello", False),
        (b"7", False),
        (b"2[]", True),
        (b"2[7]", True),
        (b"2{}", True),
        (b'2["a"', True),
        (b'2["a', True),
        (b"2[" + b"[" * 100_000, True),
    ],
)
def test_what_is_none_is_told(value: bytes, *, is_packet: bool):
    packet = read_packet(value)
    assert isinstance(packet, Broken)
    assert packet.is_packet == is_packet


@given(st.binary(max_size=60) | st.text(alphabet='0123456[]{}",:/-\\ab', max_size=60).map(str.encode))
def test_anything_at_all_is_read_without_an_error(value: bytes):
    read_packet(value)
