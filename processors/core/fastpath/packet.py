"""What a packet can be, whichever family sent it: one class each, told apart by shape alone (``classify``)."""

from typing import Any, Literal

import msgspec

from processors.core.fastpath.findings import Unreadable
from schemas.fastpath.codes import Count


class MatchPacket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A packet of a match: it goes out, and if it has a number, through the account of its feed and fixture.

    Attributes:
        fixture_id: As the packet names it, else as the path does; on the multiplexer ``feedType/eventId``.
        number: Sequence number as sent; ``None``: it has none and never touches an account.
        key: Hash of what names the packet (``identity``).
        body: Hash of what it says.
        vendor_time: Timestamp as sent.
        vendor_time_ns: The same, UTC nanoseconds; ``None`` if there is none or it is no usable time.
        delay_status: Not ``None``: collected offline, not live.
        finished: The packet says that the fixture is over.
        counts: What is worth counting of it.
        tree: The packet's JSON, for ``normalize``; fractions in it are ``msgspec.Raw``. Not to be changed.
    """

    fixture_id: str
    number: int | None
    key: bytes
    body: bytes
    vendor_time: str | None
    vendor_time_ns: int | None
    delay_status: str | None
    finished: bool
    counts: tuple[Count, ...]
    tree: dict[str, Any]

    @property
    def series(self) -> Literal["actions", "statistics"]:
        """Whose numbers it counts by; statistics have a series of their own, also on an actions URL."""
        return "actions"

    @property
    def is_named(self) -> bool:
        """Whether ``key`` says which packet it is; golf's ModeChange has no time, so two of them may be equal."""
        return self.vendor_time is not None


class ActionPacket(MatchPacket, frozen=True, kw_only=True, gc=False):
    """An action of family A: ``fixtureAction`` with its ``fixtureSummary``.

    Attributes:
        collection: ``collectionStatus`` of its metadata, a number or a name: told as it happens.
        summary_collection: ``collectionStatus`` of the summary, a name: told with every action.
    """

    collection: int | str | None = None
    summary_collection: str | None = None

    @property
    def is_named(self) -> bool:
        """Whether it has an action's id."""
        return bool(self.tree["fixtureAction"].get("actionId"))


class ElementPacket(MatchPacket, frozen=True, kw_only=True, gc=False):
    """An event element of family B; ``element_type`` is ``None`` where the feed has none."""

    element_type: str | None = None


class StatisticsPacket(MatchPacket, frozen=True, kw_only=True, gc=False):
    """An aggregate of either family, whole."""

    @property
    def series(self) -> Literal["actions", "statistics"]:
        return "statistics"


class StatusPacket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``ConnectionStateChanged``: the vendor's collector at the venue came, went, or is in doubt.

    Attributes:
        state: In the vendor's spelling if it is a known one, else as sent.
        vendor_time: Timestamp as sent.
        vendor_time_ns: The same, UTC nanoseconds.
        fixture_id: On the multiplexer ``feedType/eventId``, which it is about; else that of the path.
    """

    state: str
    vendor_time: str | None
    vendor_time_ns: int | None
    fixture_id: str


class Heartbeat(msgspec.Struct, frozen=True, gc=False):
    """The server lives; nothing else."""


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A control message: authorisation accepted, information, warning, error.

    Attributes:
        text: What it says.
        level: ``INFO``, ``WARN``, ``ERROR`` …, upper case; empty if it has none. Error objects are ``ERROR``.
        status: HTTP status of an error object.
    """

    text: str
    level: str
    status: int | None = None


Numbered = ActionPacket | ElementPacket | StatisticsPacket
Packet = Numbered | StatusPacket | Heartbeat | Message | Unreadable
