"""Dials the approval socket: both headers sent, refusals told apart."""

from collections.abc import Callable

import aiohttp

from connectors import handshake
from connectors.handshake import ClosedEarly, ConnectRefused, Dialled, UpgradeRefused
from connectors.rms import protocol
from connectors.rms.config import RmsSettings
from connectors.rms.ports import Bearer
from connectors.runner import ConnectFailed


class SocketRefused(ConnectFailed):
    """The vendor answered, and gives no connection.

    Args:
        refusal: What it said.
        message: What happened.
        retry_after: Header of that name; empty when there is none.
    """

    code = "socket-refused"

    def __init__(self, refusal: protocol.Refusal, message: str, *, retry_after: str = "") -> None:
        super().__init__(message)
        self.refusal = refusal
        self.retry_after = retry_after


def url_of(settings: RmsSettings) -> str:
    """Return the address of the socket, without query."""
    return settings.socket_url + settings.socket_path.rstrip("/")


async def dial(
    settings: RmsSettings, session: aiohttp.ClientSession, bearer: Bearer, *, shown: Callable[[str], str]
) -> Dialled:
    """Return an accepted connection; the caller closes its socket.

    Args:
        settings: Where, and who we are.
        session: HTTP client session.
        bearer: What is sent.
        shown: Takes secrets out of what errors say.

    Raises:
        SocketRefused: The vendor refused it.
        ConnectFailed: No server, or no handshake in time.
    """
    try:
        return await handshake.dial(
            session,
            handshake.socket_url(url_of(settings)),
            max_message_bytes=settings.max_message_bytes,
            timeout_s=settings.handshake_timeout_s,
            headers={"Authorization": f"Bearer {bearer.text}", "customerid": settings.customer_id},
            shown=shown,
        )
    except UpgradeRefused as error:
        refusal = protocol.refused_upgrade(error.status, error.message)
        raise SocketRefused(refusal, error.message, retry_after=error.retry_after) from error
    except ConnectRefused as error:
        raise SocketRefused(protocol.refused_connect(error.packet), error.message) from error
    except ClosedEarly as error:
        early = protocol.refused_close(error.close_code, error.reason)
        if early is None:
            raise
        raise SocketRefused(early, error.message) from error


def no_redirects() -> aiohttp.TraceConfig:
    """Return what makes a session follow none: our token would go to whomever one names, and none has a budget."""

    async def refuse(_: object, __: object, answer: aiohttp.TraceRequestRedirectParams) -> None:
        raise UpgradeRefused(answer.response.status, f"HTTP {answer.response.status}: a redirect", retry_after="")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace
