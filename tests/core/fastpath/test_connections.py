"""State of the upstream collector: what is published, and what was in force (fact sheet §7)."""

from dataclasses import dataclass, field

import pytest

from processors.core.fastpath.connections import Status, Upstream, take_packet, take_silence, take_status

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND


@dataclass
class Collector:
    """One feed's collector, fed in seconds since the start; vendor time and receipt are equal unless said."""

    upstream: Upstream = field(default_factory=Upstream)
    published: list[tuple[str, bool]] = field(default_factory=list)

    def status(
        self,
        state: str,
        at: float,
        *,
        vendor: float | str | None = "same",
        line: str = "f",
        connection: str = "c1",
        teller_is_open: bool = True,
    ) -> bool:
        """Take a status; return whether it was refused as outdated."""
        vendor_s = at if vendor == "same" else vendor
        taken = take_status(
            self.upstream,
            Status(
                state=state,
                vendor_ns=None if vendor_s is None else ns(vendor_s),
                vendor_time=str(vendor_s),
                received_ns=ns(at),
                line=line,
                connection=connection,
            ),
            teller_is_open=teller_is_open,
        )
        self._take(taken)
        return taken.outdated

    def packet(self, at: float, *, vendor: float | None = None) -> str:
        taken = take_packet(
            self.upstream,
            vendor_ns=ns(at if vendor is None else vendor),
            vendor_time=str(at),
            received_ns=ns(at),
            line="f",
            connection="c1",
        )
        self._take(taken)
        return self.upstream.state

    def silence(self, at: float) -> None:
        self.upstream = take_silence(self.upstream, ns(at))

    def _take(self, taken):
        self.upstream = taken.upstream
        if taken.change is not None:
            self.published.append((taken.change.told.state, taken.change.implied))


def ns(seconds: float | str) -> int:
    return START + int(float(seconds) * SECOND)


@pytest.fixture
def collector() -> Collector:
    return Collector()


def test_equal_state_is_told_once(collector):
    collector.status("Disconnected", 40)
    since = collector.upstream.since_ns
    collector.status("Disconnected", 41, line="f@b", connection="c2")
    collector.status("Disconnected", 42)
    assert collector.published == [("Disconnected", False)]
    assert collector.upstream.since_ns == since


def test_standby_that_lags_brings_no_old_state_back(collector):
    collector.status("Disconnected", 40)
    collector.status("Connected", 52)
    assert collector.status("Disconnected", 53, vendor=40, line="f@b", connection="c2")
    assert not collector.status("Connected", 54, vendor=52, line="f@b", connection="c2")
    assert collector.published == [("Disconnected", False), ("Connected", False)]


def test_standby_that_is_first_counts(collector):
    collector.status("Disconnected", 40)
    assert not collector.status("Connected", 52, line="f@b", connection="c2")
    assert collector.upstream.state == "Connected"


def test_on_one_connection_order_outranks_timestamps(collector):
    collector.status("Disconnected", 40, vendor=140)
    collector.status("Connected", 52, vendor=30)
    assert collector.published == [("Disconnected", False), ("Connected", False)]


def test_reconnect_that_replays_statuses_brings_no_old_state_back(collector):
    collector.status("Disconnected", 40)
    collector.status("Connected", 52)
    assert collector.status("Disconnected", 60, vendor=40, connection="c2")
    assert collector.upstream.state == "Connected"


@pytest.mark.parametrize(("is_open", "outdated"), [(True, True), (False, False)])
def test_without_times_another_connection_counts_once_the_teller_is_gone(collector, is_open, outdated):
    collector.status("Disconnected", 40, vendor=None)
    assert (
        collector.status("Connected", 52, vendor=None, line="f@b", connection="c2", teller_is_open=is_open) is outdated
    )


def test_a_clock_ahead_blocks_nothing_later(collector):
    collector.status("Disconnected", 40, vendor=10_000)
    assert not collector.status("Connected", 52, line="f@b", connection="c2")


@pytest.mark.parametrize("state", ["Delayed", "Unstable", "PartiallyDisconnected", "MarketClosed", "Something new"])
def test_every_state_is_kept_and_no_packet_ends_it_but_disconnected(collector, state):
    collector.status(state, 40)
    assert collector.packet(50) == state
    assert collector.published == [(state, False)]


def test_packet_newer_than_disconnected_implies_connected(collector):
    collector.status("Disconnected", 40)
    assert collector.packet(50) == "Connected"
    assert collector.published == [("Disconnected", False), ("Connected", True)]
    assert collector.upstream.since_ns == ns(50)


@pytest.mark.parametrize("vendor", [39, 40])
def test_packet_not_newer_than_disconnected_implies_nothing(collector, vendor):
    collector.status("Disconnected", 45, vendor=40)
    assert collector.packet(50, vendor=vendor) == "Disconnected"
    assert collector.published == [("Disconnected", False)]


def test_disconnected_without_a_time_counts_from_its_receipt(collector):
    collector.status("Disconnected", 40, vendor=None)
    assert collector.packet(50, vendor=39) == "Disconnected"
    assert collector.packet(51, vendor=41) == "Connected"


def test_first_packet_is_an_implicit_connected_that_nobody_is_told(collector):
    assert collector.packet(1) == "Connected"
    assert collector.published == []
    collector.status("Connected", 2)
    assert collector.published == [("Connected", False)]


def test_after_silence_the_state_is_unknown_until_told(collector):
    collector.status("Disconnected", 40)
    collector.silence(60)
    assert (collector.upstream.state, collector.upstream.since_ns) == ("unknown", ns(60))
    assert not collector.status("Disconnected", 70, vendor=40, connection="c2")
    assert (collector.upstream.state, collector.upstream.since_ns) == ("Disconnected", ns(40))
    assert collector.published == [("Disconnected", False)]


def test_after_silence_whoever_repeats_the_state_tells_it_from_then_on(collector):
    collector.status("Connected", 8, connection="c1")
    collector.silence(9)
    assert not collector.status("Connected", 10, vendor=8, connection="c2")
    assert collector.published == [("Connected", False)]
    assert not collector.status("Delayed", 11, vendor=6, connection="c2")  # on one connection order decides
    assert collector.published[-1] == ("Delayed", False)


def test_after_silence_the_first_status_counts_however_old(collector):
    collector.status("Connected", 52)
    collector.silence(60)
    assert not collector.status("Disconnected", 70, vendor=40, connection="c2")
    assert collector.published == [("Connected", False), ("Disconnected", False)]


@pytest.mark.parametrize(
    ("state", "published"),
    [("Connected", []), ("Disconnected", [("Connected", True)]), ("Delayed", [("Connected", True)])],
)
def test_after_silence_data_implies_connected_told_only_if_something_else_was(collector, state, published):
    collector.status(state, 40)
    collector.silence(60)
    assert collector.packet(70) == "Connected"
    assert collector.published[1:] == published


def test_silence_twice_is_silence_since_the_first(collector):
    collector.packet(1)
    collector.silence(60)
    collector.silence(70)
    assert collector.upstream.since_ns == ns(60)
