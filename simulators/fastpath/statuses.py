"""``ConnectionStateChanged`` as sent: exactly three fields, their order varying (fact sheet §7, §15)."""

from typing import Final

import msgspec

from simulators.fastpath.match import Json, stamp

_ORDERS: Final = (("eventElementType", "state", "timestamp"), ("state", "timestamp", "eventElementType"))


def status_body(state: str, now_ns: int) -> Json:
    """Return the packet's body."""
    fields = {"eventElementType": "ConnectionStateChanged", "state": state, "timestamp": stamp(now_ns)}
    return {name: fields[name] for name in _ORDERS[now_ns // 1_000_000 % len(_ORDERS)]}


def status_text(state: str, now_ns: int) -> bytes:
    """Return the packet as sent."""
    return msgspec.json.encode(status_body(state, now_ns))
