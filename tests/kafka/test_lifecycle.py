import json
import os
import random
import signal
import socket
import subprocess
import sys

import psutil
import pytest

from schemas.errors import EnvironmentFault
from tricast.kafka import Cluster
from tricast.kafka.errors import BrokerCountMismatch, BrokerDidNotStart
from tricast.kafka.launch import start_brokers
from tricast.kafka.layout import DataDir, default_cache_dir
from tricast.kafka.membership import new_membership
from tricast.kafka.release import fetch_release

pytestmark = pytest.mark.kafka

CLI = (sys.executable, "-c", "from tricast.cli.kafka import kafka; kafka()")


@pytest.fixture
def broker(tmp_path):
    """One broker, not ephemeral, not started."""
    cluster = Cluster(tmp_path / "kafka", quiet=True)
    yield cluster
    cluster.stop(grace_s=0)


def state_of(cluster):
    status = cluster.status()
    return status.state, *(broker.state for broker in status.brokers)


async def test_data_is_kept_and_a_taken_port_is_left_to_its_owner(broker, write, read):
    assert state_of(broker) == ("stopped",)
    first = broker.start()
    assert state_of(broker) == ("running", "running")
    await write(first, b"kept")
    broker.stop()
    assert state_of(broker) == ("stopped", "stopped")

    host, _, port = first.rpartition(":")
    with socket.create_server((host, int(port))):
        second = broker.start()
        assert second != first
        assert await read(second) == b"kept"


async def test_killed_broker_is_noticed_and_started_again_with_its_data(broker, write, read):
    await write(broker.start(), b"acknowledged")
    pid = broker.pid(1)
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)])
    assert state_of(broker) == ("broken", "dead")
    servers = broker.start()
    assert broker.pid(1) != pid
    assert await read(servers) == b"acknowledged"


def test_running_broker_is_left_alone_and_a_silent_one_replaced(broker):
    servers = broker.start()
    pid = broker.pid(1)
    record_file = broker.files.node(1).process
    # Who started it was killed before it knew the process id: that broker is found all the same.
    record_file.write_text(json.dumps({"token": json.loads(record_file.read_text())["token"]}))
    assert state_of(broker) == ("running", "running")
    assert (broker.start(), broker.pid(1)) == (servers, pid)
    with pytest.raises(BrokerCountMismatch, match="made for 1"):
        Cluster(broker.files.root, brokers=3).start()

    broker.pause_broker(1)
    assert state_of(broker) == ("broken", "silent")
    assert broker.start() == servers
    assert broker.pid(1) != pid
    assert not psutil.pid_exists(pid)


def test_reused_process_id_is_never_touched(broker):
    broker.start()
    record_file = broker.files.node(1).process
    record = json.loads(record_file.read_text())
    broker.stop()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        started = psutil.Process(stranger.pid).create_time()
        record_file.write_text(json.dumps(record | {"pid": stranger.pid, "started": started}))
        assert state_of(broker) == ("broken", "dead")
        broker.stop()
        assert stranger.poll() is None
        assert state_of(broker) == ("stopped", "stopped")
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize(
    "record",
    ["", "{", "[]", '{"token": "x"}', '{"token": ""}', '{"pid": -5}', '{"pid": 99999999, "started": 0, "token": "x"}'],
)
def test_stale_or_torn_record_is_no_broker(tmp_path, record):
    files = DataDir(tmp_path)
    files.cluster.write_text('{"cluster_id": "x", "nodes": [{"broker": 1, "port": 1, "controller_port": 2}]}')
    files.node(1).root.mkdir()
    files.node(1).process.write_text(record)
    assert state_of(Cluster(tmp_path)) == ("broken", "dead")


def test_half_formatted_storage_is_formatted_anew_but_never_over_data(broker):
    storage = broker.files.node(1).storage
    broker.start()
    broker.stop()
    (storage / "meta.properties").unlink()
    with pytest.raises(EnvironmentFault, match=r"holds .* but no meta\.properties"):
        broker.start()
    for remains in storage.iterdir():
        remains.rename(broker.files.root / remains.name)
    (broker.files.root / "bootstrap.checkpoint").rename(storage / "bootstrap.checkpoint")
    broker.start()
    assert state_of(broker) == ("running", "running")


def test_broker_that_does_not_come_up_shows_its_last_lines_and_leaves_nothing(broker):
    broker.start()
    broker.stop()
    meta = broker.files.node(1).storage / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=7"))
    with pytest.raises(BrokerDidNotStart, match="process ended") as caught:
        broker.start()
    assert "Stored node id 7 doesn't match previous node id" in caught.value.message
    assert str(broker.files.node(1).log) in caught.value.action
    assert state_of(broker) == ("stopped", "stopped")


def test_port_that_somebody_took_after_we_looked_is_named(tmp_path):
    membership = new_membership(1, random.Random(), None)
    (node,) = membership.nodes
    files = DataDir(tmp_path).node(1)
    files.root.mkdir()
    release = fetch_release(default_cache_dir(), quiet=True)
    with (
        socket.create_server(("127.0.0.1", node.port)),
        pytest.raises(BrokerDidNotStart, match="Address already in use") as caught,  # what start() tries anew after
    ):
        start_brokers({node: files}, membership, release, wait_for=frozenset({1}), timeout_s=60)
    assert len(caught.value.tail.splitlines()) < 40
    assert not files.process.exists()


def test_two_starts_at_once_without_java_on_the_path(tmp_path):
    data = ("--data-dir", str(tmp_path / "kafka"), "--json")
    empty_path = os.environ | {"PATH": str(tmp_path)}
    starts = [subprocess.Popen([*CLI, "start", *data], env=empty_path, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        said = [json.loads(start.communicate()[0]) for start in starts]
        assert [start.returncode for start in starts] == [0, 0]
        assert said[0] == said[1]
        assert said[0]["state"] == "running"
        status = subprocess.run([*CLI, "status", *data], env=empty_path, stdout=subprocess.PIPE, check=False)
        assert (status.returncode, json.loads(status.stdout)) == (0, said[0])
    finally:
        subprocess.run([*CLI, "stop", *data], check=True)
    assert not psutil.pid_exists(said[0]["brokers"][0]["pid"])
    assert subprocess.run([*CLI, "status", *data], check=False).returncode == 1


def test_ephemeral_broker_ends_when_its_owner_is_killed():
    script = (
        "from tricast.kafka import Cluster\n"
        "broker = Cluster(ephemeral=True, quiet=True)\n"
        "broker.start()\n"
        "print(broker.pid(1), broker.files.root, flush=True)\n"
        "input()\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    pid, root = owner.stdout.readline().split()
    broker = psutil.Process(int(pid))
    watchdog = next(
        child for child in psutil.Process(owner.pid).children() if "tricast.kafka.outlive" in child.cmdline()
    )
    owner.kill()
    owner.communicate()
    gone, alive = psutil.wait_procs([broker, watchdog], timeout=20)
    assert (len(gone), alive) == (2, [])
    assert not os.path.exists(root)


def test_broker_runs_on_the_processors_it_was_given(tmp_path):
    cpu = min(os.sched_getaffinity(0))
    before = os.sched_getaffinity(0)
    with Cluster(ephemeral=True, cpus=[cpu], quiet=True) as broker:
        threads = psutil.Process(broker.pid(1)).threads()
        assert {frozenset(os.sched_getaffinity(thread.id)) for thread in threads} == {frozenset({cpu})}
    assert os.sched_getaffinity(0) == before
