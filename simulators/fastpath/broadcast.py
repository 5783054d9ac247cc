"""One fixture on air: what its match notes reaches the feeds' lists, at once or, collected offline, in one burst."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from simulators.fastpath.channel import NUMBER, Channel, EventPacket
from simulators.fastpath.fixture import Fixture
from simulators.fastpath.match import Json, Match, Moment, Note, Role, stamp
from simulators.fastpath.timeline import timeline_sequence

Publish = Callable[[Channel, bytes, bool], EventPacket]
"""Put a packet into a channel's list; the flag says whether the upstream collector was heard by it."""

ALARM_S: Final = 25
"""Tennis tells a loss each so many seconds, from so many seconds after the last packet on (fact sheet §7)."""
_DELAYS: Final = ("DELAYED", "RECONSTRUCTED")


class Broadcast:
    """One fixture on air.

    Args:
        fixture: Which.
        match: What happens in it.
        moment: The match's time.
        channels: Its feeds.
        publish: How packets come into lists.

    Attributes:
        offline: The scorer is offline: nothing is told, the match goes on and is noted.
        silent: The upstream is silent: as ``offline``, and no heartbeats come either.
        over: The match has ended, or its collection was dropped.
        dropped: It was dropped.
    """

    def __init__(
        self, fixture: Fixture, match: Match, moment: Moment, channels: Mapping[Role, Channel], publish: Publish
    ) -> None:
        self.fixture = fixture
        self.channels = channels
        self.offline = False
        self.silent = False
        self.over = False
        self.dropped = False
        self._match = match
        self._moment = moment
        self._plot = match.play()
        self._publish = publish
        self._held: list[Note] = []
        self._heard_ns = moment.now_ns
        self._dropping = False
        self._bursts = 0

    @property
    def path(self) -> str:
        """Path of its actions feed."""
        return self.channels["actions"].feed.path

    def beat(self, now_ns: int, share: float) -> None:
        """Let the match go on by one beat."""
        if self.over or self._dropping:
            return
        self._moment.now_ns, self._moment.share = now_ns, share
        notes = next(self._plot, None)
        if notes is None:
            self.over = not (self.offline or self.silent)  # what is noted has to be told first
            return
        if self.offline or self.silent:
            self._held.extend(notes)
            return
        self._heard_ns = now_ns
        for note in notes:
            self._put(note)

    def suspend(self, now_ns: int, *, dropping: bool) -> None:
        """Let the scorer go offline; one whose collection will be dropped notes nothing more."""
        self._moment.now_ns = now_ns
        note = self._match.suspend()
        if note is not None and not self.over and not self.silent:
            self.offline, self._dropping = True, dropping
            self.fixture.set_status(self.fixture.status, 3)
            self._put(note)

    def resume(self, now_ns: int) -> None:
        """Let the scorer come back: first what it noted, then that it is back; or drop the collection."""
        if not self.offline:
            return
        self._moment.now_ns = now_ns
        self.offline = False
        self._burst()
        note = self._match.resume(dropped=self._dropping)
        if note is not None:
            self._put(note)
        self.fixture.set_status(self.fixture.status, 4 if self._dropping else 1)
        self.over = self.dropped = self._dropping

    def hush(self) -> None:
        """Let the upstream fall silent."""
        self.silent = not self.over and not self.offline

    def speak(self, now_ns: int) -> None:
        """Let the upstream speak again, with what it noted meanwhile."""
        if self.silent:
            self._moment.now_ns = now_ns
            self.silent = False
            self._heard_ns = now_ns
            self._burst()

    def alarm(self, now_ns: int) -> None:
        """Tell the loss as tennis does: a numbered packet, made by the server."""
        self._moment.now_ns = now_ns
        body: Json = {
            "seqNum": NUMBER,
            "eventElementType": "Alarm",
            "timestamp": stamp(now_ns),
            "lastReceivedTimestamp": stamp(self._heard_ns),
        }
        self._put(Note(role="actions", body=body), heard=False)

    def _burst(self) -> None:
        held, self._held = self._held, []
        self._bursts += bool(held)
        for note in held:
            if note.role == "actions":
                self._delay(note.body)
            self._put(note)

    def _delay(self, body: Json) -> None:
        status = _DELAYS[self._bursts % 2]
        if "fixtureAction" in body:
            body["fixtureAction"]["delayStatus"] = status
        elif self.fixture.sport == "tennis":
            body["delayStatus"] = status

    def _put(self, note: Note, *, heard: bool = True) -> None:
        channel = self.channels[note.role]
        if note.sort_key is not None and "timelineSequence" in note.body["fixtureAction"]:
            note.body["fixtureAction"]["timelineSequence"] = timeline_sequence(
                *note.sort_key, channel.next_number, exact=self.fixture.version == 2
            )
        if note.refers is not None:
            note.body[note.refers_as] = {"seqNum": note.refers.number}
        if "timestampReceived" in note.body:
            note.body["timestampReceived"] = stamp(self._moment.now_ns)
        note.number = self._publish(channel, msgspec.json.encode(note.body), heard).number
