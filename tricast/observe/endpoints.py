"""``/metrics``, ``/livez`` and ``/readyz``, in a thread of their own: a loop that is stuck can still be told of."""

import contextlib
import json
import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Final, Protocol

from prometheus_client import CONTENT_TYPE_LATEST

from schemas.errors import EnvironmentFault
from tricast.observe.config import ObserveSettings, check
from tricast.reach import bearer, is_token

log = logging.getLogger(__name__)

_MOST_AT_ONCE: Final = 8
_PATIENCE_S: Final = 5.0
"""How long a client may take to ask."""
_JSON: Final = "application/json; charset=utf-8"


class Answers(Protocol):
    """Who knows the answers; asked in threads, several at once."""

    @property
    def name(self) -> str:
        """Of the process, e.g. ``connect kambi``."""
        ...

    def metrics(self) -> bytes:
        """Return the page of ``/metrics``."""
        ...

    def livez(self) -> tuple[int, Mapping[str, Any]]:
        """Return status and body of ``/livez``."""
        ...

    def readyz(self) -> tuple[int, Mapping[str, Any]]:
        """Return status and body of ``/readyz``."""
        ...


@contextlib.contextmanager
def serving(settings: ObserveSettings, answers: Answers) -> Iterator[str | None]:
    """Serve until the end of the block; yield the URL, ``None`` when no port is set.

    Raises:
        ConfigurationError: See :func:`tricast.observe.config.check`.
        EnvironmentFault: The port is taken, or the address is none of this machine.
    """
    check(settings)
    if settings.port is None:
        yield None
        return
    with _bound(settings, answers) as server:
        thread = threading.Thread(target=server.serve_forever, name="observe", daemon=True)
        thread.start()
        try:
            with _address_told(settings, answers.name, server.url):
                log.info("observe.serves url=%s", server.url)
                yield server.url
        finally:
            server.shutdown()
            thread.join()


def address_file(folder: Path, process: str) -> Path:
    """Return where the process called ``process`` writes its address."""
    return folder / f"{process.replace(' ', '-')}.json"


@contextlib.contextmanager
def _address_told(settings: ObserveSettings, process: str, url: str) -> Iterator[None]:
    if settings.address_dir is None:
        yield
        return
    path = address_file(settings.address_dir, process)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
    os.replace(unfinished, path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _bound(settings: ObserveSettings, answers: Answers) -> "_Server":
    assert settings.port is not None
    try:
        return _Server(settings.host, settings.port, settings.token.get_secret_value(), answers)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot serve on {settings.host} port {settings.port}: {error.strerror}",
            action="set TRICAST_OBSERVE__PORT to a free port; each process needs its own",
        ) from error


class _Server(ThreadingMixIn, TCPServer):
    """Not http.server's own, which asks DNS for our name before it serves."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, host: str, port: int, token: str, answers: Answers) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.token = token
        self.answers = answers
        self._places = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__((host, port), _Handler)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that went away is nothing; an answer that failed is told by the handler.
        pass


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] - nobody else makes one of these
    timeout = _PATIENCE_S
    server_version = "tricast"
    sys_version = ""

    def do_GET(self) -> None:
        if not self._is_allowed():
            self._answer(401, _JSON, b'{"error": "a token is needed"}', ("WWW-Authenticate", "Bearer"))
            return
        try:
            self._answer(*self._page())
        except OSError:
            raise
        except Exception:
            log.exception("observe.failed path=%s", self.path)
            self._answer(500, _JSON, b'{"error": "see the log of the process"}')

    do_HEAD = do_GET  # noqa: N815 - the same

    def _page(self) -> tuple[int, str, bytes]:
        answers = self.server.answers
        match self.path.partition("?")[0]:
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, answers.metrics()
            case "/livez":
                status, body = answers.livez()
            case "/readyz":
                status, body = answers.readyz()
            case _:
                status, body = 404, {"error": "there are /metrics, /livez and /readyz"}
        return status, _JSON, json.dumps(body).encode()

    def _is_allowed(self) -> bool:
        token = self.server.token
        return not token or is_token(bearer(self.headers.get("Authorization", "")), token)

    def _answer(self, status: int, kind: str, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - http.server's name
        pass
