"""Reading is light: it loads neither Faust nor the engine, nor the Kafka client that is not used."""

import subprocess
import sys

import pytest

HEAVY = {"faust", "mode", "processors", "connectors", "simulators", "aiohttp", "tricast.settings"}
AIO, CONFLUENT = "aiokafka", "confluent_kafka"


def loaded(program: str) -> set[str]:
    """Return which of the packages above a program has loaded at its end."""
    wanted = HEAVY | {AIO, CONFLUENT}
    told = f"{program}\nimport sys\nprint(*({wanted!r} & set(sys.modules)))"
    return set(subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    ("program", "clients"),
    [
        ("import tricast.consumer", set()),
        ("from tricast.consumer import Reader, Trust", {AIO}),
        ("from tricast.consumer.confluent import Reader, Trust", {CONFLUENT}),
    ],
    ids=["models", "aiokafka", "confluent"],
)
def test_nothing_is_loaded_that_is_not_used(program: str, clients: set[str]):
    assert loaded(program) == clients
