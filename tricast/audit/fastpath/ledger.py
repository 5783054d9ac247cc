"""The ledger of FastPath's simulator (``simulators/fastpath/ledger.py`` says what its fields mean)."""

import base64
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.errors import ConfigurationError
from tricast.audit.records import Raw


class FastpathLedger:
    """A connection is known by its two ends: the ledger's ``peer`` is the ``local`` of the connector's ``opened``."""

    def __init__(self) -> None:
        self._connects: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)

    def frames(self, path: Path) -> Iterator[tuple[str, int, bytes, int]]:
        """Yield what was sent, and note on the way who connected when."""
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                if not text.endswith(b"\n"):
                    return
                try:
                    line: dict[str, Any] = json.loads(text)
                    if line["kind"] == "connect":
                        self._connects[line["peer"]].append((line["at_ns"], line["connection"]))
                    elif line["kind"] == "frame":
                        packet = base64.b64decode(line["base64"]) if "base64" in line else line["packet"].encode()
                        yield line["connection"], line["n"], packet, line["at_ns"]
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise ConfigurationError(f"{path}, line {number} is no line of a ledger: {error!r}") from error

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
