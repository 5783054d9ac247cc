"""The golf multiplexer: all golf feeds on one socket, each packet in an envelope that names it (§4.4)."""

import msgspec

from simulators.fastpath.channel import Channel, EventPacket, StatusPacket
from simulators.fastpath.match import Json
from simulators.fastpath.paths import CATCH_UP, MULTIPLEXER
from simulators.fastpath.statuses import status_body


class Multiplexer:
    """Both forms of it: what was so far first, and live only.

    Attributes:
        channel: The one with the history.
        live: Its twin without.
    """

    def __init__(self) -> None:
        self.channel = Channel(CATCH_UP)
        self.channel.start()
        self.live = self.channel.twin(MULTIPLEXER, replay="none")

    def event(self, channel: Channel, packet: EventPacket) -> EventPacket:
        """Pass on what came into the list of a golf feed, its number inside; return it as it is here."""
        text = _envelope(channel, "eventdata", msgspec.Raw(packet.before + b"\x00" + packet.after))
        return self.channel.publish(text, packet.published_ns, number=packet.number)

    def status(self, channel: Channel, state: str, now_ns: int) -> None:
        """Pass on the state of a golf feed."""
        text = _envelope(channel, "connectionState", status_body(state, now_ns))
        self.channel.tell(StatusPacket(state=state, told_ns=now_ns, packet=text))


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
