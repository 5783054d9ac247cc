from collections.abc import Iterator

import pytest

from tests.security.secure_broker import SecureBroker


@pytest.fixture(scope="session")
def secure() -> Iterator[SecureBroker]:
    """A broker behind TLS and SCRAM, with an authorizer."""
    with SecureBroker() as broker:
        yield broker
