"""From a node's address to its running process: configuration, storage, Java."""

import subprocess
import time
from collections.abc import Mapping, Sequence

from tricast.kafka import process
from tricast.kafka.errors import BrokerDidNotStart, named_disk_faults
from tricast.kafka.layout import NodeFiles, tail
from tricast.kafka.membership import Membership
from tricast.kafka.probe import live_brokers
from tricast.kafka.release import Release
from tricast.kafka.settings import Node, java_options, log4j2_properties, server_properties
from tricast.kafka.storage import ensure_formatted

_POLL_S = 0.05
_TAIL_LINES = 25


def launch(
    files: NodeFiles, node: Node, membership: Membership, release: Release, cpus: Sequence[int] | None
) -> "subprocess.Popen[bytes]":
    """Start the broker ``node``; returns before it serves (``await_answer``)."""
    with named_disk_faults(files.root):
        files.logs.mkdir(parents=True, exist_ok=True)
        files.properties.write_text(server_properties(node, membership.nodes, files.storage))
        files.log4j2.write_text(log4j2_properties(files))
        ensure_formatted(files.storage, membership.cluster_id, node.broker, release.checkpoint)
        options = [*java_options(len(membership.nodes)), *release.java_options]
        return process.spawn(files, release.jars, options, cpus)


def await_serving(
    nodes: Mapping[Node, NodeFiles], cluster_id: str, *, wait_for: frozenset[int], timeout_s: float
) -> None:
    """Wait until each of ``nodes`` serves and knows all of ``wait_for`` to be up.

    Raises:
        BrokerDidNotStart: One's process ended, or the time is over; with the last lines of its logs.
    """
    deadline = time.monotonic() + timeout_s
    waiting = dict(nodes)
    while waiting:
        for node, files in nodes.items():  # all of them: one that died keeps the others from serving
            if process.find(files) is None:
                raise _did_not_start(files, node, "its process ended")
        waiting = {n: files for n, files in waiting.items() if not wait_for <= live_brokers(n.port, cluster_id)}
        if waiting and time.monotonic() > deadline:
            node, files = next(iter(waiting.items()))
            raise _did_not_start(files, node, f"no answer within {timeout_s:.0f} s")
        time.sleep(_POLL_S if waiting else 0)


def _did_not_start(files: NodeFiles, node: Node, reason: str) -> BrokerDidNotStart:
    # The runtime's own complaints (bad option, no memory) come before the first line of Kafka's log.
    console = tail(files.console, _TAIL_LINES)
    log = files.log if files.log.exists() and files.log.stat().st_size else files.console
    lines = console if log == files.console else [*console, *tail(files.log, _TAIL_LINES)]
    return BrokerDidNotStart(node.broker, reason, log, "\n".join(lines))
