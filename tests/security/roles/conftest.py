import asyncio

import pytest

from deploy.access.roles import roles
from schemas.topics import TOPICS
from tests.security.acls import of_role
from tests.security.guarded import Guarded
from tests.security.intent import FOREIGN_GROUP, FOREIGN_TOPIC, PREFIX
from tests.security.secure_broker import SecureBroker
from tricast.kafka import topics


@pytest.fixture(scope="session")
def guarded(secure: SecureBroker) -> Guarded:
    """The broker with a user a role, and with the topics, which the operator has made."""
    broker = Guarded(secure)
    broker.settle_others(FOREIGN_TOPIC, FOREIGN_GROUP)
    broker.admit({role.name: of_role(role) for role in roles(PREFIX)})
    made = asyncio.run(topics.create(TOPICS.values(), PREFIX, broker.settings("tricast-operator")))
    assert sorted(made) == sorted(PREFIX + name for name in TOPICS)
    return broker


@pytest.fixture
def as_user(guarded, monkeypatch):
    """Have commands in this process come as a user."""

    def become(user):
        for name, value in guarded.environment(user).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TRICAST_TOPIC_PREFIX", PREFIX)

    return become
