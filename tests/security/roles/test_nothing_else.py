"""Each role on a real broker that enforces rights: what it is not for is closed to it."""

import asyncio

import pytest

from deploy.access.roles import roles
from schemas.topics import TOPICS
from tests.security.attempts import (
    ADMINISTRATION,
    MAKE,
    NO_GROUP,
    NO_ID,
    NO_TOPIC,
    SEE_RIGHTS,
    SEE_SETTINGS,
    attempts,
    let_through,
)
from tests.security.intent import FOREIGN_GROUP, FOREIGN_TOPIC, GROUPS, INTENTS, PREFIX

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def test_every_role_is_in_the_table():
    assert INTENTS.keys() == {role.name for role in roles(PREFIX)}


@pytest.mark.parametrize("user", INTENTS)
async def test_nothing_but_its_work(guarded, user):
    intent = INTENTS[user]
    every = {PREFIX + name: intent.on_topic(name) for name in TOPICS} | {FOREIGN_TOPIC: frozenset()}
    groups = {PREFIX + name: intent.on_group(name) for name in GROUPS}
    groups |= {FOREIGN_GROUP: frozenset({"Describe"} if intent.foreign_groups_seen else ())}
    groups |= {f"{PREFIX}more": groups[FOREIGN_GROUP]}
    if intent.team:
        groups |= {f"{intent.team}.x": frozenset({"Read", "Describe"}), f"{intent.team}x": frozenset()}
    ids = {f"{PREFIX}{name}-w" for name in GROUPS if name != intent.joins} | {"orders-1", PREFIX, user}
    async with attempts(guarded.settings(user)) as tries:
        on_cluster = intent.cluster if "Describe" in intent.cluster else frozenset()  # Kafka tells nobody else
        assert await tries.on_topics(every) == (every, on_cluster)
        assert await tries.on_groups(groups) == groups
        # The broker has said so; now by doing.
        for kind, attempt in (("Write", tries.write), ("Read", tries.read)):
            closed = [topic for topic, may in every.items() if kind not in may]
            assert await attempt(closed) == dict.fromkeys(closed, NO_TOPIC), kind
        foreign = [group for group, may in groups.items() if "Read" not in may]
        assert await tries.join(foreign) == dict.fromkeys(foreign, NO_GROUP)
        assert await tries.take(ids) == dict.fromkeys(ids, NO_ID)
    tried = ADMINISTRATION.keys() - ({MAKE} if intent.creates else set())
    topic = PREFIX + min(intent.writes or intent.reads)
    through = await asyncio.to_thread(let_through, guarded.as_user(user), topic, tried)
    # Kafka shows rights to whoever may describe the cluster, which sizes on disk are asked by.
    assert through == ({SEE_RIGHTS} if "Describe" in intent.cluster else set()) | (
        SEE_SETTINGS if intent.creates else set()
    )
