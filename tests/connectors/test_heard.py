"""How far all that a server sent has been read and recorded: never past a time at which nobody read. No waiting."""

import asyncio
from typing import Any

import aiohttp
import pytest

from connectors.conversation import Conversation
from connectors.handshake import Dialled
from connectors.heard import Heard
from tests.connectors.stepped_clock import SteppedClock

SECOND = 1_000_000_000
START = SteppedClock().now_ns()
PING, APPROVAL = b"2", b'42["RESERVE_BET_ACCEPT",{}]'


class Wire:
    """A socket whose messages the test hands over; what it is not read from waits, in order."""

    def __init__(self):
        self._messages = asyncio.Queue()

    def arrive(self, *texts):
        for text in texts:
            self._messages.put_nowait(aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, text, None))

    def cut(self):
        self._messages.put_nowait(aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None))

    async def receive(self):
        return await self._messages.get()

    async def send_str(self, text):
        pass

    async def close(self):
        pass


class Talk:
    """A conversation at work; ``room`` is what its recorder waits for."""

    def __init__(self):
        self.clock, self.wire, self.recorded = SteppedClock(), Wire(), []
        self.after_s = []
        self.room = asyncio.Event()
        self.room.set()
        wire: Any = self.wire
        self._talk = Conversation(Dialled(wire, b'0{"sid":"s"}', 60.0), received=self._record, clock=self.clock)
        self._running = asyncio.create_task(self._talk.run())

    async def _record(self, payload):
        self.after_s.append((self._talk.after_ns - START) / SECOND)
        await self.room.wait()
        self.recorded.append(payload)

    async def pass_by(self, seconds):
        """Let time pass, with a tick each second, as its line does."""
        for _ in range(seconds):
            self.clock.advance(1)
            self._talk.look()
            self._talk.tick(1.0)
            await self.read()

    async def stand_still(self, seconds, *arrived, is_cut=False, ticks_first=False):
        """Stop the whole process; meanwhile that arrives, and on waking nobody knows who goes first."""
        self.clock.advance(seconds)
        self.wire.arrive(*arrived)
        if is_cut:
            self.wire.cut()
        if ticks_first:
            self._talk.look()
            self._talk.tick(1.0)
        await self.read()

    async def read(self):
        for _ in range(20):
            await asyncio.sleep(0)

    async def end(self):
        self.wire.cut()
        async with asyncio.timeout(5):
            return await self._running

    @property
    def heard_s(self):
        return (self._talk.heard_ns - START) / SECOND


async def test_what_comes_while_it_listens_proves_nearly_all_before_it():
    talk = Talk()
    await talk.pass_by(10)
    talk.wire.arrive(PING)
    await talk.read()
    assert 8 <= talk.heard_s <= 10
    await talk.end()


async def test_silence_proves_nothing():
    talk = Talk()
    await talk.pass_by(30)
    assert talk.heard_s == 0
    await talk.end()


@pytest.mark.parametrize("ticks_first", [False, True], ids=["read-first", "tick-first"])
@pytest.mark.parametrize("arrived", [(PING,), (APPROVAL, APPROVAL), (APPROVAL, PING, PING)])
async def test_what_is_read_on_waking_from_a_stall_proves_nothing_of_it(arrived, ticks_first):
    """The vendor sent more after it, and the connection was cut before that came."""
    talk = Talk()
    await talk.pass_by(10)
    talk.wire.arrive(PING)
    await talk.pass_by(2)
    await talk.stand_still(14, *arrived, is_cut=True, ticks_first=ticks_first)
    assert len(talk.recorded) - 1 == arrived.count(APPROVAL)
    assert talk.heard_s <= 12
    await talk.end()


async def test_ticks_after_waking_prove_nothing_of_a_stall_either():
    talk = Talk()
    await talk.pass_by(10)
    await talk.stand_still(14, PING, ticks_first=True)
    await talk.pass_by(20)
    assert talk.heard_s <= 10
    await talk.end()


async def test_one_message_sent_after_waking_proves_the_whole_stall():
    talk = Talk()
    await talk.pass_by(10)
    await talk.stand_still(14, PING)
    await talk.pass_by(3)
    talk.wire.arrive(PING)
    await talk.read()
    assert 24 <= talk.heard_s <= 27
    await talk.end()


async def test_what_came_while_the_recorder_had_no_room_proves_nothing_of_that_time():
    """The socket is not read meanwhile: its messages are as old as those of a stall."""
    talk = Talk()
    await talk.pass_by(10)
    talk.room.clear()
    talk.wire.arrive(APPROVAL, PING, PING)
    await talk.pass_by(20)
    assert talk.heard_s == 0, "what is not on record yet proves nothing"
    talk.room.set()
    await talk.read()
    assert 8 <= talk.heard_s <= 10
    await talk.pass_by(3)
    talk.wire.arrive(PING)
    await talk.read()
    assert 31 <= talk.heard_s <= 33
    await talk.end()


@pytest.mark.parametrize("ticks_first", [False, True], ids=["read-first", "tick-first"])
async def test_what_is_read_on_waking_may_have_been_sent_before_the_stall(ticks_first):
    talk = Talk()
    await talk.pass_by(10)
    talk.wire.arrive(APPROVAL)
    await talk.pass_by(2)
    await talk.stand_still(14, APPROVAL, APPROVAL, ticks_first=ticks_first)
    await talk.pass_by(3)
    talk.wire.arrive(APPROVAL)
    await talk.read()
    before, *of_stall, after = talk.after_s[1:]
    assert 8 <= before <= 10
    assert len(of_stall) == 2
    assert all(10 <= one <= 12 for one in of_stall)
    assert 26 <= after <= 29
    await talk.end()


def test_a_clock_that_is_put_back_vouches_for_nothing_ahead_of_it():
    """Else each tick would prove its own time until the clock is where it was, whatever has come."""
    heard = Heard(1_000)
    heard.wait()
    for now_ns in (1_010, 1_020, 1_030):
        heard.look(now_ns)
    heard.read()
    heard.recorded()
    heard.wait()
    assert heard.heard_ns == 1_020
    heard.look(500)
    assert heard.heard_ns == 500
    heard.look(510)
    assert heard.heard_ns == 500
    heard.read()
    heard.recorded()
    assert heard.heard_ns == 500


async def test_who_is_always_behind_proves_no_more_than_when_he_was_not():
    """Each message waits half a second for room, and the next is there already."""
    talk = Talk()
    await talk.pass_by(10)
    talk.wire.arrive(*[APPROVAL] * 40)
    for _ in range(30):
        talk.room.clear()
        await talk.read()
        await talk.pass_by(1)
        talk.room.set()
        await asyncio.sleep(0)
    assert talk.heard_s <= 10
    await talk.end()
