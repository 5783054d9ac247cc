"""The ledger of Kambi's simulator (``simulators/kambi/ledger.py`` says what its fields mean)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tricast.audit.ledger import Sent
from tricast.audit.records import Raw

_CONNECT = re.compile(rb"0(?:/[^,]*,)?(\{.*\})", re.DOTALL)


class KambiLedger:
    """A connection's first packet names its ``sid``, and so does the ledger."""

    def sent(self, line: Mapping[str, Any]) -> Sent | None:
        """Return what was sent."""
        return (line["sid"], line["n"], line["packet"].encode(), line["sent_ns"]) if line["kind"] == "frame" else None

    def connection_of(self, raw: Raw) -> str | None:
        """Return the ``sid`` of a connect packet."""
        match = _CONNECT.fullmatch(raw.value) if raw.kind == "frame" else None
        try:
            sid = json.loads(match[1]).get("sid") if match else None
        except ValueError:
            return None
        return sid if isinstance(sid, str) else None
