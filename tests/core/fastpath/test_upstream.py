"""The vendor's rule for its status packets, from the socket to ``fastpath.connections`` and to each action (§7)."""

from typing import Any

import pytest

from tests.core.fastpath.raw import (
    FEED,
    START_NS,
    STATISTICS,
    Partition,
    Task,
    action,
    element,
    healths,
    heartbeat,
    ns,
    states,
    statistics,
    status,
    time,
    values,
)

CHECK_S = 10
SILENT_S = 30
LAST_CHECK_S = 120


def server(*packets_s: float) -> list[tuple[float, str]]:
    """Return what the vendor sends, as the pseudo code of fact sheet §7 has it: (second, state or ``packet``)."""
    sent: list[tuple[float, str]] = []
    last: float | None = None
    state = "Connected"
    events = sorted([(at, "packet") for at in packets_s] + [(at, "tick") for at in range(0, LAST_CHECK_S + 1, CHECK_S)])
    for at, event in events:  # "packet" sorts before "tick", as a packet at a check counts for it
        if event == "packet":
            if state == "Disconnected":
                sent.append((at, "Connected"))
            state, last = "Connected", at
            sent.append((at, "packet"))
        elif last is not None and at - last >= SILENT_S and state != "Disconnected":
            state = "Disconnected"
            sent.append((at, state))
    return sent


def play(*packets_s: float, heartbeats: bool = True) -> Task:
    partition, task = Partition(), Task()
    line = partition.line()
    line.open()
    number = 0
    sent = server(*packets_s)
    for second in range(LAST_CHECK_S + 1):
        for at, what in [one for one in sent if second <= one[0] < second + 1]:
            partition.at(at)
            if what == "packet":
                number += 1
                line.say(action(number, at))
            else:
                line.say(status(what, at))
        partition.at(second + 0.999)
        line.tick()
        if heartbeats and second % 10 == 3:  # the socket's own, which say nothing about the collector
            line.say(heartbeat(second))
    task.play(partition.records)
    return task


@pytest.mark.parametrize(
    ("packets_s", "told"),
    [
        ([5], [(40, "Disconnected")]),
        ([9.99], [(40, "Disconnected")]),
        ([10], [(40, "Disconnected")]),
        ([11], [(50, "Disconnected")]),
        ([0], [(30, "Disconnected")]),
        ([5, 52], [(40, "Disconnected"), (52, "Connected"), (90, "Disconnected")]),
        ([5, 37, 61], [(100, "Disconnected")]),
        ([], []),
    ],
    ids=["worked-example", "9.99", "10", "11", "0", "5-52", "5-37-61", "none"],
)
def test_what_the_vendor_tells_is_published_once_with_its_time(packets_s: list[float], told: list[tuple[float, str]]):
    task = play(*packets_s)
    published = values(task.outputs, "connections")
    assert [(value["vendor_time"], value["state"]) for value in published] == [(time(at), state) for at, state in told]
    assert [value["since_ns"] for value in published] == [START_NS + ns(at) for at, _ in told]
    assert [value.get("previous") for value in published] == [None, *[state for _, state in told]][: len(told)]
    assert all(value["feed"] == FEED and "implied" not in value for value in published)
    assert not task.dead_letters


def test_status_comes_before_the_packet_and_the_packet_carries_it():
    task = play(5, 52)
    first, second = values(task.outputs, "actions")
    assert first["connection_state"] == {"state": "Connected", "since_ns": START_NS + ns(5)}
    assert second["connection_state"] == {
        "state": "Connected",
        "since_ns": START_NS + ns(52),
        "vendor_time": time(52),
    }
    topics = [output.topic for output in task.outputs if output.topic in {"fastpath.actions", "fastpath.connections"}]
    assert topics == ["fastpath.actions", *["fastpath.connections"] * 2, "fastpath.actions", "fastpath.connections"]


def test_two_lines_tell_a_state_once_and_each_action_carries_the_one_in_force():
    partition, task = Partition(), Task()
    a, b = partition.line(), partition.line(replica="b")
    a.open()
    b.open()
    for line in (a, b):
        line.say(action(1, 0), status("Disconnected", 40))
    partition.at(52)
    a.say(status("Connected", 52), action(2, 52))
    partition.at(53)
    b.say(status("Connected", 52), action(2, 52), action(3, 53))
    partition.at(54)
    a.say(action(3, 53), status("Delayed", 54), action(4, 54))
    task.play(partition.records)
    assert states(task.outputs) == ["Disconnected", "Connected", "Delayed"]
    in_force = [(value["sequence"], value["connection_state"]["state"]) for value in values(task.outputs, "actions")]
    assert in_force == [(1, "Connected"), (2, "Connected"), (3, "Connected"), (4, "Delayed")]


def test_held_packet_carries_the_state_of_its_arrival():
    partition, task = Partition(), Task()
    line = partition.line()
    line.open()
    line.say(
        action(1, 0), status("Delayed", 0), action(3, 0.5), status("Connected", 0.6), action(2, 0.3), action(4, 0.7)
    )
    task.play(partition.records)
    released = [
        (value["sequence"], value["connection_state"]["state"], value["released"]["why"])
        for value in values(task.outputs, "actions")
    ]
    assert released == [
        (1, "Connected", "in_order"),
        (2, "Connected", "in_order"),
        (3, "Delayed", "filled"),
        (4, "Connected", "in_order"),
    ]


def test_data_newer_than_disconnected_implies_connected():
    partition, task = Partition(), Task()
    line = partition.line()
    line.open()
    line.say(action(1, 0))
    partition.at(40)
    line.say(status("Disconnected", 40), action(2, 41))
    task.play(partition.records)
    assert [(value["state"], value.get("implied")) for value in values(task.outputs, "connections")] == [
        ("Disconnected", None),
        ("Connected", True),
    ]
    assert values(task.outputs, "actions")[1]["connection_state"]["state"] == "Connected"


@pytest.mark.parametrize("what", ["older", "replayed", "late-burst", "copy", "duplicate", "unnumbered", "no-time"])
def test_what_says_nothing_about_now_implies_nothing(what: str):
    partition, task = Partition(), Task()
    line, other = partition.line(), partition.line(replica="b")
    line.open()
    other.open()
    line.say(action(1, 0))
    partition.at(40)
    if what in {"copy", "duplicate"}:
        line.say(action(2, 41))  # newer than the status, which comes after it
    line.say(status("Disconnected", 40))
    partition.at(100)
    if what == "replayed":
        line.close()
        line.open(1, "reconnect")
        line.say(status("Disconnected", 40))
    packets = {
        "older": action(2, 39),
        "replayed": action(2, 41),
        "late-burst": action(2, 99, delayStatus="DELAYED"),
        "copy": action(2, 41),
        "duplicate": action(2, 41),
        "unnumbered": {"eventElementType": "ModeChange", "mode": "x", "timestamp": time(99)},
        "no-time": action(2, 0, timestamp="soon"),
    }
    (other if what == "copy" else line).say(packets[what])
    task.play(partition.records)
    assert states(task.outputs) == ["Disconnected"]
    now = [value for value in values(task.outputs, "actions") if value["received_ns"] >= START_NS + ns(100)]
    assert {value["connection_state"]["state"] for value in now} <= {"Disconnected"}


@pytest.mark.parametrize("state", ["Unstable", "PartiallyDisconnected", "MarketOpen", "Something new"])
def test_unknown_states_are_published_as_they_are(state: str):
    partition, task = Partition(), Task()
    line = partition.line()
    line.open()
    line.say(status(state, 1), action(1, 1))
    task.play(partition.records)
    assert states(task.outputs) == [state]
    assert values(task.outputs, "actions")[0]["connection_state"]["state"] == state


def test_after_the_last_line_closed_the_state_is_unknown_until_told_or_implied():
    partition, task = Partition(), Task()
    line = partition.line()
    line.open()
    line.say(status("Connected", 0), action(1, 0))
    partition.at(100)
    line.close()
    partition.at(200)
    line.open(0, "reconnect")
    line.say(action(2, 50), action(3, 200))
    task.play(partition.records)
    assert [
        (value["sequence"], value["delivery"], value["connection_state"]["state"])
        for value in values(task.outputs, "actions")
    ] == [(1, "live", "Connected"), (2, "replayed", "unknown"), (3, "live", "Connected")]
    assert states(task.outputs) == ["Connected"]


def test_statistics_imply_connected_on_their_own_feed():
    partition, task = Partition(), Task()
    line = partition.line(STATISTICS)
    partition.at(40)
    line.open()
    line.say(status("Disconnected", 40))
    partition.at(50)
    line.say(statistics(1, 50))
    task.play(partition.records)
    assert states(task.outputs) == ["Disconnected", "Connected"]


def test_one_of_two_lines_down_leaves_the_state_in_force():
    partition, task = Partition(), Task()
    line, standby = partition.line(), partition.line(replica="b")
    line.open()
    standby.open()
    line.say(status("Delayed", 0))
    line.close()
    standby.say(action(1, 0))
    task.play(partition.records)
    assert values(task.outputs, "actions")[0]["connection_state"]["state"] == "Delayed"


def test_on_the_multiplexer_each_fixture_has_its_own_collector():
    partition, task = Partition(), Task()
    line = partition.line("multiplexer/?sport=golf")
    line.open(None)

    def packet(event: str, kind: str, message: dict[str, Any]) -> dict[str, Any]:
        return {"sport": "golf", "eventId": event, "feedType": "rounddetails", "dataType": kind, "message": message}

    partition.at(40)
    line.say(packet("1-1-1", "connectionState", status("Disconnected", 40)))
    line.say(packet("2-1-1", "eventdata", element(1, 39)), packet("1-1-1", "eventdata", element(1, 39)))
    task.play(partition.records)
    assert [(output.key, output.topic) for output in task.outputs if output.topic == "fastpath.connections"] == [
        (b"multiplexer/?sport=golf#rounddetails/1-1-1", "fastpath.connections")
    ]
    assert [(value["fixture_id"], value["connection_state"]["state"]) for value in values(task.outputs, "actions")] == [
        ("rounddetails/2-1-1", "Connected"),
        ("rounddetails/1-1-1", "Disconnected"),
    ]
    assert healths(task.outputs)[-1] == ("suspect", "upstream-doubtful")
