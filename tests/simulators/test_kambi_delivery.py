"""What happens to frames on their way to one connection: lost, late, out of turn."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from simulators.kambi.config import FaultSwitch, KambiFaultSettings
from simulators.kambi.delivery import Delivery, Outbox
from simulators.kambi.frames import Frame


def frame(number: int) -> Frame:
    return Frame(key="k", packet=str(number))


def deliver(faults: FaultSwitch, *, connection: int = 1, at: Sequence[int] = range(0, 100, 10)):
    """Put a frame at each moment; return (moment, packet, faults) as delivered, and what was lost likewise."""
    delivery, outbox = Delivery(faults), Outbox(connection)
    delivered, lost = [], []
    for number, now_ms in enumerate(at, 1):
        gone = delivery.put(frame(number), outbox, now_ms, stalled=False)
        lost += [(now_ms, gone.packet, gone.faults)] if gone is not None else []
        delivered += [(now_ms, item.packet, item.faults) for item in outbox.due(now_ms)]
    end_ms = max(at)
    while len(outbox):
        end_ms += 10
        delivered += [(end_ms, item.packet, item.faults) for item in outbox.due(end_ms)]
    return delivered, lost


def test_without_faults_a_frame_is_delivered_at_once_as_it_is():
    delivered, lost = deliver(FaultSwitch(KambiFaultSettings()))
    assert delivered == [(10 * (number - 1), str(number), ()) for number in range(1, 11)]
    assert lost == []


def test_every_nth_connection_delivers_later_in_order():
    faults = FaultSwitch(KambiFaultSettings(delay_ms=200, delay_every_line=3))
    assert deliver(faults, connection=2) == deliver(FaultSwitch(KambiFaultSettings()), connection=2)
    delivered, lost = deliver(faults, connection=3)
    assert delivered == [(200 + 10 * (number - 1), str(number), ("delayed",)) for number in range(1, 11)]
    assert lost == []


def test_when_the_delay_ends_later_frames_do_not_overtake():
    faults = FaultSwitch(KambiFaultSettings(delay_ms=200, delay_every_line=1))
    delivery, outbox = Delivery(faults), Outbox(1)
    delivery.put(frame(1), outbox, 0, stalled=False)
    faults.current = KambiFaultSettings()
    delivery.put(frame(2), outbox, 10, stalled=False)
    assert list(outbox.due(199)) == []
    assert [item.packet for item in outbox.due(200)] == ["1", "2"]
    delivery.put(frame(3), outbox, 201, stalled=False)
    assert [item.faults for item in outbox.due(201)] == [()]


def test_every_nth_frame_comes_after_those_that_follow_it():
    delivered, _ = deliver(FaultSwitch(KambiFaultSettings(reorder_every=4)), at=range(0, 800, 100))
    assert [packet for _, packet, _ in delivered] == ["1", "2", "3", "5", "6", "4", "7", "8"]
    assert {packet for _, packet, faults in delivered if faults == ("reordered",)} == {"4", "8"}


def test_every_nth_delivery_is_lost_and_named():
    delivered, lost = deliver(FaultSwitch(KambiFaultSettings(drop_message_every=4)))
    assert [(packet, faults) for _, packet, faults in lost] == [("4", ("dropped",)), ("8", ("dropped",))]
    assert [packet for _, packet, _ in delivered] == ["1", "2", "3", "5", "6", "7", "9", "10"]


def test_a_frame_for_two_connections_is_lost_to_one_of_them_only():
    delivery = Delivery(FaultSwitch(KambiFaultSettings(drop_message_every=2)))
    boxes = (Outbox(1), Outbox(2))
    assert [delivery.put(frame(1), box, 0, stalled=False) is None for box in boxes] == [True, False]


def test_every_nth_connection_gets_nothing_ever():
    faults = FaultSwitch(KambiFaultSettings(never_deliver_every=2))
    assert deliver(faults, connection=1)[1] == []
    delivered, lost = deliver(faults, connection=2)
    assert delivered == []
    assert {faults for _, _, faults in lost} == {("never-delivers",)}


def test_what_is_published_in_a_stall_is_lost():
    outbox = Outbox(1)
    gone = Delivery(FaultSwitch(KambiFaultSettings())).put(frame(1), outbox, 0, stalled=True)
    assert gone == Frame(key="k", packet="1", faults=("stalled",))
    assert len(outbox) == 0


@given(
    pauses=st.lists(st.integers(0, 500), min_size=1, max_size=40),
    delay_ms=st.sampled_from([0, 1, 250, 3_000]),
    drop=st.integers(0, 4),
    reorder=st.integers(0, 4),
)
def test_every_frame_is_delivered_once_or_lost_once(pauses, delay_ms, drop, reorder):
    faults = KambiFaultSettings(delay_ms=delay_ms, delay_every_line=1, drop_message_every=drop, reorder_every=reorder)
    at = [sum(pauses[:number]) for number in range(1, len(pauses) + 1)]
    delivered, lost = deliver(FaultSwitch(faults), at=at)
    assert sorted(int(packet) for _, packet, _ in delivered + lost) == list(range(1, len(pauses) + 1))
    in_turn = [int(packet) for _, packet, faults in delivered if "reordered" not in faults]
    assert in_turn == sorted(in_turn)
    assert all(now_ms >= at[int(packet) - 1] + delay_ms for now_ms, packet, _ in delivered)
