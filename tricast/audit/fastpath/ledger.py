"""The ledger of FastPath's simulator (``simulators/fastpath/ledger.py`` says what its fields mean)."""

import base64
import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from tricast.audit.ledger import Sent
from tricast.audit.records import Raw


class FastpathLedger:
    """A connection is known by its two ends: the ledger's ``peer`` is the ``local`` of the connector's ``opened``."""

    def __init__(self) -> None:
        self._connects: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)

    def sent(self, line: Mapping[str, Any]) -> Sent | None:
        """Return what was sent, and note who connected when."""
        if line["kind"] == "connect":
            self._connects[line["peer"]].append((line["at_ns"], line["connection"]))
        if line["kind"] != "frame":
            return None
        packet = base64.b64decode(line["base64"]) if "base64" in line else line["packet"].encode()
        return line["connection"], line["n"], packet, line["at_ns"]

    def connection_of(self, raw: Raw) -> str | None:
        """Return the connection that the ``opened`` record began: of those from its port, the one nearest in time."""
        if raw.kind != "opened":
            return None
        try:
            local = json.loads(raw.value).get("local")
        except (ValueError, AttributeError):
            return None
        candidates = self._connects.get(local, ()) if isinstance(local, str) else ()
        return min(candidates, key=lambda connect: abs(connect[0] - raw.received_ns))[1] if candidates else None
