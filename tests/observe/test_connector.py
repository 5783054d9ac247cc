"""A connector's numbers for a known input: recorder and sink are real, Kafka is played."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from connectors.counts import ConnectorView, Facts
from connectors.record import RawRecord
from connectors.recorder import LineRecorder
from connectors.sink import FrameSink
from schemas.histogram import Histogram
from schemas.metrics import METRICS
from tests.connectors.hand_clock import HandClock
from tricast.observe.connector import ConnectorSubject
from tricast.observe.exporter import Exporter
from tricast.observe.standing import Judge

FRAME = b"x" * 10


class Kafka:
    """Takes what it gets while it is open, 0.3 s after it was received; says which records are too large for it."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.open = asyncio.Event()

    async def write(self, records: Sequence[RawRecord]) -> Sequence[RawRecord]:
        await self.open.wait()
        return [record for record in records if record.value == b"huge"]


def told(view: ConnectorView) -> dict[tuple[str, ...], float | Histogram]:
    subject = ConnectorSubject(view)
    samples = list(subject.samples())
    assert Exporter(["connector"], [lambda: samples]).text(), "the registry knows all of them"
    return {(sample.name.removeprefix("tricast_connector_"), *sample.labels): sample.value for sample in samples}


async def test_a_hundred_frames_of_which_three_are_dropped_and_one_is_too_large() -> None:
    clock = HandClock()
    kafka = Kafka(clock)
    view = ConnectorView("kambi")
    sink = FrameSink(kafka, max_bytes=96 * len(FRAME) + 4, now_ns=lambda: clock.now_ns() + 300_000_000)
    view.sinks = {2: sink}
    recorder = LineRecorder(
        feed="kambi", line="kambi-2-general", sink=sink, clock=clock, push_back_s=0.001, previous=None
    )
    recorder.opened({})
    for value in (b"huge", *[FRAME] * 99):
        await recorder.frame(value)
    dropped = sink.counts.dropped["queue-full"]
    kafka.open.set()
    flushing = asyncio.create_task(sink.run())
    recorder.closed(1006, "connection lost", ending="lost")
    sink.close()
    await flushing

    view.facts = lambda: Facts(
        lines=Counter({"live": 1, "connecting": 2}),
        budgets={"connects": 7},
        token_ages_s={"access": 60},
        requests={"recorded": 5},
        lookups_waiting=0,
        events={"full": 3},
    )
    numbers = told(view)
    place = ("kambi", "2")
    assert (numbers["received_frames_total", *place], numbers["received_bytes_total", *place]) == (100, 4 + 99 * 10)
    assert dropped > 0
    assert numbers["dropped_frames_total", *place, "queue-full"] == dropped
    assert numbers["dropped_frames_total", *place, "too-large"] == 1
    pushed = 100 - dropped - 1
    assert (numbers["pushed_frames_total", *place], numbers["pushed_bytes_total", *place]) == (pushed, pushed * 10)
    assert numbers["reconnects_total", "kambi", "lost"] == 1
    assert numbers["lines", "kambi", "connecting"] == 2
    assert numbers["budget_left", "kambi", "connects"] == 7
    latency = numbers["received_to_acknowledged_seconds", "kambi"]
    assert isinstance(latency, Histogram)
    assert latency.count == pushed
    assert latency.counts[latency.bounds.index(0.5)] == pushed, "0.3 s each"
    exported = {f"tricast_connector_{name}" for name, *_ in numbers}
    missing = {metric.name for metric in METRICS.values() if metric.part == "connector"} - exported
    assert missing == {"tricast_connector_spool_free_bytes"}, "it has none"


async def test_frames_that_wait_for_kafka_without_a_spool_make_it_unready() -> None:
    clock = HandClock()
    kafka = Kafka(clock)
    view, judge = ConnectorView("kambi"), Judge()
    subject = ConnectorSubject(view)
    assert judge.judge(subject.faults(0), 0).reasons[0].code == "recalling"
    sink = FrameSink(kafka, max_bytes=1_000)
    view.sinks, view.facts = {0: sink}, lambda: Facts(lines=Counter({"live": 1}))
    assert judge.judge(subject.faults(1), 1).state == "ready"
    recorder = LineRecorder(feed="kambi", line="l", sink=sink, clock=clock, push_back_s=1)
    recorder.opened({})
    flushing = asyncio.create_task(sink.run())
    while sink._writing is None:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0)
    sink._writing.since -= 10
    standing = judge.judge(subject.faults(2), 2)
    assert (standing.state, standing.reasons[0].code) == ("unready", "unacknowledged-0")
    kafka.open.set()
    sink.close()
    await flushing
    assert judge.judge(subject.faults(3), 3).state == "ready"


async def test_a_loss_degrades_for_a_minute() -> None:
    view = ConnectorView("rms")
    sink = FrameSink(Kafka(HandClock()), max_bytes=1_000)
    view.sinks, view.facts = {0: sink}, lambda: Facts(lines=Counter({"live": 1}))
    subject, judge = ConnectorSubject(view), Judge()
    sink.counts.dropped["over-limit"] += 1
    states = [judge.judge(subject.faults(at_s), at_s).state for at_s in (0, 59, 60)]
    assert states == ["degraded", "degraded", "ready"]
