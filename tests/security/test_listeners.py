"""Every listener is on loopback by default. The whole product's are read in ``tests/integration/test_up.py``."""

import subprocess
import sys

import psutil
import pytest

from processors.engine.app import build_app
from processors.engine.config import EngineSettings
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from tests.security.listeners import foreign, listeners_of
from tricast.kafka.settings import Node, java_options, server_properties
from tricast.processors import PROCESSORS
from tricast.settings import Settings

_NODES = [Node(broker=number, port=20_000 + number, controller_port=21_000 + number) for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("address", "is_foreign"),
    [
        ("127.0.0.1", False),
        ("127.8.9.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("0.0.0.0", True),
        ("::", True),
        ("::ffff:0.0.0.0", True),
        ("10.0.0.7", True),
        ("fe80::1", True),
    ],
)
def test_an_address_is_loopback_or_foreign(address, is_foreign):
    assert bool(foreign([(address, 1)])) == is_foreign


_LISTENS = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


def test_listeners_of_children_are_seen():
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", _LISTENS], stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        assert ("127.0.0.1", port) in set(listeners_of(psutil.Process()))
        child.communicate()


@pytest.mark.parametrize("brokers", [1, 3])
def test_brokers_listen_on_loopback_alone(brokers, tmp_path):
    lines = server_properties(_NODES[0], _NODES[:brokers], tmp_path).splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    listeners = [listener.partition("://")[2].rpartition(":")[0] for listener in settings["listeners"].split(",")]
    assert listeners == ["127.0.0.1", "127.0.0.1"]
    assert not [option for option in java_options(brokers) if "jmx" in option.lower() or "jdwp" in option.lower()]


def test_simulators_listen_on_loopback_by_default():
    simulator = Settings().simulator
    assert {simulator.kambi.host, simulator.fastpath.host, simulator.rms.host} == {"127.0.0.1"}


def test_workers_have_no_web_server():
    app = build_app(
        PROCESSORS["rms.bets"](Settings()),
        prefix="tricast.",
        registry=TOPICS,
        kafka=KafkaSettings(),
        settings=EngineSettings(),
        version="test",
    )
    assert not app.conf.web_enabled
