"""One toy deployment a test: its topics, its workers, its outputs."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.engine.group import Group, work_off
from tests.engine.lab import Lab


@pytest.fixture(scope="session")
def kafka(request) -> str:
    """As in ``tests/conftest.py``; the mutant runner lends one broker to all of its runs instead."""
    return os.environ.get("TRICAST_TEST_KAFKA") or request.getfixturevalue("kafka")


@pytest.fixture
def lab(kafka, topic_prefix, tmp_path) -> Iterator[Lab]:
    """A toy deployment with its topics created and no worker yet; whatever is started is killed at the end."""
    with Lab(kafka, topic_prefix, tmp_path) as lab:
        yield lab


@pytest.fixture
async def worked(lab) -> Lab:
    """A deployment whose 40 records are processed and committed, and no worker runs."""
    lab.feed(range(40))
    await work_off(lab)
    return lab


@pytest.fixture
async def group(lab) -> AsyncIterator[Group]:
    """An engine that has started and has no task yet; 20 records stand in its source partition."""
    lab.feed(range(80), kids=[("a", "x")])
    lab.committed()  # waits until a new broker has a group coordinator, as joining the group does
    group = Group(lab)
    await group.engine.start()
    yield group
    await group.engine.stop()
