"""The ledger of Kambi's simulator (``simulators/kambi/ledger.py`` says what its fields mean)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.errors import ConfigurationError
from tricast.audit.records import Raw

_CONNECT = re.compile(rb"0(?:/[^,]*,)?(\{.*\})", re.DOTALL)


class KambiLedger:
    """A connection's first packet names its ``sid``, and so does the ledger."""

    def frames(self, path: Path) -> Iterator[tuple[str, int, bytes, int]]:
        """Yield what was sent."""
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                if not text.endswith(b"\n"):
                    return
                try:
                    line: dict[str, Any] = json.loads(text)
                    if line["kind"] == "frame":
                        yield line["sid"], line["n"], line["packet"].encode(), line["sent_ns"]
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise ConfigurationError(f"{path}, line {number} is no line of a ledger: {error!r}") from error

    def connection_of(self, raw: Raw) -> str | None:
        """Return the ``sid`` of a connect packet."""
        match = _CONNECT.fullmatch(raw.value) if raw.kind == "frame" else None
        try:
            sid = json.loads(match[1]).get("sid") if match else None
        except ValueError:
            return None
        return sid if isinstance(sid, str) else None
