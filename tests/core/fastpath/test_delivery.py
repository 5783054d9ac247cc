"""Live, replayed, in a late burst: and of which a latency says anything."""

import pytest

from processors.core.fastpath.delivery import delivery_of, latency_ms

MS = 1_000_000
SECOND = 1000 * MS
OPENED = 1_790_000_000 * SECOND


@pytest.mark.parametrize(
    ("vendor_ns", "delay_status", "delivery"),
    [
        (OPENED, None, "live"),
        (OPENED - 10 * SECOND, None, "live"),
        (OPENED - 10 * SECOND - 1, None, "replayed"),
        (OPENED + 3600 * SECOND, None, "live"),
        (None, None, "live"),
        (OPENED, "", "live"),
        (OPENED, "DELAYED", "late_burst"),
        (OPENED - 3600 * SECOND, "RECONSTRUCTED", "late_burst"),
    ],
)
def test_delivery(vendor_ns, delay_status, delivery):
    assert delivery_of(vendor_ns, delay_status, OPENED) == delivery


@pytest.mark.parametrize(
    ("delivery", "vendor_ns", "latency"),
    [
        ("live", OPENED, 1500),
        ("live", OPENED + 2 * SECOND, -500),
        ("live", None, None),
        ("replayed", OPENED, None),
        ("late_burst", OPENED, None),
    ],
)
def test_latency_is_told_of_live_packets_with_a_time(delivery, vendor_ns, latency):
    assert latency_ms(delivery, vendor_ns, OPENED + 1500 * MS) == latency
