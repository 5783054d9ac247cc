"""What may grow, what stands in the way, and whose state has to be divided."""

from dataclasses import replace
from typing import Any

import pytest

from processors.core.fastpath.latest import FastpathState
from processors.core.kambi.latest.processor import KambiState
from processors.core.latest import fact_key
from schemas.errors import ConfigurationError
from schemas.topics import TOPICS, Partitions, registry
from tests.core.fastpath.test_latest import ACTION, PACKET
from tests.core.latest import States
from tricast.growth.plan import FACTS, Reading, caution, growths, is_to_divide, obstacles, unready
from tricast.settings import load

NOW = {name: topic.partitions for name, topic in TOPICS.items()}


def test_nothing_grows_where_kafka_has_what_is_wanted():
    assert growths(TOPICS, NOW) == []


def test_facts_and_shards_grow_with_their_changelogs_and_nothing_else():
    wanted = registry(Partitions(kambi_shards=9, kambi_facts=12, fastpath_actions=8))
    assert {each.topic.name: (each.have, each.topic.partitions) for each in growths(wanted, NOW)} == {
        "kambi.raw": (5, 10),
        "changelog.kambi.kambi.raw": (5, 10),
        **{f"{before}kambi.{facts}": (4, 12) for facts in ("events", "offers", "scores") for before in ("", STATE)},
        "fastpath.actions": (4, 8),
        "changelog.fastpath.state.fastpath.actions": (4, 8),
    }
    assert {"kambi.events", "kambi.offers", "kambi.scores", "fastpath.actions"} == FACTS


STATE = "changelog.kambi.state."


@pytest.mark.parametrize(
    ("have", "why"),
    [
        ({"kambi.offers": 12}, "kambi.offers has 12 partitions, 8 are wanted: topics never shrink"),
        ({"kambi.offers": 3}, "kambi.offers has 3 partitions, 8 are wanted: that is no multiple"),
        ({"rms.pending": 8}, "rms.pending has 8 partitions, 4 are wanted: it cannot grow"),
        ({"fastpath.raw": 4}, "fastpath.raw has 4 partitions, 8 are wanted: it cannot grow"),
    ],
    ids=["shrink", "no multiple", "join", "by key and state"],
)
def test_what_would_move_keys_for_good_is_refused(have: dict[str, int], why: str):
    with pytest.raises(ConfigurationError) as caught:
        growths(registry(Partitions(kambi_facts=8)), NOW | have)
    assert caught.value.message == why


def test_a_missing_topic_is_refused():
    with pytest.raises(ConfigurationError, match=r"topic kambi\.offers is not there"):
        growths(TOPICS, {name: count for name, count in NOW.items() if name != "kambi.offers"})


PLAIN = Reading(group="", members=(), offsets={0: 7}, behind=(), marked=False, begins={0: 3, 1: 0}, ends={0: 9, 1: 4})


def reading(group: str, **more: Any) -> Reading:
    return replace(PLAIN, group=group, **more)


@pytest.mark.parametrize(
    ("topic", "other", "found"),
    [
        ("kambi.offers", reading("team"), []),
        ("kambi.offers", reading("team", members=("b", "a")), ["group team has living members (a, b): stop them"]),
        (
            "kambi.offers",
            reading("team", behind=(1, 3)),
            ["group team has not read kambi.offers to the end (partitions 1, 3): let it, then stop it"],
        ),
        ("kambi.raw", reading("team", behind=(1, 3)), []),
        ("kambi.offers", reading("old", members=("a",), behind=(1,)), []),
    ],
    ids=["stands at the end", "alive", "behind", "behind where no key decides", "passed"],
)
def test_readers_stand_at_the_end_and_are_stopped(topic: str, other: Reading, found: list[str]):
    assert list(obstacles(topic, {"t.kambi"}, [reading("t.kambi"), other], {"old", "t.kambi"})) == found


def test_a_group_goes_on_where_it_stood_and_begins_what_is_new():
    assert reading("team").places() == {0: 7, 1: 0}
    assert reading("t.kambi.state").places(new_at_end=True) == {0: 7, 1: 4}


def test_our_own_workers_cannot_be_passed():
    worker = reading("t.kambi", members=("t.kambi-w0",))
    assert list(obstacles("kambi.offers", {"t.kambi"}, [worker], {"t.kambi"})) == [worker.alive]


@pytest.mark.parametrize(
    ("growing", "more", "divide", "why"),
    [
        ((), {}, False, 0),
        (("kambi.offers",), {}, True, 0),
        (("kambi.offers",), {"offsets": {}}, True, 0),
        (("changelog.kambi.state.kambi.offers",), {}, True, 0),
        ((), {"marked": True}, True, 0),
        (("changelog.kambi.state.kambi.offers",), {"marked": True, "behind": (1,)}, True, 0),
        (("changelog.kambi.state.kambi.offers",), {"behind": (1,)}, True, 1),
        (("kambi.offers",), {"members": ("w0",)}, True, 1),
    ],
    ids=["grown", "grows", "never ran", "left off", "marked", "went on since", "grown by hand", "alive"],
)
def test_a_state_is_divided_once(growing: tuple[str, ...], more: dict[str, Any], divide: bool, why: int):
    own = {"kambi.offers": reading("t.kambi.state", **more)}
    assert is_to_divide(KambiState(), own, growing) is divide
    assert len(list(unready(KambiState(), own, growing))) == why if divide else True


def test_beginning_again_where_facts_may_have_grown_is_cautioned_against():
    registries = [TOPICS, registry(Partitions(kambi_shards=8)), registry(Partitions(kambi_facts=8))]
    told = [caution(KambiState(), each) for each in registries]
    assert told[:2] == ["", ""]
    assert "kambi.events, kambi.offers, kambi.scores" in told[2]
    assert caution(FastpathState(), registries[2]) == ""


def test_every_entry_of_a_store_names_its_fact_or_is_of_all():
    kambi = States(KambiState())
    kambi.say("tricast.kambi.event.opened.v1", event_id=7, name="A - B")
    kambi.say("tricast.kambi.offer.added.v1", event_id=7, offer_id=9, suspended=False, outcomes=[])
    kambi.say("tricast.kambi.score.changed.v1", event_id=7, home="1", away="0")
    kambi.say("tricast.kambi.scores.removed.v1", event_id=8)
    assert kinds(kambi) == {b"7", b"8"}
    fastpath = States(FastpathState(), "fastpath")
    fastpath.say(ACTION, **PACKET | {"fixture_id": "f#1"})
    assert kinds(fastpath) == {b"f#1"}


def kinds(states: States) -> set[bytes | None]:
    keys = [key for task in states.tasks.values() for key, _ in task.store.items()]
    assert len(keys) > len(states.tasks)  # more than the hour of the last sweep
    return {fact_key(key) for key in keys} - {None}


def test_settings_name_the_counts_and_shards_need_partitions():
    settings = load({"TRICAST_PARTITIONS__KAMBI_SHARDS": "16", "TRICAST_KAMBI__SHARDS": "9"})
    assert settings.topics["kambi.raw"].partitions == 17
    with pytest.raises(ConfigurationError, match=r"kambi\.shards is 5, kambi\.raw has partitions for 4"):
        load({"TRICAST_KAMBI__SHARDS": "5"})
    with pytest.raises(ConfigurationError, match="multiple of 4"):
        load({"TRICAST_PARTITIONS__KAMBI_FACTS": "6"})
