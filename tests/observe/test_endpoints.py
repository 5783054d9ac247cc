"""The endpoints over real sockets, loopback only."""

import http.client
import json
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from schemas.errors import ConfigurationError, EnvironmentFault
from tricast.observe.config import ObserveSettings
from tricast.observe.endpoints import address_file, serving

TOKEN = "a-token-that-is-long-enough"


class Answers:
    name = "connect kambi"

    def __init__(self, status: int = 200) -> None:
        self.status = status

    def metrics(self) -> bytes:
        return b"tricast_process_alive 1.0\n"

    def livez(self) -> tuple[int, Mapping[str, Any]]:
        return self.status, {"state": "alive"}

    def readyz(self) -> tuple[int, Mapping[str, Any]]:
        raise RuntimeError("a bug")


def ask(
    url: str | None, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> tuple[int, str, bytes]:
    assert url is not None
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()
    finally:
        connection.close()


def test_each_page_has_its_kind_and_nothing_else_is_there() -> None:
    with serving(ObserveSettings(port=0), Answers()) as url:
        status, kind, body = ask(url, "/metrics")
        assert (status, kind.partition(";")[0], body) == (200, "text/plain", b"tricast_process_alive 1.0\n")
        status, kind, body = ask(url, "/livez?verbose")
        assert (status, kind.partition(";")[0], json.loads(body)) == (200, "application/json", {"state": "alive"})
        assert ask(url, "/livez", method="HEAD")[2] == b""
        assert ask(url, "/")[0] == 404
        assert ask(url, "/metrics", method="POST")[0] == 501


def test_a_status_of_not_ready_is_passed_on() -> None:
    with serving(ObserveSettings(port=0), Answers(503)) as url:
        assert ask(url, "/livez")[0] == 503


def test_an_answer_that_fails_says_so_and_the_others_go_on() -> None:
    with serving(ObserveSettings(port=0), Answers()) as url:
        assert ask(url, "/readyz")[0] == 500
        assert ask(url, "/livez")[0] == 200


def test_with_a_token_nothing_is_said_without_it() -> None:
    with serving(ObserveSettings(port=0, token=SecretStr(TOKEN)), Answers()) as url:
        for path in ("/metrics", "/livez", "/readyz", "/"):
            assert ask(url, path)[0] == 401
            assert ask(url, path, headers={"Authorization": f"Bearer {TOKEN[:-1]}"})[0] == 401
        assert ask(url, "/livez", headers={"Authorization": f"Bearer {TOKEN}"})[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "tricast.example"])
def test_off_loopback_it_does_not_start_without_a_token(host: str) -> None:
    with (
        pytest.raises(ConfigurationError, match="no token") as refused,
        serving(ObserveSettings(host=host, port=0), Answers()),
    ):
        pass
    assert "TOKEN_FILE" in refused.value.action


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with (
        pytest.raises(ConfigurationError, match="has 6 characters"),
        serving(ObserveSettings(port=0, token=SecretStr("sesame")), Answers()),
    ):
        pass


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
def test_by_default_only_this_machine_is_served(host: str) -> None:
    assert ObserveSettings().host == "127.0.0.1"
    with serving(ObserveSettings(host=host, port=0), Answers()) as url:
        assert ask(url, "/livez")[0] == 200


def test_without_a_port_nothing_listens() -> None:
    with serving(ObserveSettings(), Answers()) as url:
        assert url is None
    with serving(ObserveSettings(host="0.0.0.0"), Answers()) as url:
        assert url is None


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with (
            pytest.raises(EnvironmentFault, match="cannot serve") as refused,
            serving(ObserveSettings(port=other.getsockname()[1]), Answers()),
        ):
            pass
    assert "TRICAST_OBSERVE__PORT" in refused.value.action


def test_the_address_is_in_a_file_while_it_serves(tmp_path: Path) -> None:
    folder = tmp_path / "observe"
    with serving(ObserveSettings(port=0, address_dir=folder), Answers()) as url:
        told = json.loads(address_file(folder, "connect kambi").read_text(encoding="utf-8"))
        assert told["url"] == url
        assert [path.name for path in folder.iterdir()] == ["connect-kambi.json"]
    assert not list(folder.iterdir())


def test_clients_that_ask_nothing_leave_room_for_others() -> None:
    with serving(ObserveSettings(port=0), Answers()) as url:
        assert url is not None
        host, _, port = url.removeprefix("http://").partition(":")
        idle = [socket.create_connection((host, int(port))) for _ in range(6)]
        assert ask(url, "/livez")[0] == 200
        for connection in idle:
            connection.close()


def test_at_its_end_it_lets_go_of_port_and_thread() -> None:
    before = threading.active_count()
    with serving(ObserveSettings(port=0), Answers()) as url:
        assert url is not None
        port = int(url.rpartition(":")[2])
    assert threading.active_count() == before
    with serving(ObserveSettings(port=port), Answers()) as again:
        assert ask(again, "/livez")[0] == 200
