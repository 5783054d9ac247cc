"""Kambi's push side: Engine.IO level, compression, and whether both keys of the general pair deliver."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from connectors import engineio, handshake
from connectors.kambi import keys, protocol
from connectors.kambi.config import KambiSettings
from connectors.runner import ConnectFailed
from processors.core.kambi.channels import SIDES
from processors.core.kambi.debulk import read_child
from processors.core.kambi.findings import Unreadable
from tricast.doctor.answer import Answer, Verdict, short

OLD_ENGINE = "EIO=3"


@dataclass(slots=True)
class _Heard:
    """What came in on the general keys."""

    language: int = 0
    neutral: int = 0
    unreadable: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


async def listen_on_push(
    session: aiohttp.ClientSession, settings: KambiSettings, listen_s: float, *, expects_traffic: bool
) -> AsyncIterator[Answer]:
    """Connect, subscribe to the general pair, listen, and yield what that came to."""
    question, url = "push: Engine.IO 4", handshake.socket_url(settings.push_url)
    try:
        dialled = await handshake.dial(
            session, url, max_message_bytes=settings.max_message_bytes, timeout_s=settings.handshake_timeout_s
        )
    except ConnectFailed as error:
        old = await _speaks_old(session, url, settings.handshake_timeout_s)
        action = (
            "this server speaks Engine.IO 3 only, which tricast does not: ask Kambi for another push host"
            if old
            else f"check TRICAST_KAMBI__PUSH_URL and that this machine reaches {urlsplit(settings.push_url).hostname}"
        )
        yield Answer(question=question, verdict="failed", found=error.message, action=action)
        return
    try:
        yield Answer(question=question, verdict="ok", found=f"connected; silent for {dialled.silence_s:g} s at most")
        deflate = "permessage-deflate" if dialled.deflate else "none: bulks of 50 take 16 kB instead of 1 kB"
        yield Answer(question="push: compression", verdict="ok" if dialled.deflate else "warning", found=deflate)
        for key in keys.general_pair(settings.offering, settings.language, extended=settings.extended):
            await dialled.socket.send_str(protocol.subscribe(key))
        for answer in _judge(settings, await _listen(dialled, listen_s), listen_s, expects_traffic=expects_traffic):
            yield answer
    finally:
        await handshake.close(dialled.socket)


async def _speaks_old(session: aiohttp.ClientSession, url: str, timeout_s: float) -> bool:
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with asyncio.timeout(timeout_s), session.ws_connect(url.replace("EIO=4", OLD_ENGINE)) as socket:
            first = await socket.receive()
            return first.type is aiohttp.WSMsgType.TEXT and str(first.data).startswith(("0{", "40"))
    return False


async def _listen(dialled: handshake.Dialled, listen_s: float) -> _Heard:
    heard, end = _Heard(), time.monotonic() + listen_s
    while (left_s := end - time.monotonic()) > 0:
        try:
            async with asyncio.timeout(left_s):
                message = await dialled.socket.receive()
        except TimeoutError:
            break
        match handshake.packet_of(message):
            case engineio.Ping(reply):
                await dialled.socket.send_str(reply)
            case engineio.Message(payload):
                _note(payload, heard)
            case engineio.Close() | None:
                break
            case engineio.Control():
                pass
    return heard


def _note(payload: bytes, heard: _Heard) -> None:
    heard.refused += [sign.topic for sign in protocol.signs(payload) if isinstance(sign, protocol.Refused)]
    if not payload.startswith(b"2"):
        return
    try:
        name, argument = json.loads(payload[1:])
        children = json.loads(argument) if name == "message" else []
    except (ValueError, TypeError):
        heard.unreadable.append(repr(payload[:200]))
        return
    for child in children if isinstance(children, list) else [children]:
        found = read_child(json.dumps(child).encode())
        if isinstance(found, Unreadable):
            heard.unreadable.append(f"{found.code}: {short(child)}")
        else:
            heard.language += SIDES.get(found.mt) == "language"
            heard.neutral += SIDES.get(found.mt) == "neutral"


def _judge(settings: KambiSettings, heard: _Heard, listen_s: float, *, expects_traffic: bool) -> Iterator[Answer]:
    quiet: Verdict = "warning" if expects_traffic else "ok"
    for side, count in ((f"language {settings.language}", heard.language), ("neutral", heard.neutral)):
        question, found = f"push: {side} key", f"{count} messages in {listen_s:g} s"
        action = ""
        if not count and expects_traffic:
            action = "listen longer (--listen), or check language and offering: Kambi is silent about unknown keys"
        yield Answer(question=question, verdict="ok" if count else quiet, found=found, action=action)
    if heard.refused:
        yield Answer(
            question="push: subscriptions",
            verdict="failed",
            found=f"refused: {', '.join(heard.refused)}",
            action="other clients of this address may use up the limit",
        )
    if heard.unreadable:
        action = "send these messages to whoever maintains schemas/kambi/wire.py"
        found = f"{len(heard.unreadable)}: {heard.unreadable[0]}"
        yield Answer(question="push: messages that no model reads", verdict="failed", found=found, action=action)
