"""One broker for all processes of a pytest-xdist run: the first that asks starts it, and ends it after the others."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tricast.kafka import KAFKA_VERSION, Cluster


def version_under_test() -> str:
    """Return ``TRICAST_TEST_KAFKA_VERSION``, so that the same tests can run on an older Kafka, or the product's own."""
    return os.environ.get("TRICAST_TEST_KAFKA_VERSION", KAFKA_VERSION)


@contextmanager
def shared_broker(folder: Path) -> Iterator[str]:
    """Yield the bootstrap servers.

    Args:
        folder: One that the processes of this run have in common, and no other run.
    """
    address = folder / "kafka.address"
    with (folder / "kafka.turn").open("a") as turn, (folder / "kafka.users").open("a") as users:
        with _locked(turn):
            fcntl.flock(users, fcntl.LOCK_SH)
            broker = None if address.exists() else Cluster(ephemeral=True, brokers=1, version=version_under_test())
            if broker is not None:
                broker.start()
                address.write_text(broker.bootstrap_servers)
        try:
            yield address.read_text() if broker is None else broker.bootstrap_servers
        finally:
            if broker is not None:
                with _locked(turn):  # from here on another process that asks starts its own
                    address.unlink()
                fcntl.flock(users, fcntl.LOCK_EX)  # waits until nobody else uses it
                broker.stop()


@contextmanager
def _locked(file: TextIO) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
