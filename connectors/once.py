"""HTTP sessions that make each request once: what a budget granted, and what the vendor counts.

By itself aiohttp sends a GET, a WebSocket handshake too, a second time when the server cut the first one's connection,
new or kept alive (``ClientSession._request``); no budget would know of it.
"""

import aiohttp


async def once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send ``request``, one hop of it, once; a middleware of the session.

    Raises:
        ClientConnectionError: The connection was cut; of a kind that aiohttp does not take for a reason to send again.
    """
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise  # there was no connection: nothing was sent, and aiohttp leaves it at that
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error) or type(error).__name__) from error
