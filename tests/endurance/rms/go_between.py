"""Stands before the simulated authentication and remembers what it gave away: these must never be seen again."""

import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_TOKENS = ("accessToken", "access_token", "refreshToken", "refresh_token")


class GoBetween(ThreadingHTTPServer):
    """Forwards POSTs to ``upstream``; ``with`` runs it in a thread.

    Args:
        upstream: Base URL.

    Attributes:
        given: Every access and refresh token that came by.
    """

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.given: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True, name="go-between").start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about clients that were killed in the middle."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        between = self.server
        assert isinstance(between, GoBetween)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = urllib.request.Request(f"{between.upstream}{self.path}", data=body, method="POST")
        request.add_header("Content-Type", self.headers.get("Content-Type") or "application/json")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        except OSError:
            status, content = 502, b"{}"
        between.given.update(_tokens(content))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
        """Say nothing."""


def _tokens(content: bytes) -> set[str]:
    try:
        fields = json.loads(content)
    except ValueError:
        return set()
    if not isinstance(fields, dict):
        return set()
    return {fields[name] for name in _TOKENS if isinstance(fields.get(name), str)}
