"""A raw record and what it causes, as the golden files show them."""

import json
from typing import Any

from schemas.rms import pending
from tests.core.rms.approvals.raw import Partition, evidence, played

RECEIVED_S = 100.25


def shown(raw: dict[str, Any]) -> dict[str, Any]:
    """Return what the raw record causes on a socket that has joined.

    Args:
        raw: ``frame``, a packet's text; or ``look_up`` with ``status``, ``code``, ``slip`` and ``body``, its text.
    """
    partition = Partition()
    line = partition.line().open()
    partition.at(RECEIVED_S)
    if "frame" in raw:
        line.say(raw["frame"].encode())
    else:
        asked = {name: raw["look_up"][name] for name in ("status", "code", "slip")}
        partition.line(suffix="-lookups").look_up(raw["look_up"]["body"].encode(), **asked)
    before, task = played(Partition(partition.records[:-1])), played(partition)
    outputs = task.outputs[len(before.outputs) :]
    return {
        "records": [
            {"key": output.key.decode(), "ce_type": output.header("ce_type"), "value": json.loads(output.value)}
            for output in outputs
            if output.topic != "rms.pending"
        ],
        "evidence": [json.loads(pending.encode(found)) for found in evidence(outputs)],
        "dead_letters": [
            {"code": letter.code, "index": letter.index, "value": letter.value.decode()} for letter in task.dead_letters
        ],
        "counts": dict(sorted((task.counts - before.counts).items())),
    }
