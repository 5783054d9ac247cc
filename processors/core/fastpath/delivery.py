"""Was a packet live when it came, or history (fact sheet §8) or a burst of what the scorer kept while offline (§7)?"""

from typing import Final, Literal

Delivery = Literal["live", "replayed", "late_burst"]

REPLAYED_NS: Final = 10 * 1_000_000_000
"""A packet older than its connection by more than this is history: replay looks exactly like live data (§8)."""


def delivery_of(vendor_ns: int | None, delay_status: str | None, opened_ns: int) -> Delivery:
    """Return how a packet was delivered.

    Args:
        vendor_ns: Its vendor time, UTC ns; ``None`` if it is unusable: nothing tells it from a live one then.
        delay_status: The vendor's word for a packet collected offline; it wins, for it keeps its time of collection.
        opened_ns: Receipt of ``opened`` of its connection, UTC ns.
    """
    if delay_status:
        return "late_burst"
    if vendor_ns is not None and vendor_ns < opened_ns - REPLAYED_NS:
        return "replayed"
    return "live"


def latency_ms(delivery: Delivery, vendor_ns: int | None, received_ns: int) -> int | None:
    """Return milliseconds from vendor time to receipt; only of what was live, so that no replay spoils the figure.

    A vendor clock ahead of ours gives a negative number: hiding it would hide the skew.
    """
    if delivery != "live" or vendor_ns is None:
        return None
    return (received_ns - vendor_ns) // 1_000_000
