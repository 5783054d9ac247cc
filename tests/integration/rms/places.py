"""What a connector writes to ``rms.raw``, in simulated time: a socket's place, and the answers of look-ups."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from schemas.raw import Kind, RawHeaders
from tests.integration.rms.hops import Logs

_PING_NS = 25_000_000_000


class _Line:
    """A line and the number of its frames."""

    def __init__(self, logs: Logs, customer: str, line: str) -> None:
        self._logs, self.customer, self.line = logs, customer, line
        self._connects = 0
        self._connection: str | None = None
        self._frame = 0

    def _begin(self, at_ns: int) -> None:
        previous, frame = self._connection, self._frame
        self._connects += 1
        self._connection, self._frame = str(uuid5(NAMESPACE_URL, f"{self.line}/{self._connects}")), 0
        facts = {"customer": self.customer, "url": "wss://simulated"}
        self._write(
            "opened", facts | {"previous_connection": previous, "previous_frame": frame if previous else None}, at_ns
        )

    def _write(
        self,
        kind: Kind,
        value: bytes | Mapping[str, Any],
        at_ns: int,
        *,
        position: str | None = None,
        requested_ns: int | None = None,
        status: int | None = None,
    ) -> None:
        assert self._connection is not None
        self._frame += kind in ("frame", "snapshot")
        headers = RawHeaders(
            feed="rms",
            line=self.line,
            connection=self._connection,
            frame=self._frame,
            received_ns=at_ns,
            kind=kind,
            position=position,
            requested_ns=requested_ns,
            status=status,
        ).to_kafka()
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self._logs.append("rms.raw", self.customer.encode(), content, headers, at_ns // 1_000_000)


class Place(_Line):
    """One socket's place; joined as soon as it is open."""

    def __init__(self, logs: Logs, customer: str, replica: str = "") -> None:
        super().__init__(logs, customer, f"rms-{customer}" + (f"@{replica}" if replica else ""))
        self._heard_ns: int | None = None

    @property
    def is_open(self) -> bool:
        return self._heard_ns is not None

    def open(self, at_ns: int) -> None:
        """Connect and join."""
        self._begin(at_ns)
        self._heard_ns = at_ns
        self._write("frame", b'0{"sid":"%d"}' % self._connects, at_ns)
        self._write("frame", b'30[{"status":"ok"}]', at_ns)

    def hear(self, packet: str, at_ns: int) -> None:
        """Record an event."""
        self._heard_ns = at_ns
        self._write("frame", packet.encode(), at_ns)

    def tick(self, at_ns: int) -> None:
        """Say how the place stands; says nothing before its first connection."""
        if self._connection is None:
            return
        if self._heard_ns is not None and at_ns - self._heard_ns >= _PING_NS:
            self._heard_ns = at_ns
        facts = {"open": self.is_open, "joined": self.is_open, "heard_ns": self._heard_ns}
        budget = {"connects_left": 9, "requests_left": 90, "lookups_waiting": 0}
        self._write("tick", facts | {"token_age_s": 60, "refresh_age_s": 600} | budget, at_ns)

    def close(self, at_ns: int) -> None:
        """Lose the connection and know it."""
        facts = {"code": 1006, "reason": "cut", "frames": self._frame, "heard_ns": self._heard_ns}
        self._write("closed", facts, at_ns)
        self._heard_ns = None

    def die(self) -> None:
        """Lose the connection with the process that held it: nobody says so."""
        self._heard_ns = None


class Asker(_Line):
    """Answers of bet/detail."""

    def __init__(self, logs: Logs, customer: str) -> None:
        super().__init__(logs, customer, f"rms-{customer}-lookups")

    def start(self, at_ns: int) -> None:
        """A process begins."""
        self._begin(at_ns)

    def answer(self, slip: str, code: str, status: int, body: bytes, *, requested_ns: int, at_ns: int) -> None:
        """Record an answer."""
        position = f"bet/detail?{urlencode({'code': code, 'slip': slip})}"
        self._write("snapshot", body, at_ns, position=position, requested_ns=requested_ns, status=status)
