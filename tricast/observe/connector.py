"""What a connector tells of itself, and when it is ready: subscribed or joined, and its raw records acknowledged."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from connectors.counts import ConnectorView, Facts
from connectors.sink import FrameSink
from schemas.metrics import Part
from schemas.metrics.connector import DROPS, ENDS, FAILURES, LINE_STATES
from tricast.observe.exporter import Sample
from tricast.observe.standing import Fault

AWAY_S: Final = 5.0
"""A batch that Kafka has not acknowledged for so long: raw acknowledgements do not flow."""
PARTLY_S: Final = 10.0
"""How long some of the lines may be down, while others are live: a reconnect takes less."""
LOSS_TOLD_S: Final = 60.0
"""How long a dropped frame makes the process degraded."""


class ConnectorSubject:
    """See :class:`tricast.observe.beat.Subject`.

    Args:
        view: Filled by the connector.
    """

    part: Part = "connector"
    stalled_s = 0.0  # without Kafka a connector has to stay alive: it records to its spool

    def __init__(self, view: ConnectorView) -> None:
        self._view = view
        self._dropped = 0
        self._dropped_at_s: float | None = None

    # -- metrics -----------------------------------------------------------------------------------------------------

    def samples(self) -> Iterator[Sample]:
        """Return all metrics of a connector."""
        feed = self._view.feed
        for number, sink in sorted(self._view.sinks.items()):
            yield from _of_sink(feed, str(number), sink)
        yield from _of_connections(feed, self._view.sinks.values())
        yield from _of_facts(feed, Facts() if self._view.facts is None else self._view.facts())

    # -- readiness ---------------------------------------------------------------------------------------------------

    def faults(self, now_s: float) -> Iterator[Fault]:
        """Return what is not as it should be."""
        facts = self._view.facts
        if facts is None:
            text = "it learns from Kafka and the spool where its lines stood; no socket is open yet"
            yield Fault(code="recalling", text=text, severity="unready")
        else:
            yield from line_faults(facts())
        for number, sink in sorted(self._view.sinks.items()):
            yield from _sink_faults(number, sink)
        yield from self._loss(now_s)

    def _loss(self, now_s: float) -> Iterator[Fault]:
        dropped = sum(sink.counts.dropped.total() for sink in self._view.sinks.values())
        if dropped > self._dropped:
            self._dropped, self._dropped_at_s = dropped, now_s
        if self._dropped_at_s is not None and now_s - self._dropped_at_s < LOSS_TOLD_S:
            text = f"frames were lost within the last {LOSS_TOLD_S:.0f} s, {dropped} since the start"
            yield Fault(code="frames-dropped", text=text, severity="degraded")


def line_faults(facts: Facts) -> Iterator[Fault]:
    """Return what is wrong with the lines: none of them live, or not all."""
    lines = facts.lines
    down = lines["open"] + lines["connecting"] + lines["refused"]
    told = ", ".join(f"{lines[state]} {state}" for state in LINE_STATES if lines[state])
    if down and not lines["live"]:
        yield Fault(code="not-subscribed", text=f"no line is subscribed or joined: {told}", severity="unready")
    elif down:
        text = f"not every line is subscribed or joined: {told}"
        yield Fault(code="lines-down", text=text, severity="degraded", patience_s=PARTLY_S)


def _sink_faults(number: int, sink: FrameSink) -> Iterator[Fault]:
    if sink.unacknowledged_s < AWAY_S:
        return
    text = f"partition {number}: Kafka has acknowledged nothing for {sink.unacknowledged_s:.0f} s, "
    if sink.spool_free_bytes and sink.has_room:
        kept = f"{sink.waiting - sink.unkept} records are kept on disk"
        yield Fault(code=f"unacknowledged-{number}", text=text + kept, severity="degraded")
    else:
        lacking = "there is no spool" if sink.spool_free_bytes is None else f"{sink.full_because}"
        yield Fault(code=f"unacknowledged-{number}", text=text + lacking, severity="unready")


def _of_sink(feed: str, number: str, sink: FrameSink) -> Iterator[Sample]:
    counts, place = sink.counts, (feed, number)
    yield Sample("tricast_connector_received_frames_total", place, counts.received)
    yield Sample("tricast_connector_received_bytes_total", place, counts.received_bytes)
    yield Sample("tricast_connector_pushed_frames_total", place, counts.pushed)
    yield Sample("tricast_connector_pushed_bytes_total", place, counts.pushed_bytes)
    yield Sample("tricast_connector_spooled_frames_total", place, counts.spooled)
    for reason in DROPS:
        yield Sample("tricast_connector_dropped_frames_total", (*place, reason), counts.dropped[reason])
    yield Sample("tricast_connector_records_waiting", (*place, "memory"), sink.unkept)
    yield Sample("tricast_connector_records_waiting", (*place, "disk"), sink.waiting - sink.unkept)
    if sink.spool_free_bytes is not None:
        yield Sample("tricast_connector_spool_free_bytes", place, sink.spool_free_bytes)
    yield Sample("tricast_connector_unacknowledged_seconds", place, sink.unacknowledged_s)


def _of_connections(feed: str, sinks: Iterable[FrameSink]) -> Iterator[Sample]:
    counts = [sink.counts for sink in sinks]
    yield Sample("tricast_connector_connects_total", (feed,), sum(each.lines.attempts for each in counts))
    failed = Counter(dict.fromkeys(FAILURES, 0))
    for each in counts:
        for code, number in each.lines.failed.items():
            failed[code if code in FAILURES else "other"] += number
    for reason, number in failed.items():
        yield Sample("tricast_connector_connect_failures_total", (feed, reason), number)
    for reason in ENDS:
        ended = sum(number for each in counts for ending, number in each.ended.items() if ending == reason)
        yield Sample("tricast_connector_reconnects_total", (feed, reason), ended)
    if counts:
        acknowledged = counts[0].acknowledged.copy()
        for each in counts[1:]:
            acknowledged.add(each.acknowledged)
        yield Sample("tricast_connector_received_to_acknowledged_seconds", (feed,), acknowledged)


def _of_facts(feed: str, facts: Facts) -> Iterator[Sample]:
    for state in LINE_STATES:
        yield Sample("tricast_connector_lines", (feed, state), facts.lines[state])
    for budget, left in facts.budgets.items():
        yield Sample("tricast_connector_budget_left", (feed, budget), left)
    for token, age_s in facts.token_ages_s.items():
        yield Sample("tricast_connector_token_age_seconds", (feed, token), age_s)
    for outcome, number in facts.requests.items():
        yield Sample("tricast_connector_requests_total", (feed, outcome), number)
    if facts.lookups_waiting is not None:
        yield Sample("tricast_connector_lookups_waiting", (feed,), facts.lookups_waiting)
    for coverage, number in facts.events.items():
        yield Sample("tricast_connector_events", (feed, coverage), number)
