"""The audit of RMS with replays in its topics: requests are accounted for, bets that they touched are set aside."""

from processors.engine.task import Batch, Partition, StreamTask
from schemas.topics import TOPICS
from tests.audit.rms_world import World, findings
from tests.core.driver import Record
from tests.dlq.bench import Planted
from tricast.dlq.letters import SUFFIX, Letter, read_letter
from tricast.dlq.requests import request_of

LETTERS = "rms.dead-letters"


class EngineWorld(World):
    """Its processors run in stream tasks of the engine, with a bug that can be planted."""

    def __post_init__(self):
        super().__post_init__()
        self.planted = []
        self.engine = {}
        for name, tasks in self.tasks.items():
            for number, driver in tasks.items():
                planted = Planted(driver.processor)
                self.planted.append(planted)
                topics = {topic: TOPICS[topic] for topic in (*planted.outputs, planted.feed + SUFFIX)}
                self.engine[self.prefix + name, number] = StreamTask(
                    Partition(self.prefix + name, number),
                    planted,
                    topics=topics,
                    version="v",
                    stop_ratio=1.0,
                    window=1000,
                )

    def _process(self, task, record):
        engine = self.engine[record.topic, record.partition]
        engine.process(Batch(0, engine.position, record.offset + 1, [record]))
        for topic, key, value, headers, _ in engine.take_outputs():
            if value is not None:
                self.write(topic, key or b"", value, headers)

    def bug(self, *bugs: bytes):
        for planted in self.planted:
            planted.bugs = set(bugs)

    @property
    def letters(self) -> list[Letter]:
        letters = [read_letter(record) for record in self.topics.get(LETTERS, [])]
        assert None not in letters
        return [letter for letter in letters if letter is not None]

    def replay(self, letter: Letter) -> Record:
        row = request_of(letter)
        request: Record = self.write(row.topic, row.key, row.value, row.headers)
        assert (request.topic, request.partition) == (row.topic, row.partition)
        return request


def test_replays_are_accounted_for_and_the_bets_they_touched_are_set_aside():
    world = EngineWorld()
    world.connect()
    world.tick(20)
    for slip in ("s1", "s2"):
        world.placed(slip, context="live")
        world.answered(slip)
    world.bug(b"s3", b"RESERVE_BET_ACCEPT")
    world.say("accept", "s1", "code-s1")
    world.placed("s3", context="live")
    world.bug()
    world.say("reject", "s2", "code-s2")
    world.event("accept", {})
    approval, bet, bad = world.letters
    for letter in (approval, approval, bet, bad):
        world.replay(letter)
    world.placed("s4", context="live")
    world.bug(b"s4")
    world.placed("s4", context="live")
    world.bug()
    world.replay(world.letters[-1])  # the join refuses it
    world.tick(400, step_s=20)
    assert findings(world) == {}
    report = world.judged()
    assert report.replays == {"requests": 5, "records": 1, "refused": 1, "failed again": 1}
    assert report.bets["with replays, outcome not judged"] == 3
    assert report.bets["rejected"] == 1
    assert [letter.code for letter in world.letters].count("rms.replay-refused") == 2


def test_a_request_that_nothing_came_of_is_named():
    world = EngineWorld()
    world.connect()
    world.bug(b"RESERVE_BET_ACCEPT")
    world.say("accept", "s1", "code-s1")
    world.bug()
    world.stop("rms.raw")
    world.replay(world.letters[0])
    assert findings(world) == {"lost": 1}
