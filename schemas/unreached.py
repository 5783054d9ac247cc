"""Why Kafka cannot be reached, in words that say what to do.

aiokafka tells of every cause alike, "Unable to bootstrap": the cause itself goes to its log. So after such an error one
more connection is made, and what it says is read.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from schemas.errors import EnvironmentFault

_PATIENCE_S: Final = 5.0
"""For one server, seconds; something that takes longer has nothing to say."""
_WRONG_NAME: Final = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and …_IP_ADDRESS_MISMATCH."""
_TOO_OLD, _TOO_YOUNG = 10, 9
_PROTOCOL: Final = "TRICAST_KAFKA__SECURITY_PROTOCOL"


async def unreached(client: Mapping[str, Any], error: Exception) -> EnvironmentFault:
    """Return what to tell a person; no secret is in it.

    Args:
        client: How Kafka is reached, as ``KafkaSettings.client()`` says it.
        error: What came of it.
    """
    servers, said = ",".join(client["bootstrap_servers"]), str(error)
    for server in client["bootstrap_servers"]:
        try:
            found = await _why(server, client)
        except (KafkaError, OSError) as absent:
            said = _absence(absent)
            continue
        if found is not None:
            what, action = found
            return EnvironmentFault(f"no Kafka to be had at {servers}: {what}", action=action)
    return EnvironmentFault(
        f"no Kafka answers at {servers}: {said}",
        action="check that Kafka runs there (`tricast kafka start`); TRICAST_KAFKA__BOOTSTRAP_SERVERS says where",
    )


def _absence(error: KafkaError | OSError) -> str:
    if f"[Errno {errno.ECONNREFUSED}]" in str(error):  # of several addresses of a name, each with its own
        return "nothing listens there"
    match error:
        case TimeoutError():
            return f"no answer within {_PATIENCE_S:g} s"
        case socket.gaierror():
            return f"its name is not known here ({error.strerror})"
    return str(error)


async def _why(server: str, client: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what is wrong with ``server`` and what to do about it; ``None``: nothing now.

    Raises:
        KafkaError, OSError: It is not there.
    """
    host, _, port = server.rpartition(":")
    how = {name: value for name, value in client.items() if name != "bootstrap_servers"}
    try:
        async with asyncio.timeout(_PATIENCE_S):
            connection = await create_conn(host, int(port), request_timeout_ms=int(_PATIENCE_S * 1000), **how)
        connection.close()
    except (ssl.SSLError, SaslAuthenticationFailed, UnsupportedSaslMechanismError) as error:
        return _refusal(server, client, error)
    except (KafkaConnectionError, ConnectionResetError):
        return await _other_protocol(host, int(port), client)
    return await _silent_refusal(server, client)


def _refusal(server: str, client: Mapping[str, Any], error: Exception) -> tuple[str, str]:
    mechanism = client.get("sasl_mechanism")
    match error:
        case ssl.SSLCertVerificationError():
            return _certificate(server.rpartition(":")[0], error)
        case ssl.SSLError():
            return f"{server} does not speak TLS ({error.reason})", f"correct the port, or {_PROTOCOL}"
        case UnsupportedSaslMechanismError():
            return f"it does not take {mechanism}", "set TRICAST_KAFKA__SASL_MECHANISM to one that the brokers take"
    return (
        f"it does not accept user {client.get('sasl_plain_username')!r} with this password by {mechanism}",
        "correct TRICAST_KAFKA__SASL_USERNAME and TRICAST_KAFKA__SASL_PASSWORD (or …_PASSWORD_FILE)",
    )


def _certificate(host: str, error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    said = error.verify_message
    if error.verify_code in _WRONG_NAME:
        return (
            f"the broker's certificate is not for {host!r} ({said})",
            "use the name that is in the certificate in TRICAST_KAFKA__BOOTSTRAP_SERVERS",
        )
    if error.verify_code in {_TOO_OLD, _TOO_YOUNG}:
        return f"the certificate of {host!r} is not valid now ({said})", "renew it, or correct this machine's clock"
    return (
        f"nobody trusted here has signed the certificate of {host!r} ({said})",
        "set TRICAST_KAFKA__SSL_CAFILE to the CA certificates (PEM) that sign the brokers",
    )


async def _other_protocol(host: str, port: int, client: Mapping[str, Any]) -> tuple[str, str]:
    """Return what it is when the connection is cut: TLS spoken to one that speaks none, or the other way round."""
    asked = str(client["security_protocol"])
    secured = asked.endswith("SSL")
    speaks_tls = await _speaks_tls(host, port)
    if speaks_tls and not secured:
        return f"{host}:{port} speaks TLS, and {asked} does not", f"set {_PROTOCOL} to SSL or SASL_SSL"
    if not speaks_tls and secured:
        return f"{host}:{port} does not speak TLS, and {asked} does", f"correct the port, or {_PROTOCOL}"
    return f"{host}:{port} ends the connection", f"compare {_PROTOCOL} with the broker's listener on that port"


async def _silent_refusal(server: str, client: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what it is when a connection comes about and nothing else: the broker waits for what is not offered."""
    if str(client["security_protocol"]).startswith("SASL"):
        return None
    host, _, port = server.rpartition(":")
    kafka = AIOKafkaClient(**{**client, "bootstrap_servers": [server]})
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await kafka.bootstrap()
    except (KafkaError, OSError):
        return (
            f"{host}:{port} takes the connection and answers nothing",
            f"it may want SASL: set {_PROTOCOL} and TRICAST_KAFKA__SASL_…",
        )
    finally:
        await kafka.close()
    return None


async def _speaks_tls(host: str, port: int) -> bool:
    """Return whether a server of TLS is there. Certificates are checked, as ever."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError:
        return True
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
