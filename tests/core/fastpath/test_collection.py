"""Scorer suspension: told by an action, followed by summaries that may lag behind it."""

import pytest

from processors.core.fastpath.collection import Collecting, take_collection


def told(*packets):
    known = Collecting()
    for status, summary in packets:
        known = take_collection(known, told=status, summary=summary)
    return known.collection


@pytest.mark.parametrize(
    ("status", "collection"),
    [
        (0, "running"),
        (1, "running"),
        (3, "suspended"),
        ("CollectionSuspended", "suspended"),
        ("collectionsuspended", "suspended"),
        (4, "dropped"),
        ("CollectionDropped", "dropped"),
        (6, "running"),
        (99, "running"),
        ("Something new", "running"),
    ],
)
def test_status(status, collection):
    assert told((status, None)) == collection


def test_summary_alone_tells_it():
    assert told((None, "CollectingLive"), (None, "CollectionSuspended")) == "suspended"


def test_summary_that_lags_behind_the_action_takes_nothing_back():
    assert told((None, "CollectingLive"), (3, "CollectingLive"), (None, "CollectingLive")) == "suspended"


def test_summary_that_follows_the_action_changes_nothing():
    assert told((None, "CollectingLive"), (3, "CollectingLive"), (None, "CollectionSuspended")) == "suspended"


def test_summary_that_changes_ends_it():
    assert told((3, "CollectionSuspended"), (None, "CollectingLive")) == "running"


def test_packet_without_either_changes_nothing():
    assert told((3, None), (None, None)) == "suspended"
