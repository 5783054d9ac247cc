"""One toy deployment a test: its topics, its workers, its outputs."""

import os
from collections.abc import Iterator

import pytest

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
