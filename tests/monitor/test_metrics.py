"""Every family of the monitor has samples, and none that the registry does not know."""

from schemas.metrics import METRICS
from tests.monitor.looks import NOW_MS, REACHED, group, partition, topic
from tricast.monitor.metrics import samples
from tricast.monitor.picture import FeedCount, GroupPartition, Picture, Reason
from tricast.observe.exporter import Exporter

PICTURE = Picture(
    at_ms=NOW_MS,
    state="degraded",
    reasons=(Reason(code="line-down", subject="l", text="", since_ms=0),),
    kafka=REACHED,
    topics=(topic("tricast.kambi.raw", partition(newest_ms=NOW_MS - 1500, held_since_ms=NOW_MS - 500, last_stable=4)),),
    groups=(
        group(
            partitions=(
                GroupPartition(topic="tricast.kambi.raw", number=0, committed=3, lag=7, lag_s=1.5, member=None),
            )
        ),
    ),
    counts=(FeedCount(feed="kambi", what="events", state="live", count=4),),
)


def test_all_families_and_no_other():
    told = {sample.name for sample in samples(PICTURE)}
    assert told == {name for name, metric in METRICS.items() if metric.part == "monitor"}


def test_as_prometheus_reads_it():
    page = Exporter(["monitor"], [lambda: samples(PICTURE)]).text().decode()
    for line in (
        'tricast_state{state="degraded"} 1.0',
        'tricast_state{state="healthy"} 0.0',
        'tricast_reasons{code="line-down"} 1.0',
        'tricast_reasons{code="kafka-down"} 0.0',
        'tricast_group_lag_records{group="tricast.kambi",partition="0",topic="tricast.kambi.raw"} 7.0',
        'tricast_topic_newest_age_seconds{partition="0",topic="tricast.kambi.raw"} 1.5',
        'tricast_topic_held_back_records{partition="0",topic="tricast.kambi.raw"} 6.0',
        'tricast_topic_held_back_seconds{partition="0",topic="tricast.kambi.raw"} 0.5',
    ):
        assert line in page
