"""One look at a FastPath feed: connect, listen for a while, and tell what came."""

import asyncio
import contextlib
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from connectors.fastpath import protocol
from connectors.fastpath.config import FastpathSettings
from connectors.fastpath.dial import HandshakeRefused, deflates, dial, redacted
from connectors.runner import ConnectFailed
from processors.core.fastpath.classify import classify
from processors.core.fastpath.findings import Unreadable
from processors.core.fastpath.packet import (
    ActionPacket,
    ElementPacket,
    Heartbeat,
    Message,
    Numbered,
    StatisticsPacket,
    StatusPacket,
)
from schemas.fastpath.feed import Feed
from tricast.doctor.answer import Answer, short

MOST_PACKETS: Final = 2000
"""Packets of a feed that are kept to compare; a replay may have more."""


@dataclass(slots=True)
class Heard:
    """What one connection came to.

    Attributes:
        refused: The form and words of a refusal, ``None`` when there was none.
        failed: Why there was no connection at all.
        why: What a refusal says, as the connector would take it.
        deflate: Whether permessage-deflate was negotiated.
        first_s: From sending the token to the first message, seconds.
        ack: Words that accepted the token.
        heartbeats_s: When each heartbeat came, seconds after the token.
        shapes: Field names of heartbeats.
        packets: Numbered packets in the order they came, up to :data:`MOST_PACKETS`.
        states: Connection states that were told.
        kinds: How many messages of each kind came.
        unreadable: Messages that no model reads.
        closed: Code and reason, when the server closed.
    """

    refused: str | None = None
    failed: str | None = None
    why: protocol.Why | None = None
    deflate: bool = False
    first_s: float | None = None
    ack: str | None = None
    heartbeats_s: list[float] = field(default_factory=list)
    shapes: Counter[str] = field(default_factory=Counter)
    packets: list[Numbered] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    closed: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether something came that only those get whose token was accepted."""
        return self.refused is None and bool(self.packets or self.heartbeats_s or self.ack)


async def listen(
    settings: FastpathSettings,
    feed: Feed,
    *,
    position: int | None,
    for_s: float,
    until: Callable[[Heard], bool] = lambda _: False,
) -> Heard:
    """Connect to ``feed`` from ``position`` on and listen, until enough was heard or ``for_s`` seconds are over."""
    heard = Heard()
    try:
        socket = await dial(settings, protocol.url_of(settings.stream_url, feed.path, position))
    except HandshakeRefused as error:
        heard.why = protocol.refused_status(error.status, error.message)
        heard.refused = f"HTTP status: {error.message}"
        return heard
    except ConnectFailed as error:
        heard.failed = error.message
        return heard
    try:
        heard.deflate = deflates(socket)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                await _hear(settings, socket, feed, heard, until=until)
    finally:
        await _leave(socket)
    return heard


async def _leave(socket: ClientConnection) -> None:
    """Close, and read on meanwhile: in front of the server's answer may stand more than is read ahead."""
    closing = asyncio.create_task(socket.close())
    with contextlib.suppress(ConnectionClosed):
        while True:
            await socket.recv(decode=False)
    await closing


async def _hear(
    settings: FastpathSettings, socket: ClientConnection, feed: Feed, heard: Heard, *, until: Callable[[Heard], bool]
) -> None:
    began_s = time.monotonic()
    while not until(heard):
        try:
            payload = await socket.recv(decode=False)
        except ConnectionClosed as closed:
            _closed(settings, heard, closed)
            return
        after_s = time.monotonic() - began_s
        heard.first_s = after_s if heard.first_s is None else heard.first_s
        _note(settings, heard, feed, payload, after_s=after_s)


def _note(settings: FastpathSettings, heard: Heard, feed: Feed, payload: bytes, *, after_s: float) -> None:
    packet = classify(payload, feed)
    heard.kinds[type(packet).__name__] += 1
    said = protocol.read(payload)
    if isinstance(said, protocol.Refusal) and not heard.packets:
        heard.why, heard.refused = said.why, f"JSON message: {redacted(settings, said.text)}"
    match packet:
        case Unreadable(code=code, detail=detail):
            text = redacted(settings, payload.decode(errors="replace"))
            heard.unreadable.append(f"{code}: {detail}: {short(text)}")
        case Heartbeat():
            heard.heartbeats_s.append(after_s)
            with contextlib.suppress(ValueError, RecursionError):
                heard.shapes[", ".join(sorted(json.loads(payload)))] += 1
        case Message(text=text) if heard.ack is None and heard.refused is None:
            heard.ack = redacted(settings, text)
        case ActionPacket() | ElementPacket() | StatisticsPacket() if len(heard.packets) < MOST_PACKETS:
            heard.packets.append(packet)
        case StatusPacket(state=state):
            heard.states.append(state)


def _closed(settings: FastpathSettings, heard: Heard, closed: ConnectionClosed) -> None:
    if closed.rcvd is None:
        heard.closed = "connection lost"
        return
    code, reason = int(closed.rcvd.code), redacted(settings, closed.rcvd.reason)
    heard.closed = f"{code} {reason}".rstrip()
    why = protocol.refused_close(code, reason, heard=bool(heard.packets or heard.heartbeats_s))
    if why is not None and heard.refused is None:
        heard.why, heard.refused = why, f"close code: {heard.closed}"


# -- what that means ---------------------------------------------------------------------------------------------------


def judge(feed: Feed, heard: Heard, for_s: float) -> Iterator[Answer]:
    """Yield the answers that one connection gives."""
    yield _admission(feed, heard)
    if heard.failed is not None or (heard.refused is not None and not heard.kinds):
        return
    deflate = "permessage-deflate" if heard.deflate else "none"
    yield Answer(question=f"{feed.path}: compression", verdict="ok" if heard.deflate else "warning", found=deflate)
    yield _heartbeats(feed, heard, for_s)
    if heard.unreadable:
        action = "send these messages to whoever maintains processors/core/fastpath/classify.py"
        found = f"{len(heard.unreadable)}, the first: {heard.unreadable[0]}"
        yield Answer(
            question=f"{feed.path}: messages that no model reads", verdict="failed", found=found, action=action
        )
    read = sum(heard.kinds.values()) - len(heard.unreadable)
    kinds = ", ".join(f"{number} {name}" for name, number in heard.kinds.most_common())
    states = f"; states: {', '.join(dict.fromkeys(heard.states))}" if heard.states else ""
    yield Answer(
        question=f"{feed.path}: messages",
        verdict="ok" if heard.packets else "warning",
        found=f"{read} read in {for_s:g} s at most: {kinds or 'nothing'}{states}",
        action="" if heard.packets else "the fixture may not have begun: choose another one, or listen longer",
    )


def _admission(feed: Feed, heard: Heard) -> Answer:
    question = f"{feed.path}: token"
    if heard.failed is not None:
        action = "check TRICAST_FASTPATH__STREAM_URL and that this machine reaches it; the vendor may list addresses"
        return Answer(question=question, verdict="failed", found=heard.failed, action=action)
    if heard.refused is not None:
        if heard.why == "unauthorised":
            action = "check TRICAST_FASTPATH__TOKEN, the licence for this feed, and whether our addresses are listed"
            return Answer(question=question, verdict="failed", found=f"refused by {heard.refused}", action=action)
        action = "choose another fixture, or ask again when it has begun"
        return Answer(question=question, verdict="warning", found=f"{heard.why}, by {heard.refused}", action=action)
    if not heard.accepted:
        found = f"nothing came; closed: {heard.closed}" if heard.closed else "nothing came"
        action = "a server that accepts and never speaks, or closes without a word: listen longer, or ask the vendor"
        return Answer(question=question, verdict="failed", found=found, action=action)
    ack = f"acknowledged by {heard.ack!r}" if heard.ack else "accepted without a word"
    return Answer(
        question=question, verdict="ok", found=f"{ack}; first message after {(heard.first_s or 0) * 1000:.0f} ms"
    )


def _heartbeats(feed: Feed, heard: Heard, for_s: float) -> Answer:
    question = f"{feed.path}: heartbeats"
    times = heard.heartbeats_s
    if not times:
        action = f"listen for more than {2 * feed.heartbeat_s} s (--listen); without heartbeats set a longer interval"
        return Answer(question=question, verdict="warning", found=f"none in {for_s:g} s", action=action)
    shapes = "; ".join("{" + shape + "}" for shape in heard.shapes)
    apart = [later - earlier for earlier, later in itertools.pairwise(times)]
    if not apart:
        return Answer(question=question, verdict="ok", found=f"one, of the shape {shapes}")
    longest = max(apart)
    late = longest > 1.5 * feed.heartbeat_s
    return Answer(
        question=question,
        verdict="warning" if late else "ok",
        found=f"{len(times)}, {longest:.1f} s apart at most (documented: {feed.heartbeat_s} s), of the shape {shapes}",
        action="set TRICAST_FASTPATH__HEARTBEAT_S, or live connections are taken for dead" if late else "",
    )
