"""The session's real Kafka: one broker for most tests, three for fault tests; each starts only when a test asks."""

import secrets
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tricast.kafka import Cluster

# A property says what is right, not how fast; a busy machine must not make it fail.
settings.register_profile("tricast", deadline=None)
settings.load_profile("tricast")


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Bootstrap servers of the session's broker; topics are created explicitly, so give them ``topic_prefix``."""
    with Cluster(ephemeral=True, brokers=1) as broker:
        yield broker.bootstrap_servers


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Three brokers that a test may kill, stop and pause, and leaves as they were: ``start``, ``await_in_sync``."""
    with Cluster(ephemeral=True, brokers=3) as brokers:
        yield brokers


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that no other test uses: topics, groups and transactional ids of one test stay its own."""
    return f"t{secrets.token_hex(6)}."
