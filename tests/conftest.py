"""The session's real Kafka: one broker for most tests, three for fault tests; each starts only when a test asks.

Under pytest-xdist all processes share the one broker. A file's tests stay together, and so do those of a broker that is
started for few: the three and the one that tests kill and pause, and the one behind TLS. Those come first, as they take
longest.
"""

import secrets
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.shared_kafka import shared_broker, version_under_test
from tricast.kafka import Cluster

_BROKERS = ("cluster", "broker", "secure")
"""Fixtures of brokers that one process has, and the groups of tests that use them."""

# A property says what is right, not how fast; a busy machine must not make it fail.
settings.register_profile("tricast", deadline=None)
settings.load_profile("tricast")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests stay together, longest group first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: _group(item) not in _BROKERS)


def _group(item: pytest.Item) -> str:
    fixtures = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    for broker in _BROKERS:
        if broker in fixtures and fixtures[broker][-1].scope == "session":
            return broker
    return item.nodeid.split("::")[0]


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """Bootstrap servers of the session's broker; topics are created explicitly, so give them ``topic_prefix``."""
    folder = tmp_path_factory.getbasetemp()
    with shared_broker(folder.parent if hasattr(request.config, "workerinput") else folder) as bootstrap_servers:
        yield bootstrap_servers


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Three brokers that a test may kill, stop and pause, and leaves as they were: ``start``, ``await_in_sync``."""
    with Cluster(ephemeral=True, brokers=3, version=version_under_test()) as brokers:
        yield brokers


@pytest.fixture(scope="session")
def broker() -> Iterator[Cluster]:
    """One broker that a test may kill, stop and pause, and leaves running."""
    with Cluster(ephemeral=True, brokers=1, version=version_under_test()) as broker:
        yield broker


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that no other test uses: topics, groups and transactional ids of one test stay its own."""
    return f"t{secrets.token_hex(6)}."
