"""What checkers ask of the simulator beside the vendor's paths: its state, standing still, other faults, cuts."""

from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any, Protocol

import msgspec
import orjson
from aiohttp import web
from pydantic import ValidationError

from simulators.fastpath.channel import Channel, EventPacket
from simulators.fastpath.config import FastpathFaultSettings, FaultSwitch
from simulators.fastpath.connections import Connections
from simulators.fastpath.ledger import Line
from simulators.fastpath.world import World


class Clock(Protocol):
    """What stands still."""

    paused: bool


class _FixtureAction(msgspec.Struct, rename="camel"):
    action_id: str | None = None
    send_type: str | None = None


class _Names(msgspec.Struct, rename="camel"):
    """What tells one packet from another, in all families; ``message`` is what the multiplexer's envelope holds."""

    fixture_action: _FixtureAction | None = None
    event_element_type: str | None = None
    timestamp: str | None = None
    event_id: str | None = None
    message: "_Names | str | None" = None


class Control:
    """``GET /simulator/state``, ``/numbers``, ``/faults``; ``POST …/pause``, ``/resume``, ``/faults``, ``/cut`` and
    ``/restart``.

    All answer JSON; ``?feed=`` takes a pattern of feed paths (``*``, ``?``).

    Args:
        world: Whose state is told.
        connections: What is cut, and asked what is still on its way.
        faults: The settings in force.
        clock: What stands still.
        note: Told what is done to a feed's list; the ledger's ``append``.
    """

    def __init__(
        self,
        world: World,
        connections: Connections,
        faults: FaultSwitch,
        clock: Clock,
        note: Callable[[Line], None],
    ) -> None:
        self._world = world
        self._connections = connections
        self._faults = faults
        self._clock = clock
        self._note = note

    def attach(self, app: web.Application) -> None:
        """Serve it in ``app``."""
        app.router.add_get("/simulator/state", self._state)
        app.router.add_get("/simulator/numbers", self._numbers)
        app.router.add_post("/simulator/pause", self._pause)
        app.router.add_post("/simulator/resume", self._resume)
        app.router.add_get("/simulator/faults", self._tell_faults)
        app.router.add_post("/simulator/faults", self._set_faults)
        app.router.add_post("/simulator/cut", self._cut)
        app.router.add_post("/simulator/restart", self._restart)

    async def _state(self, _: web.Request) -> web.Response:
        connected = Counter(client.channel.feed.path for client in self._connections.clients())
        return _json(
            {
                "paused": self._clock.paused,
                "waiting": self._connections.waiting,
                "feeds": {
                    path: _channel_state(channel, connected[path]) for path, channel in sorted(self._channels().items())
                },
            }
        )

    async def _numbers(self, request: web.Request) -> web.Response:
        """Tell every packet of the lists, in the order of each: what a reader of everything has to have.

        Fixtures are forgotten a quarter of an hour after their end, here and by the REST API.
        """
        pattern = request.query.get("feed", "*")
        chosen = (channel for path, channel in sorted(self._channels().items()) if fnmatchcase(path, pattern))
        return _json([row for channel in chosen for row in _rows(channel)])

    async def _pause(self, _: web.Request) -> web.Response:
        """Stand still; ``waiting`` in the answer is how many messages are still to be handed over: ask again."""
        self._clock.paused = True
        return _json({"paused": True, "waiting": self._connections.waiting})

    async def _resume(self, _: web.Request) -> web.Response:
        self._clock.paused = False
        return _json({"paused": False, "waiting": self._connections.waiting})

    async def _tell_faults(self, _: web.Request) -> web.Response:
        """Tell the fault settings in force on feeds that no pattern names."""
        return _json(self._faults.everywhere.model_dump())

    async def _set_faults(self, request: web.Request) -> web.Response:
        """Replace fault settings, of the feeds named or of all: what is not named is off again."""
        try:
            faults = FastpathFaultSettings.model_validate_json(await request.read())
        except ValidationError as error:
            return _json({"error": str(error), "status": 400}, status=400)
        self._faults.replace(faults, request.query.get("feed"))
        return _json(faults.model_dump())

    async def _cut(self, request: web.Request) -> web.Response:
        """End connections now: of the feeds named all, otherwise the oldest.

        ``how``: ``cut`` without closing handshake, ``half-open``, or a close code.
        """
        how = request.query.get("how", "cut")
        if how not in ("cut", "half-open") and not (how.isdecimal() and 1000 <= int(how) <= 4999):
            return _json({"error": f"unknown way to end a connection: {how}", "status": 400}, status=400)
        pattern = request.query.get("feed")
        struck = self._connections.clients()[:1] if pattern is None else self._connections.clients(pattern)
        for client in struck:
            if how == "cut":
                client.cut("cut on request")
            elif how == "half-open":
                client.half_open(self._world.now_ns)
            else:
                client.close(int(how), "closed on request")
        return _json({"ended": [client.name for client in struck]})

    async def _restart(self, request: web.Request) -> web.Response:
        """Let the numbers of the feeds named begin anew with their next packets; their lists go on."""
        pattern = request.query.get("feed", "*")
        struck = [channel for channel in self._world.channels if fnmatchcase(channel.feed.path, pattern)]
        for channel in struck:
            channel.restart()
            self._note(Line(kind="restarted", feed=channel.feed.path, at_ns=self._world.now_ns))
        return _json({"restarted": [channel.feed.path for channel in struck]})

    def _channels(self) -> dict[str, Channel]:
        """Return every channel by its path, and the media ones that somebody listens to."""
        heard = (client.channel for client in self._connections.clients())
        return {channel.feed.path: channel for channel in (*self._world.channels, *heard)}


def _channel_state(channel: Channel, connections: int) -> dict[str, Any]:
    return {
        "packets": len(channel.events),
        "last_number": channel.events[-1].number if channel.events else None,
        "connections": connections,
        "started": channel.started,
        "finished": channel.finished_ns is not None,
        "state": channel.status.state if channel.status is not None else None,
    }


_read: Callable[[bytes], _Names] = msgspec.json.Decoder(_Names).decode


def _rows(channel: Channel) -> Iterator[dict[str, Any]]:
    for packet in channel.events:
        yield {
            "feed": channel.feed.path,
            "fixture": channel.feed.fixture,
            "index": packet.index,
            "number": packet.number,
        } | _names(packet)


def _names(packet: EventPacket) -> dict[str, Any]:
    outer = _read(packet.text(packet.number))
    names = outer.message if isinstance(outer.message, _Names) else outer
    action = names.fixture_action or _FixtureAction()
    told = {
        "event": outer.event_id,
        "action_id": action.action_id,
        "send_type": action.send_type,
        "element_type": names.event_element_type,
        "timestamp": names.timestamp,
    }
    return {name: value for name, value in told.items() if value is not None}


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
