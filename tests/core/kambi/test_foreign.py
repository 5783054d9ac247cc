"""What a glance tells of another shard's child is what normalizing it would have told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.core.kambi.debulk import read_child
from processors.core.kambi.findings import Unreadable
from processors.core.kambi.foreign import glance
from processors.core.kambi.normalize import normalize
from processors.core.kambi.processor import KambiProcessor
from processors.core.kambi.shards import Share
from schemas.kambi.wire import ELEMENTS, Child
from tests.core.driver import Driver
from tests.core.kambi.frames import frame
from tests.core.kambi.tasks import START_MS as T

FOREIGN = Share(0, 2)
"""Whose events are even; those of the tests are odd."""
EVENT = 1_020_000_001
COMMON: dict[str, tuple[int, dict[str, Any]]] = {
    "odds of two offers": (11, {"outcomes": [{"id": 1, "betOfferId": 7, "odds": 1500}, {"id": 2, "betOfferId": 8}]}),
    "odds, the offer named once": (11, {"betOfferId": 7, "outcomes": [{"id": 1, "odds": -1}, {"id": 2, "odds": 1000}]}),
    "offer status": (8, {"betOfferId": 7, "suspended": True}),
    "offer removed": (7, {"betOfferId": 7}),
    "offers suspended": (9, {}),
    "clock": (15, {"matchClock": {"minute": 0, "second": 3, "version": 4}}),
    "clock removed": (12, {}),
    "score": (16, {"score": {"home": "1", "away": "W"}}),
    "event removed": (18, {}),
    "description": (20, {"description": None}),
}


def child(mt: int, element: dict[str, Any], event: Any = EVENT) -> str:
    return json.dumps({"mt": mt, "t": str(T), ELEMENTS[mt][0]: {"eventId": event, **element}})


def read(text: str) -> Child | Unreadable:
    return read_child(text.encode())


@pytest.mark.parametrize(("mt", "element"), COMMON.values(), ids=COMMON.keys())
def test_what_general_lines_mostly_bring_needs_no_normalizing(mt: int, element: dict[str, Any]):
    said = read(child(mt, element))
    assert isinstance(said, Child)
    seen, candidates = glance(said, FOREIGN), normalize(said, T)
    assert seen is not None
    assert not isinstance(candidates, Unreadable)
    event_id, offers = seen
    assert [(event_id, offer) for offer in offers] == [
        (getattr(candidate, "event_id", None), getattr(candidate, "offer_id", None)) for candidate in candidates
    ]


def test_own_child_is_not_glanced_over():
    for mt, element in COMMON.values():
        said = read(child(mt, element))
        assert isinstance(said, Child)
        assert glance(said, Share(1, 2)) is None


DOUBTFUL = {
    "event id too large": (9, {"eventId": "9999999999999999999"}),
    "offer id too large": (8, {"betOfferId": "9999999999999999999"}),
    "outcome id too large": (11, {"betOfferId": 7, "outcomes": [{"id": "9999999999999999999"}]}),
    "version of a clock": (15, {"matchClock": {"minute": 1, "version": "9999999999999999999"}}),
    "version of a score": (16, {"score": {"home": "1", "away": "0", "version": "9999999999999999999"}}),
    "clock that says nothing": (15, {"matchClock": {"version": 1}}),
    "half a score": (16, {"score": {"home": "1"}}),
    "odds below 1": (11, {"betOfferId": 7, "outcomes": [{"id": 1, "odds": 999}]}),
    "no offer": (11, {"outcomes": [{"id": 1, "odds": 1500}]}),
    "no outcomes": (11, {"betOfferId": 7, "outcomes": []}),
    "offer without event": (7, {"betOfferId": 7, "eventId": None}),
}


@pytest.mark.parametrize(("mt", "element"), DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_what_may_be_a_dead_letter_is_normalized(mt: int, element: dict[str, Any]):
    said = read(child(mt, element))
    assert isinstance(said, Child)
    assert glance(said, FOREIGN) is None


_IDS = st.sampled_from([0, 1, 2, 3, 7, 2**63 - 1, "7", "007", "9999999999999999999", None])
_NUMBERS = st.sampled_from([0, 1, -1, -2, 999, 1000, 1500, -(2**63), None])
_TEXTS = st.sampled_from(["", "1", "W", None])
_OUTCOMES = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from([1, 2, "3", "9999999999999999999"])},
        optional={"betOfferId": _IDS, "odds": _NUMBERS, "status": _TEXTS, "participantId": _IDS},
    ),
    max_size=4,
)
_ELEMENT = st.fixed_dictionaries(
    {},
    optional={
        "eventId": _IDS,
        "id": _IDS,
        "betOfferId": _IDS,
        "outcomes": _OUTCOMES,
        "suspended": st.booleans(),
        "description": _TEXTS,
        "state": _TEXTS,
        "matchClock": st.fixed_dictionaries(
            {},
            optional={
                "minute": _NUMBERS,
                "second": _NUMBERS,
                "periodId": st.sampled_from([1, "H1", None]),
                "version": _IDS,
            },
        ),
        "score": st.fixed_dictionaries(
            {},
            optional={
                "home": st.sampled_from([1, "W", None]),
                "away": st.sampled_from([0, "", None]),
                "version": _IDS,
            },
        ),
    },
)


@given(mt=st.sampled_from(sorted(ELEMENTS)), element=_ELEMENT, t=st.sampled_from([str(T), None, 1.5]))
def test_glance_agrees_with_normalizing_wherever_it_tells_something(
    mt: int, element: dict[str, Any], t: object
) -> None:
    said = read(json.dumps({"mt": mt, "t": t, ELEMENTS[mt][0]: element}))
    if isinstance(said, Unreadable):
        return
    for share in (FOREIGN, Share(1, 2)):
        seen = glance(said, share)
        if seen is None:
            continue
        candidates = normalize(said, None)
        assert not isinstance(candidates, Unreadable)
        event_id, offers = seen
        assert [(event_id, offer) for offer in offers] == [
            (getattr(candidate, "event_id", None), getattr(candidate, "offer_id", None)) for candidate in candidates
        ]
        assert not share.holds(event_id)


@given(
    children=st.lists(
        st.tuples(st.sampled_from(sorted(COMMON)), st.sampled_from([EVENT, EVENT + 1, EVENT + 2, str(EVENT)])),
        max_size=8,
    )
)
def test_two_shards_write_together_what_one_task_of_all_events_writes(children: list[tuple[str, Any]]) -> None:
    """Each event has offers of its own: one of two events is judged by both, and a shard knows one of them."""
    texts = [(child(*COMMON[name], event), int(event)) for name, event in children]
    bulk = frame(*(text.replace('"betOfferId": ', f'"betOfferId": {event - EVENT + 1}') for text, event in texts))
    written = []
    for shard, shards in ((0, 1), (0, 2), (1, 2)):
        task = Driver(KambiProcessor(), stream_time_ns=T * 1_000_000)
        line = f"kambi-{shard}-general"
        task.feed(json.dumps({"shard": shard, "shards": shards}).encode(), kind="opened", line=line)
        task.outputs.clear()
        task.feed(bulk, line=line)
        written.append({(output.header("ce_id"), output.value) for output in task.outputs})
        assert task.dead_letters == []
    whole, *parts = written
    assert whole == parts[0] | parts[1]
    assert parts[0].isdisjoint(parts[1])
