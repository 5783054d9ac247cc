"""The audit of RMS over what the processors really make of a story: nothing wrong is found in what is right."""

import json
from random import Random

import pytest

from simulators.rms.approvals import JUNK
from tests.audit.rms_world import CUSTOMER, START_NS, S, World
from tricast.audit.records import Raw
from tricast.audit.rms.coverage import Coverage

SHAPES = (
    lambda body: (body,),
    lambda body: (json.dumps(body),),
    lambda body: ([body],),
    lambda body: (body, body),
    lambda body: ([body, {"betSlipId": None}, 7],),
    lambda body: (json.dumps([body, body]), "junk", {"shortCode": "7"}),
)
BAD_BETS = (
    b"",
    b"[]",
    b'{"type":"placed"}',
    b'{"type":"other","customer":"90210","bet_slip_id":"x"}',
    b'{"type":"answered","customer":"90210","bet_slip_id":"x","answered_at":1,"disposition":"referred"}',
)


BAD_MESSAGES = {
    "empty": b"",
    "no UTF-8": b'{"type":"time","customer":"\xff","now_ns":1}',
    "deep": b"[" * 100_000,
    "deep inside": b'{"type":"time","customer":"7","now_ns":' + b"[" * 100_000,
    "another customer": b'{"type":"time","customer":"[/x]","now_ns":1}',
    "number beyond all": b'{"type":"time","customer":"7","now_ns":1e400}',
}


@pytest.mark.parametrize("value", BAD_MESSAGES.values(), ids=BAD_MESSAGES.keys())
def test_what_somebody_else_writes_to_the_join_is_accounted_for_by_its_letter(value):
    world = World()
    world.connect()
    world.placed("s1")
    world.write("rms.pending", b"x", value)
    world.answered("s1")
    world.say("accept", "s1", "code-s1")
    world.tick(1500)
    report = world.judged()
    assert dict(report.findings) == {}, report.examples
    assert report.dead_letters.total() == 1


def test_clean():
    world = World()
    world.connect()
    world.tick(20)
    world.placed("s1")
    world.answered("s1")
    world.tick(60)
    world.say("accept", "s1", "code-s1", acceptedAt=1_790_000_059_000)
    world.say("accept", "s1", "code-s1")
    world.placed("s2", context="live")
    world.answered("s2")
    world.tick(400)
    world.say("reject", "s2")
    world.placed("s3", context="live")
    world.answered("s3")
    world.say("reject", code="code-s3")
    world.say("accept", "gone")
    world.placed("s4", context="live")
    world.answered("s4")
    world.tick(420)
    world.close()
    world.tick(500)
    world.connect("c2", "c1")
    world.tick(520)
    world.looked_up("s4", word="accepted")
    world.tick(1500)
    report = world.judged()
    assert dict(report.findings) == {}, report.examples
    assert report.bets == {"records": 8, "accepted": 2, "rejected": 1, "expired": 1, "late": 1, "orphan": 1}


def stalled():
    """The connector stood still from 100 to 150, read on waking what had come, and then its socket was cut."""
    world = World()
    world.connect()
    world.tick(20)
    world.placed("s1", context="live")
    world.answered("s1")
    world.tick(100)
    world.now_s = 150
    world.say("reject", "other")
    world.close(heard_s=100)
    return world


def test_a_stall_of_the_connector_is_a_gap_although_frames_were_read_after_it():
    world = stalled()
    world.tick(160)
    world.connect("c2", "c1")
    world.tick(3000)
    report = world.judged()
    assert dict(report.findings) == {}, report.examples
    assert report.bets["expired_unverified"] == 1
    (decision,) = world.of("rms.decisions", bet_slip_id="s1")
    assert json.loads(decision.value or b"")["why"] == "feed-down"


@pytest.mark.parametrize(("until_s", "is_covered"), [(99, True), (100, False), (140, False)])
def test_the_audit_too_takes_what_was_read_after_a_stall_for_no_proof(until_s, is_covered):
    coverage = Coverage()
    for offset, record in enumerate(stalled().topics["rms.raw"]):
        headers = {name: (value or b"").decode() for name, value in record.headers}
        raw = Raw(
            partition=0,
            offset=offset,
            kind=headers["tc-kind"],
            line=headers["tc-line"],
            connection=headers["tc-connection"],
            frame=int(headers["tc-frame"]),
            received_ns=int(headers["tc-received-ns"]),
            value=record.value or b"",
        )
        coverage.observe(raw, joins=raw.value.startswith(b"3"), hole=False, is_settled=True)
    assert coverage.is_covered(START_NS + 20 * S, START_NS + until_s * S) is is_covered


def step(world, chance, slips):
    """Let something happen."""
    slip = chance.choice(slips) if slips and chance.random() < 0.8 else f"s{len(slips)}"
    match chance.randrange(18):
        case 0 | 1 | 2:
            slips.append(f"s{len(slips)}")
            bet = {"context": chance.choice(["live", "prematch", "odd"]), "selections": [{"odds": "1.50"}]}
            both = [lambda: world.placed(slips[-1], **bet), lambda: world.answered(slips[-1], **answer(chance))]
            for tell in chance.sample(both, chance.choice([1, 2, 2, 2])):
                tell()
        case 3:
            world.answered(slip, **answer(chance))
        case 4:
            world.placed(slip, stake=chance.choice(["10", "11"]))
        case 5 | 6:
            body = {
                "betSlipId": slip,
                "code": f"code-{slip}",
                "customerId": chance.choice([int(CUSTOMER), CUSTOMER, 1]),
            }
            for name in chance.sample(list(body), chance.randrange(3)):
                del body[name]
            body |= chance.choice(
                [{}, {}, {"stake": "7.50"}, {"odds": 1.5}, {"approvedStake": 11, "stake": "x"}, {"odds": 2}]
            )
            if world.joined:
                world.event(chance.choice(["accept", "reject"]), *chance.choice(SHAPES)(body))
        case 7 if world.joined:
            world.raw("frame", chance.choice(JUNK).encode())
        case 8:
            more = {"status": 200, "word": chance.choice(["accepted", "rejected", "reserve", "?"])}
            more = chance.choice([more, more, {"status": 404}, {"status": 500}, {"code": "another"}])
            world.looked_up(slip, **more)
        case 9 if world.open:
            world.close()
        case 9 | 10 if not world.open:
            world.connect(f"c{world.now_s}", world.connection)
        case 11:
            world.write("rms.bets", b"x", chance.choice(BAD_BETS))
        case 12 | 13 if world.joined:
            world.stand_still(world.now_s + chance.choice([5, 130, 700]))
            if chance.random() < 0.5:
                world.wake()
        case _:
            pass


def answer(chance):
    return {
        "disposition": chance.choice(["referred", "referred", "referred", "unknown", "accepted", "rejected"]),
        "code": chance.choice([None, None, None, "shared"]),
    }


def told(seed, *stopped):
    """Return a story; processors of the topics ``stopped`` stand still for a while, again and again."""
    chance, world, slips = Random(seed), World(), []
    world.connect()
    for _ in range(60):
        step(world, chance, slips)
        topic = chance.choice(stopped or [""])
        if topic in world.held:
            world.start(topic)
        elif topic:
            world.stop(topic)
        world.tick(world.now_s + chance.choice([0, 1, 10, 100, 700]), step_s=chance.choice([20, 50]))
    for topic in ("rms.raw", "rms.bets", "rms.pending"):
        world.start(topic)
    world.tick(world.now_s + 1)
    return world


@pytest.mark.parametrize("seed", range(16))
def test_any_story_is_clean(seed):
    report = told(seed).judged()
    assert dict(report.findings) == {}, report.examples


@pytest.mark.parametrize("seed", range(100, 110))
def test_a_story_with_processors_that_stand_still_is_clean(seed):
    report = told(seed, "rms.raw", "rms.bets", "rms.pending").judged()
    assert dict(report.findings) == {}, report.examples


def test_what_stays_out_of_the_join_on_purpose_is_clean():
    world = World()
    world.connect()
    world.tick(20)
    for slip in ("long", "word"):
        world.placed(slip, context="live")
        world.answered(slip, "unknown")
    world.say("reject", "long", reason="x" * 1_001)
    world.tick(150)
    world.looked_up("word", word="won")
    world.tick(1500)
    report = world.judged()
    assert dict(report.findings) == {}, report.examples
    assert report.bets == {"records": 4, "rejected": 1, "expired_unverified": 1}
