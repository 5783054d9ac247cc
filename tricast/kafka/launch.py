"""From a node's address to its running process: configuration, storage, Java."""

import subprocess
import time
from collections.abc import Mapping, Sequence

from tricast.kafka import process
from tricast.kafka.errors import BrokerDidNotStart, named_disk_faults
from tricast.kafka.layout import NodeFiles
from tricast.kafka.logs import telling_lines
from tricast.kafka.membership import Membership
from tricast.kafka.probe import live_brokers
from tricast.kafka.release import Release
from tricast.kafka.settings import Node, java_options, log4j2_properties, server_properties
from tricast.kafka.storage import ensure_formatted

_POLL_S = 0.05


def start_brokers(
    nodes: Mapping[Node, NodeFiles],
    membership: Membership,
    release: Release,
    *,
    wait_for: frozenset[int],
    timeout_s: float,
    cpus: Sequence[int] | None = None,
) -> None:
    """Start ``nodes`` and wait until each serves and knows all of ``wait_for`` to be up.

    Raises:
        BrokerDidNotStart: One's process ended, or the time is over; all of them are ended again.
    """
    children: dict[Node, subprocess.Popen[bytes]] = {}
    try:
        for node, files in nodes.items():
            children[node] = _launch(files, node, membership, release, cpus)
        _await_serving(nodes, children, membership.cluster_id, wait_for, timeout_s)
    except BaseException:
        for node, child in children.items():
            child.kill()
            child.wait()
            nodes[node].process.unlink(missing_ok=True)
        raise


def _launch(
    files: NodeFiles, node: Node, membership: Membership, release: Release, cpus: Sequence[int] | None
) -> "subprocess.Popen[bytes]":
    with named_disk_faults(files.root):
        files.logs.mkdir(parents=True, exist_ok=True)
        files.properties.write_text(server_properties(node, membership.nodes, files.storage))
        files.log4j2.write_text(log4j2_properties(files))
        ensure_formatted(files.storage, membership.cluster_id, node.broker, release.checkpoint)
        options = [*java_options(len(membership.nodes)), *release.java_options]
        return process.spawn(files, release.jars, options, cpus)


def _await_serving(
    nodes: Mapping[Node, NodeFiles],
    children: "Mapping[Node, subprocess.Popen[bytes]]",
    cluster_id: str,
    wait_for: frozenset[int],
    timeout_s: float,
) -> None:
    deadline = time.monotonic() + timeout_s
    waiting = list(nodes)
    while waiting:
        for node, child in children.items():  # all of them: one that died keeps the others from serving
            if child.poll() is not None:
                raise _did_not_start(nodes[node], node, f"its process ended with code {child.returncode}")
        waiting = [node for node in waiting if not wait_for <= live_brokers(node.port, cluster_id)]
        if waiting and time.monotonic() > deadline:
            raise _did_not_start(nodes[waiting[0]], waiting[0], f"no answer within {timeout_s:.0f} s")
        time.sleep(_POLL_S if waiting else 0)


def _did_not_start(files: NodeFiles, node: Node, reason: str) -> BrokerDidNotStart:
    # The runtime's own complaints (bad option, no memory) come before the first line of Kafka's log.
    lines = [*telling_lines(files.console), *telling_lines(files.log)]
    log = files.log if files.log.exists() and files.log.stat().st_size else files.console
    return BrokerDidNotStart(node.broker, reason, log, "\n".join(lines))
