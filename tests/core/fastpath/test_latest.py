"""``fastpath.state``: where each fixture stands, of what is in order; the vendor's own goes through byte for byte."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.core.fastpath.latest import KEPT_NS, FastpathState
from schemas.fastpath.codes import Code
from tests.core.latest import START_NS, States, newest, said

FEED, FIXTURE = "soccer/fixtures/5/actions", "5"
ACTION, ELEMENT = "tricast.fastpath.action.v1", "tricast.fastpath.event-element.v1"
PACKET: dict[str, Any] = {
    "feed": FEED,
    "fixture_id": FIXTURE,
    "line": FEED,
    "connection": "c-1",
    "received_ns": START_NS,
    "delivery": "live",
    "connection_state": {"state": "Connected"},
    "released": {"why": "in_order", "after_ms": 0},
    "details": {},
}
Json = dict[str, Any]


def states() -> States:
    return States(FastpathState(), feed="fastpath")


feeds = st.sampled_from([FEED, "tennis/fixtures/6/scores"])
marks = {name: st.just(True) for name in ("late", "repaired", "conflict")}
about = {"vendor_time": st.sampled_from(["a", "b"]), "sequence": st.integers(0, 9)}
packets = {"feed": feeds, "fixture_id": st.sampled_from("56")}
HISTORIES = st.lists(
    st.one_of(
        st.tuples(
            st.just(ACTION),
            st.fixed_dictionaries(
                packets,
                optional={
                    "finished": st.booleans(),
                    "summary": st.fixed_dictionaries({}, optional={"home_score": st.integers(0, 3)}),
                    **about,
                    **marks,
                },
            ),
        ),
        st.tuples(
            st.just(ELEMENT),
            st.fixed_dictionaries(
                packets | {"details": st.sampled_from([{"score": "15-0"}, {}])},
                optional={"element_type": st.sampled_from(["Point", "Undo"]), **about, **marks},
            ),
        ),
    ),
    max_size=25,
)


def naive(history: list[tuple[str, Json]]) -> dict[str, Json]:
    """Return the states by looking back over all packets that are in order."""
    in_order = [(kind, PACKET | value) for kind, value in history if not marks.keys() & value.keys()]
    found = {}
    for feed, fixture in {(value["feed"], value["fixture_id"]) for _, value in in_order}:
        own = [(kind, value) for kind, value in in_order if (value["feed"], value["fixture_id"]) == (feed, fixture)]
        last = own[-1][1]
        state = {name: last[name] for name in ("feed", "fixture_id", "received_ns", "delivery", "connection_state")}
        state |= {name: last[name] for name in ("sequence", "vendor_time") if name in last}
        for kind, names in ((ACTION, ("finished", "summary")), (ELEMENT, ("element_type", "details"))):
            for name in names:
                values = [value[name] for of, value in own if of == kind and name in value]
                state |= {name: values[-1]} if values else {}
        found[f"{fixture}#{feed}"] = state
    return found


@given(HISTORIES, st.sets(st.integers(0, 25), max_size=2))
@settings(max_examples=50)
def test_states_are_what_the_packets_in_order_add_up_to(history: list[tuple[str, Json]], restarts: set[int]):
    task = states()
    for number, (ce_type, value) in enumerate(history):
        if number in restarts:
            task.restart()
        task.say(ce_type, **PACKET | value)
    assert said(task.now) == naive(history)
    assert task.letters == []


def test_a_state_says_where_it_stands():
    task = states()
    task.say(ACTION, **PACKET, sequence=1)
    (state,) = task.say(ACTION, **PACKET, sequence=2, summary={"home_score": 1})
    assert (state.key, state.headers["ce_id"], state.headers["ce_source"]) == (
        f"{FIXTURE}#{FEED}",
        "tricast.fastpath.actions/0/2/0",
        "tricast/fastpath/state",
    )
    assert state.value is not None
    assert (state.value["fact"], state.value["sequence"]) == ("tricast.fastpath.actions/0/2", 2)


def test_the_last_summary_stays_and_a_number_does_not():
    task = states()
    task.say(ACTION, **PACKET, sequence=1, finished=True, summary={"home_score": 1})
    task.say(ACTION, **PACKET)
    (state,) = said(task.now).values()
    assert (state["summary"], state["finished"], "sequence" in state) == ({"home_score": 1}, True, False)


@pytest.mark.parametrize("mark", ["late", "repaired", "conflict"])
def test_what_may_be_out_of_order_puts_no_newer_state_back(mark: str):
    task = states()
    task.say(ACTION, **PACKET, sequence=7, summary={"home_score": 2})
    before = task.now
    assert task.say(ACTION, **PACKET, sequence=6, summary={"home_score": 1}, **{mark: True}) == []
    assert task.now == before


def test_numbers_of_the_vendor_keep_their_digits():
    task = states()
    value = json.dumps(PACKET | {"summary": {"details": {"xg": 0}}})
    record = task.fact(ACTION, value.replace('"xg": 0', '"xg": 1.50, "id": 123456789012345678901234567890').encode())
    task.fold(record)
    stored = task.tasks["tricast.fastpath.actions"].store.get(f"{FIXTURE}#{FEED}".encode())
    assert b'"xg": 1.50, "id": 123456789012345678901234567890' in (stored or b"")


def test_a_fixture_of_which_nothing_comes_goes():
    task = states()
    task.say(ACTION, **PACKET)
    other = PACKET | {"fixture_id": "6"}
    for after_ns, left in ((KEPT_NS - 1, {"5", "6"}), (KEPT_NS + 2 * 3_600_000_000_000, {"6"})):
        task.restart()
        now_ns = START_NS + after_ns
        task.fold(task.fact(ACTION, other | {"received_ns": now_ns}, at_ns=now_ns))
        assert {state["fixture_id"] for state in task.now.values()} == left
    gone = task.log[-1]
    assert (gone.key, gone.value) == (f"{FIXTURE}#{FEED}", None)
    assert newest(task.log).keys() == {f"6#{FEED}"}


BAD = {
    "no json": (ACTION, b"{"),
    "no fixture": (ACTION, {"feed": FEED, "received_ns": 1}),
    "fixture of another kind": (ACTION, PACKET | {"fixture_id": 5}),
    "no time": (ELEMENT, {"feed": FEED, "fixture_id": FIXTURE}),
}


@pytest.mark.parametrize(("ce_type", "value"), BAD.values(), ids=BAD)
def test_what_is_no_packet_of_ours_is_a_dead_letter(ce_type: str, value: Any):
    task = states()
    assert task.fold(task.fact(ce_type, value)) == []
    assert [code for code, _ in task.letters] == [Code.BAD_FACT]


def test_a_type_to_come_changes_nothing():
    task = states()
    assert task.say("tricast.fastpath.golf-shot.v1", **PACKET) == []
    assert task.letters == []
