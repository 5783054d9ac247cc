"""The audit of RMS over a connector that stood still over a deadline: what it read on waking may be in time."""

import json

import pytest

from tests.audit.rms_world import CUSTOMER, World, findings
from tricast.audit.rms.facts import Word


def stalled(until_s=150.0):
    """A bet whose window ends at 140 s; the connector stands still from 130 s on, and has just woken."""
    world = World()
    world.connect()
    world.tick(20)
    world.placed("s1", context="live")
    world.answered("s1")
    world.tick(130)
    world.stand_still(until_s)
    world.wake()
    return world


def read_late():
    world = stalled()
    world.say("accept", "s1")
    world.say("reject", "s1", "code-s1")
    world.tick(1500)
    return world


def outcome(world, slip="s1"):
    return next(r for r in world.of("rms.decisions", bet_slip_id=slip) if "outcome" in json.loads(r.value or b""))


def test_what_was_read_late_and_may_have_been_sent_in_time_decides():
    world = read_late()
    assert json.loads(outcome(world).value or b"")["outcome"] == "accepted"
    assert findings(world) == {}


def expire(world):
    fields = {"positions__decided": None, "received_ns": None}
    world.change(outcome(world), outcome="expired", evidence="deadline", **fields)


def give_up(world):
    expire(world)
    world.change(outcome(world), outcome="expired_unverified", why="unordered")


def take_the_second(world):
    second = world.of("rms.approvals", said="reject")[0]
    said = json.loads(second.value or b"")
    fields = {"positions__decided": said["raw"], "received_ns": said["received_ns"]}
    world.change(outcome(world), outcome="rejected", **fields)


def say_nothing(world):
    world.drop(outcome(world))


@pytest.mark.parametrize(
    ("lie", "text"),
    [
        (expire, "may have been sent in time"),
        (give_up, "may have been sent in time"),
        (take_the_second, "said accept before"),
        (say_nothing, "nothing came of it"),
    ],
)
def test_a_lie_about_what_was_read_late_is_found(lie, text):
    world = read_late()
    lie(world)
    examples = world.judged().examples
    assert any(text in each for texts in examples.values() for each in texts), examples


def test_what_was_sent_after_the_end_decides_nothing_where_nothing_was_in_doubt():
    world = stalled(until_s=135)
    world.tick(141)
    world.say("accept", "s1")
    world.tick(1500)
    assert findings(world) == {}
    said = json.loads(world.of("rms.approvals", said="accept")[0].value or b"")
    fields = {"positions__decided": said["raw"], "received_ns": said["received_ns"]}
    world.change(outcome(world), outcome="accepted", evidence="approval", **fields)
    assert "guessed" in findings(world)


def test_what_another_socket_proved_before_ends_a_bet():
    world = World()
    world.connect()
    other = {"line": f"rms-{CUSTOMER}@b", "connection": "b1"}
    world.raw("opened", {"customer": CUSTOMER}, **other)
    world.raw("frame", b'30[{"status":"ok"}]', **other)
    world.tick(20)
    world.placed("s1", context="live")
    world.answered("s1")
    world.tick(150)
    packet = json.dumps(["RESERVE_BET_ACCEPT", {"betSlipId": "s1"}]).encode()
    world.raw("frame", b"2" + packet, after_ns=world.at_ns(130), **other)
    world.tick(1500)
    assert json.loads(outcome(world).value or b"")["outcome"] == "expired"
    assert findings(world) == {}


def proven(until_s):
    """A bet whose window ends at 140 s, and a connector that heard nothing of it until ``until_s``."""
    world = World()
    world.connect()
    world.tick(20)
    world.placed("s1", context="live")
    world.answered("s1")
    world.tick(until_s)
    return world


def stamped_before_the_end(*, was_put_back):
    """An approval that stands behind the proof that the window was over, stamped 5 s before its end."""
    world = proven(142)
    world.now_s = 135
    world.say("reject", "s1")
    world.now_s = 135 if was_put_back else 142
    world.tick(1500)
    return world


def test_what_a_clock_that_was_put_back_stamps_before_the_end_was_not_in_time():
    world = stamped_before_the_end(was_put_back=True)
    assert json.loads(outcome(world).value or b"")["outcome"] == "expired"
    assert findings(world) == {}


def killed_after(approval_s):
    """A connector says something at ``approval_s`` and is killed before its next tick; another one comes."""
    world = proven(142 if approval_s < 138 else 138)
    world.now_s = approval_s
    world.say("reject", "s1")
    world.now_s = 150
    world.connect("c2", previous="c1")
    world.tick(1500)
    return world


def test_what_a_clock_stamps_that_was_put_back_just_before_its_connector_died_was_not_in_time():
    world = killed_after(137)
    assert json.loads(outcome(world).value or b"")["outcome"] == "expired"
    assert findings(world) == {}


def test_what_a_connector_stamps_that_dies_with_its_clock_right_was_in_time():
    world = killed_after(139)
    assert json.loads(outcome(world).value or b"")["outcome"] == "rejected"
    assert findings(world) == {}
    expire(world)
    examples = world.judged().examples
    assert ["said reject in time" in text for text in examples["false"]] == [True]


def test_a_connector_that_proves_more_than_it_recorded_is_found():
    world = stamped_before_the_end(was_put_back=False)
    examples = world.judged().examples
    assert ["said reject in time" in text for text in examples["false"]] == [True]


def test_a_look_up_after_the_end_that_found_nothing_ends_a_bet():
    world = World()
    world.connect()
    world.tick(20)
    world.placed("s1", context="live")
    world.answered("s1", "unknown")
    world.tick(130)
    world.stand_still(150)
    world.wake()
    world.looked_up("s1", requested_s=145)
    world.say("accept", "s1")
    world.tick(1500)
    assert json.loads(outcome(world).value or b"")["evidence"] == "looked_up"
    assert findings(world) == {}


def test_a_bet_without_an_answer_does_not_wait_for_what_is_read_hours_later():
    world = World()
    world.connect()
    world.tick(20)
    world.placed("s1", context="live")
    world.tick(130)
    world.stand_still(4000)
    world.wake()
    world.say("accept", "s1")
    world.tick(9000, step_s=50)
    assert json.loads(outcome(world).value or b"")["why"] == "unanswered"
    assert findings(world) == {}


def test_a_bet_may_expire_before_its_answer_says_that_nobody_knows():
    world = World()
    world.connect()
    world.tick(20)
    world.placed("s1", context="live")
    world.tick(200)
    world.say("accept", "s1")
    world.answered("s1", "unknown")
    world.tick(1500)
    assert json.loads(outcome(world).value or b"")["outcome"] == "expired"
    assert findings(world) == {}


def unreadable(text):
    world = stalled()
    world.say("accept", "s1")
    world.raw("frame", b'2["NEWS",{}]')
    world.tick(1500)
    told = World()
    for record in world.topics["rms.raw"] + world.topics["rms.bets"]:
        headers = [
            (name, text if name == "tc-after-ns" and (record.value or b"")[:3] == b'2["' else value)
            for name, value in record.headers
        ]
        told.write(record.topic, record.key, record.value, headers, (record.timestamp - 1_790_000_000_000) / 1000)
    return told


@pytest.mark.parametrize("text", [b"", b"soon", b"-1", b"1" * 20])
def test_a_frame_that_does_not_say_after_when_is_a_dead_letter(text):
    world = unreadable(text)
    assert findings(world) == {}
    letters = world.topics["rms.dead-letters"][:]
    assert [dict(letter.headers)["tc-code"] for letter in letters] == [b"rms.bad-headers"] * 2
    for letter in letters:
        world.drop(letter)
    assert findings(world) == {"lost": 2}


@pytest.mark.parametrize(
    ("received_ns", "after_ns", "is_in_time"),
    [(10, None, True), (11, None, False), (11, 10, True), (11, 11, False), (10, 12, True)],
)
def test_the_earlier_of_the_two_times_counts(received_ns, after_ns, is_in_time):
    times = {"received_ns": received_ns, "after_ns": after_ns}
    word = Word(place=(0, 0, 0), is_look_up=False, said="accept", slip="s", code=None, **times)
    assert word.may_be_by(10) is is_in_time
