"""What checkers ask of the simulator beside the vendor's paths: its state, standing still, other faults, cuts."""

import orjson
from aiohttp import web
from pydantic import ValidationError

from simulators.kambi.config import FaultSwitch, KambiFaultSettings
from simulators.kambi.connections import Connections
from simulators.kambi.offering import Offering
from simulators.kambi.publisher import Publisher


class Control:
    """``GET /simulator/state``, ``/faults``; ``POST /simulator/pause``, ``/resume``, ``/faults``, ``/cut``.

    All answer JSON.

    Args:
        offering: Whose state is told.
        publisher: What stands still.
        connections: What is cut, and asked what is still on its way.
        faults: The settings in force.
    """

    def __init__(self, offering: Offering, publisher: Publisher, connections: Connections, faults: FaultSwitch) -> None:
        self._offering = offering
        self._publisher = publisher
        self._connections = connections
        self._faults = faults

    def attach(self, app: web.Application) -> None:
        """Serve it in ``app``."""
        app.router.add_get("/simulator/state", self._state)
        app.router.add_post("/simulator/pause", self._pause)
        app.router.add_post("/simulator/resume", self._resume)
        app.router.add_get("/simulator/faults", self._tell_faults)
        app.router.add_post("/simulator/faults", self._set_faults)
        app.router.add_post("/simulator/cut", self._cut)

    async def _state(self, _: web.Request) -> web.Response:
        return _json(self._offering.state())

    async def _pause(self, _: web.Request) -> web.Response:
        """Stand still; ``waiting`` in the answer is how many delayed frames are still to arrive: ask again."""
        self._publisher.paused = True
        await self._publisher.flush()
        return _json({"paused": True, "waiting": self._connections.waiting})

    async def _resume(self, _: web.Request) -> web.Response:
        self._publisher.paused = False
        return _json({"paused": False, "waiting": self._connections.waiting})

    async def _tell_faults(self, _: web.Request) -> web.Response:
        """Tell the fault settings in force."""
        return _json(self._faults.current.model_dump())

    async def _set_faults(self, request: web.Request) -> web.Response:
        """Replace all fault settings: what is not named is off again."""
        try:
            self._faults.current = KambiFaultSettings.model_validate_json(await request.read())
        except ValidationError as error:
            return _json({"error": {"status": 400, "message": str(error)}}, status=400)
        return _json(self._faults.current.model_dump())

    async def _cut(self, _: web.Request) -> web.Response:
        """Cut every connection without a closing handshake."""
        ended = 0
        while self._connections.cut_oldest("cut on request"):
            ended += 1
        return _json({"ended": ended})


def _json(body: object, status: int = 200) -> web.Response:
    text = orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    return web.Response(status=status, body=text, content_type="application/json")
