"""The audit of RMS over what the processors really make of a story: nothing wrong is found in what is right."""

from tests.audit.rms_world import World


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
