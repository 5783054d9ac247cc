"""What an HTTP answer names: enough to tell whether a record that came from it could have."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tricast.audit.records import Output


@dataclass(slots=True)
class Ids:
    """Every id that an answer names, and the event of each bet offer in it."""

    named: set[str] = field(default_factory=set)
    event_of: dict[str, str] = field(default_factory=dict)


def ids(body: bytes) -> Ids:
    """Return what ``body`` names; nothing when it is no JSON."""
    found = Ids()
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return found
    for node in _objects(answer):
        own, event = _id(node.get("id")), _id(node.get("eventId"))
        found.named |= {identifier for identifier in (own, event, _id(node.get("betOfferId"))) if identifier}
        if own and event and "outcomes" in node:
            found.event_of[own] = event
    return found


def unsaid(output: Output, said: Ids) -> str | None:
    """Return what a record states although the answer does not name it; removals state what is not there."""
    if ".removed." in output.kind:
        return None
    for outcome in output.outcomes:
        if outcome not in said.named:
            return f"outcome {outcome}"
    return f"bet offer {output.offer}" if output.offer and output.offer not in said.named else None


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _id(value: Any) -> str:
    if isinstance(value, str) and value.isdecimal():
        return str(int(value))
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
