"""A feed's list, its replay in both readings, its twins, and who counts."""

import json

import pytest

from simulators.fastpath.channel import Channel, Numbering, StatusPacket

SOCCER = "soccer/fixtures/11111111-2222-4333-8444-555555555555/actions"
TENNIS = "tennis/events/2026-1000-MS001/stream"
STATUS = StatusPacket(state="Disconnected", told_ns=9, packet=b"{}")


def filled(path, how_many, **options):
    channel = Channel(path, **options)
    for at_ns in range(how_many):
        channel.publish(b'{"seqNum":\x00,"a":%d}' % at_ns, at_ns)
    return channel


def indexes(packets):
    return [packet.index for packet in packets]


def test_a_packet_has_its_place_its_number_and_its_text():
    channel = filled(SOCCER, 3)
    assert [(packet.index, packet.number, packet.published_ns) for packet in channel.events] == [
        (0, 1, 0), (1, 2, 1), (2, 3, 2),
    ]  # fmt: skip
    assert channel.events[2].text(3) == b'{"seqNum":3,"a":2}'
    assert channel.events[2].text(41) == b'{"seqNum":41,"a":2}'


def test_tennis_begins_with_0():
    assert [packet.number for packet in filled(TENNIS, 3).events] == [0, 1, 2]


@pytest.mark.parametrize(
    ("path", "position", "reading", "expected"),
    [
        pytest.param(SOCCER, None, "skip", [0, 1, 2, 3, 4, 5], id="nothing asked: all"),
        pytest.param(SOCCER, 0, "start_at", [0, 1, 2, 3, 4, 5], id="0: all"),
        pytest.param(SOCCER, 5, "skip", [5], id="A: skip 5"),
        pytest.param(SOCCER, 5, "start_at", [4, 5], id="A: from the 5th"),
        pytest.param(SOCCER, 6, "skip", [], id="A: all skipped"),
        pytest.param(SOCCER, 100, "skip", [], id="A: more than there are"),
        pytest.param(TENNIS, 5, "start_at", [5], id="B: number 5 and on"),
        pytest.param(TENNIS, 5, "skip", [], id="B: after number 5"),
        pytest.param(TENNIS, 1, "start_at", [1, 2, 3, 4, 5], id="B: without the placeholder"),
        pytest.param(TENNIS, 100, "start_at", [], id="B: beyond the end"),
    ],
)
def test_start_position(path, position, reading, expected):
    assert indexes(filled(path, 6).replay(position, reading)) == expected


def test_start_position_counts_packets_in_a_and_numbers_in_b():
    numbers = {}
    for path in (SOCCER, TENNIS):
        channel = filled(path, 2)
        assert channel.skip(3) == range(channel.events[-1].number + 1, channel.events[-1].number + 4)
        channel.publish(b'{"seqNum":\x00}', 9)
        numbers[path] = [packet.number for packet in channel.events]
        assert indexes(channel.replay(2, "skip" if path == SOCCER else "start_at")) == [2]
    assert numbers == {SOCCER: [1, 2, 6], TENNIS: [0, 1, 5]}


@pytest.mark.parametrize(("replay", "expected"), [("all", [0, 1, 2]), ("latest", [2]), ("none", [])])
def test_feeds_without_history(replay, expected):
    path = "tennis/events/2026-1000-MS001/statistics"
    assert indexes(filled(path, 3, replay=replay).replay(1, "skip")) == expected


def test_listeners_are_told_in_order_until_they_leave():
    channel = filled(SOCCER, 1)
    seen, other = [], []
    leave = channel.subscribe(seen.append)
    channel.subscribe(other.append)
    first = channel.publish(b"{}\x00", 1)
    channel.tell(STATUS)
    leave()
    leave()
    second = channel.publish(b"{}\x00", 2)
    assert seen == [first, STATUS]
    assert other == [first, STATUS, second]
    assert channel.status == STATUS
    assert list(channel.events)[1:] == [first, second]


def test_a_twin_has_the_list_and_the_life_of_its_channel():
    channel = filled(SOCCER, 2)
    twin = channel.twin(f"media/{SOCCER}")
    seen = []
    twin.subscribe(seen.append)
    channel.start()
    packet = channel.publish(b"{}\x00", 3)
    channel.tell(STATUS)
    channel.finish(4)
    assert indexes(twin.replay(None, "skip")) == [0, 1, 2]
    assert seen == [packet, STATUS]
    assert (twin.started, twin.finished_ns, twin.status) == (True, 4, STATUS)
    assert twin.feed.path == f"media/{SOCCER}"


def test_the_fixtures_numbers_are_the_same_on_every_connection():
    channel = filled(SOCCER, 4)
    for position in (0, 2):
        numbers = Numbering(channel, "fixture")
        assert [numbers.next(packet) for packet in channel.replay(position, "skip")] == [1, 2, 3, 4][position:]


def test_a_connections_numbers_begin_anew_on_each():
    channel = filled(SOCCER, 4)
    for position in (0, 2):
        numbers = Numbering(channel, "connection")
        sent = [json.loads(packet.text(numbers.next(packet))) for packet in channel.replay(position, "skip")]
        assert [packet["seqNum"] for packet in sent] == [1, 2, 3, 4][: 4 - position]
        assert [packet["a"] for packet in sent] == [0, 1, 2, 3][position:]


def test_family_b_counts_by_fixture_whatever_the_scope():
    numbers = Numbering(filled(TENNIS, 4), "connection")
    assert [numbers.next(packet) for packet in filled(TENNIS, 4).events[2:]] == [2, 3]


@pytest.mark.parametrize("scope", ["fixture", "connection"])
def test_numbers_that_begin_anew(scope):
    channel = filled(SOCCER, 5)
    numbers = Numbering(channel, scope)
    sent = [numbers.next(packet) for packet in channel.events[:3]]
    numbers.restart()
    sent += [numbers.next(packet) for packet in channel.events[3:]]
    assert sent == [1, 2, 3, 1, 2]
