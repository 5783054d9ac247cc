"""The golf multiplexer: all golf feeds on one socket, each packet in an envelope that names it (§4.4)."""

from collections.abc import Collection

import msgspec

from simulators.fastpath.channel import Channel, EventPacket, StatusPacket
from simulators.fastpath.match import Json
from simulators.fastpath.paths import CATCH_UP, MULTIPLEXER
from simulators.fastpath.statuses import status_body


class Multiplexer:
    """Both forms of it: live only, and what was so far first.

    Attributes:
        channels: By path.
    """

    def __init__(self) -> None:
        catch_up = Channel(CATCH_UP)
        live = Channel(MULTIPLEXER, replay="none")
        self.channels = {channel.feed.path: channel for channel in (live, catch_up)}
        for channel in self.channels.values():
            channel.start()

    def event(self, channel: Channel, packet: EventPacket) -> Collection[Channel]:
        """Pass on what came into the list of a golf feed, its number inside; return who has got it."""
        for own in self.channels.values():
            text = _envelope(channel, "eventdata", msgspec.Raw(packet.before + b"\x00" + packet.after))
            own.publish(text, packet.published_ns, number=packet.number)
        return self.channels.values()

    def status(self, channel: Channel, state: str, now_ns: int) -> None:
        """Pass on the state of a golf feed."""
        text = _envelope(channel, "connectionState", status_body(state, now_ns))
        for own in self.channels.values():
            own.tell(StatusPacket(state=state, told_ns=now_ns, packet=text))


def _envelope(channel: Channel, data_type: str, message: Json | msgspec.Raw) -> bytes:
    feed = channel.feed
    round_details = feed.kind == "actions"
    return msgspec.json.encode(
        {
            "sport": "golf",
            "eventId": feed.fixture if round_details else feed.fixture.partition("/")[0],
            "feedType": "rounddetails" if round_details else "leaderboard",
            "dataType": data_type,
            "message": message,
        }
    )
