"""Does LSports let us in? One exchange for a token and one handshake, out of the vendor's limits for this address."""

from collections.abc import AsyncIterator
from typing import Final

import aiohttp

from connectors.clock import SystemClock
from connectors.rms.auth import Authentication
from connectors.rms.config import RmsSettings
from connectors.rms.dial import SocketRefused, dial, no_redirects
from connectors.rms.grants import Denied, Failed, Grant, Limited
from connectors.rms.ports import Bearer
from connectors.rms.secret import Secret
from connectors.runner import ConnectFailed
from connectors.trust import trusted
from tricast.doctor.answer import Answer

TIMEOUT_S: Final = 15.0
_TOKEN: Final = "authentication: access token"  # noqa: S105 - a question
_SOCKET: Final = "socket: handshake"


async def examine(settings: RmsSettings) -> AsyncIterator[Answer]:
    """Yield the answers one by one. Nothing is joined, so nothing is taken from a connector that runs."""
    secret = Secret(settings.secret.get_secret_value(), settings.secret_file)
    secret.look()
    if not (settings.customer_id and settings.client_id and secret.text):
        action = "set TRICAST_RMS__CUSTOMER_ID, TRICAST_RMS__CLIENT_ID and TRICAST_RMS__SECRET_FILE"
        yield Answer(question=_TOKEN, verdict="failed", found="customer, client or secret is not set", action=action)
        return

    def redacted(text: str) -> str:
        return text.replace(secret.text, "…")

    connector = aiohttp.TCPConnector(ssl=trusted(settings.ca_file))
    async with aiohttp.ClientSession(connector=connector, trace_configs=[no_redirects()]) as session:
        authentication = Authentication(
            session, base_url=settings.auth_url, timeout_s=TIMEOUT_S, redacted=redacted, clock=SystemClock()
        )
        answer = await authentication.exchange(settings.client_id, secret.text)
        match answer:
            case Grant(access=access, life_s=life_s):
                yield Answer(question=_TOKEN, verdict="ok", found=f"granted for {life_s / 60:.0f} min")
            case Denied(status=status):
                action = "check client id and secret in ARENA360; an API token that was revoked is denied, too"
                yield Answer(question=_TOKEN, verdict="failed", found=f"denied with HTTP {status}", action=action)
                return
            case Limited(retry_after_s=wish_s):
                action = f"wait {wish_s:.0f} s; several processes behind one address share its limit"
                yield Answer(question=_TOKEN, verdict="warning", found="too many requests", action=action)
                return
            case Failed(reason=reason):
                action = "check TRICAST_RMS__AUTH_URL and that this machine reaches it"
                yield Answer(question=_TOKEN, verdict="failed", found=reason, action=action)
                return
        yield await _handshake(settings, session, access)


async def _handshake(settings: RmsSettings, session: aiohttp.ClientSession, access: str) -> Answer:
    try:
        dialled = await dial(
            settings, session, Bearer(text=access, serial=1), shown=lambda text: text.replace(access, "…")
        )
    except SocketRefused as error:
        action = "check TRICAST_RMS__CUSTOMER_ID; the vendor's support knows which customers a token is for"
        return Answer(question=_SOCKET, verdict="failed", found=f"{error.refusal.why}: {error.message}", action=action)
    except ConnectFailed as error:
        action = "check TRICAST_RMS__SOCKET_URL and that this machine reaches it"
        return Answer(question=_SOCKET, verdict="failed", found=error.message, action=action)
    await dialled.socket.close()
    return Answer(question=_SOCKET, verdict="ok", found=f"accepted as customer {settings.customer_id}")
