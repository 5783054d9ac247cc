"""Who loads the states and then follows the facts has what all facts add up to, whatever a cleaner left."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from docs.examples.state.follow_kambi import Offering
from processors.core.kambi.latest.processor import KambiState
from tests.core.kambi.latest import naive
from tests.core.kambi.latest.facts import HISTORIES
from tests.core.latest import START_NS, States, Written, compacted

History = list[tuple[str, dict[str, Any]]]
ABOUT = {"event_id", "offer_id", "vendor_time_ms", "source", "late", "received_ns", "partial", "fact", "fact_id"}


def plain(states: dict[str, Any]) -> dict[str, Any]:
    """Return what states say, in one order; what says nothing is none."""

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: told(one) for name, one in sorted(value.items()) if name not in ABOUT}
        return sorted(map(told, value), key=str) if isinstance(value, list) else value

    found = {key: told(state) for key, state in states.items()}
    return {key: state for key, state in found.items() if state and state != {"outcomes": []}}


def load(log: list[Written]) -> tuple[Offering, dict[str, int]]:
    """Return what a reader loads, and by topic the last offset of facts that is in it."""
    offering, stands_at = Offering(), dict[str, int]()
    for record in log:
        topic, offset = record.fact
        stands_at[topic] = max(stands_at.get(topic, -1), offset)
        if record.value is None:
            offering.pop(record.key, None)
        else:
            offering[record.key] = record.value
    return offering, stands_at


@given(HISTORIES, st.data())
@settings(max_examples=60)
def test_load_then_follow(history: History, data: st.DataObject):
    states = States(KambiState())
    records = []
    ends = [0]
    for ce_type, value in history:
        records.append((ce_type, value, states.fact(ce_type, value)))
        states.fold(records[-1][2])
        ends.append(len(states.log))
    # A transaction is there as a whole or not at all, so it ends behind a fact.
    log = states.log[: data.draw(st.sampled_from(ends))]
    cleaned = data.draw(st.integers(0, len(log)))
    tombstones = data.draw(st.booleans())
    offering, stands_at = load(compacted(log, cleaned, tombstones=tombstones))
    if tombstones:
        upto = [one for one in records if one[2].offset <= stands_at.get(one[2].topic, -1)]
        assert plain(offering) == plain(
            naive.states([one[:2] for one in upto], [START_NS + one[2].offset for one in upto])
        )
    for ce_type, value, record in records:
        if record.offset > stands_at.get(record.topic, -1):
            offering.apply(ce_type.removeprefix("tricast.kambi.").rpartition(".")[0], value)
    assert plain(offering) == plain(naive.states(history, [START_NS + one[2].offset for one in records]))
