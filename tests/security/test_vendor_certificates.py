"""Vendors whose certificates nobody signed are refused by every socket and request; nothing turns that off."""

import re
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from pydantic import SecretStr, ValidationError

import connectors
from connectors import handshake
from connectors.clock import SystemClock
from connectors.fastpath import connector as fastpath
from connectors.fastpath import dial as fastpath_dial
from connectors.fastpath import rest
from connectors.fastpath.config import FastpathSettings
from connectors.kambi import connector as kambi
from connectors.kambi.config import KambiSettings
from connectors.kambi.http import OfferingHttp
from connectors.rms import auth, bet_detail
from connectors.rms import connector as rms
from connectors.rms import dial as rms_dial
from connectors.rms.config import RmsSettings
from connectors.rms.lookup_queue import Bet
from connectors.rms.ports import Bearer
from connectors.runner import ConnectFailed, ConnectionBudget
from connectors.trust import trusted

REFUSED = "certificate refused: "
SECRET = "PLANTED-SECRET-c0ffee"


class Vendor:
    """Answers everything with JSON over TLS, and counts what it was asked."""

    def __init__(self, authority: trustme.CA, folder: Path) -> None:
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(self.context)
        self.asked: list[str] = []
        self.port = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response({"ok": True})


@pytest.fixture
async def vendor(tmp_path: Path) -> AsyncIterator[Vendor]:
    made = Vendor(trustme.CA(), tmp_path)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=made.context)
    await site.start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        await runner.cleanup()


def settings_of(model: type, port: int, ca_file: Path | None, host: str = "localhost"):
    wss, https = f"wss://{host}:{port}", f"https://{host}:{port}"
    if model is KambiSettings:
        return KambiSettings(push_url=wss, offering_url=https, ca_file=ca_file)
    if model is FastpathSettings:
        return FastpathSettings(stream_url=wss, api_url=https, token=SecretStr(SECRET), ca_file=ca_file)
    return RmsSettings(socket_url=wss, auth_url=https, bets_url=https, ca_file=ca_file)


async def _kambi_socket(settings) -> str:
    async with kambi.http_session(settings) as session:
        url = handshake.socket_url(settings.push_url)
        return await _failure(handshake.dial(session, url, max_message_bytes=1000, timeout_s=10))


async def _kambi_http(settings) -> str:
    async with kambi.http_session(settings) as session:
        client = OfferingHttp(
            session,
            base_url=settings.offering_url,
            offering="kambi",
            clock=SystemClock(),
            max_body_bytes=1000,
            timeout_s=10,
            trust_s=0,
            settle_s=0,
        )
        return repr(await client.get("event/live/open.json", conditional=False))


async def _fastpath_socket(settings) -> str:
    return await _failure(fastpath_dial.dial(settings, f"{settings.stream_url}/soccer/fixtures/1/actions"))


async def _fastpath_http(settings) -> str:
    async with fastpath.http_session(settings) as session:
        client = rest.FastpathRest(
            session,
            base_url=settings.api_url,
            token=SECRET,
            budget=ConnectionBudget(10, window_s=1, clock=SystemClock()),
            requests_per_second=5,
            timeout_s=10,
            clock=SystemClock(),
        )
        return repr(await client.get("soccer/fixtures/live"))


async def _rms_socket(settings) -> str:
    async with rms.http_session(settings) as session:
        bearer = Bearer(text=SECRET, serial=1)
        return await _failure(rms_dial.dial(settings, session, bearer, shown=str))


async def _rms_auth(settings) -> str:
    async with rms.http_session(settings) as session:
        call = auth.Authentication(session, base_url=settings.auth_url, timeout_s=10, redacted=str, clock=SystemClock())
        return repr(await call.exchange("id", SECRET))


async def _rms_bets(settings) -> str:
    async with rms.http_session(settings) as session:
        call = bet_detail.BetDetail(
            session, base_url=settings.bets_url, timeout_s=10, redacted=str, clock=SystemClock()
        )
        return repr(await call.ask(Bet("s", "k"), Bearer(text=SECRET, serial=1)))


async def _failure(dialling) -> str:
    with pytest.raises(ConnectFailed) as caught:
        await dialling
    return str(caught.value)


WAYS: dict[str, tuple[type, Callable]] = {
    "kambi socket": (KambiSettings, _kambi_socket),
    "kambi http": (KambiSettings, _kambi_http),
    "fastpath socket": (FastpathSettings, _fastpath_socket),
    "fastpath http": (FastpathSettings, _fastpath_http),
    "rms socket": (RmsSettings, _rms_socket),
    "rms authentication": (RmsSettings, _rms_auth),
    "rms bets": (RmsSettings, _rms_bets),
}


@pytest.mark.parametrize(("model", "ask"), WAYS.values(), ids=WAYS)
async def test_a_stranger_is_refused_before_anything_is_said(vendor: Vendor, model, ask):
    said = await ask(settings_of(model, vendor.port, None))
    assert REFUSED in said, said
    assert "ca_file" in said
    assert SECRET not in said
    assert not vendor.asked


@pytest.mark.parametrize(("model", "ask"), WAYS.values(), ids=WAYS)
async def test_a_ca_of_ones_own_can_be_added(vendor: Vendor, model, ask):
    said = await ask(settings_of(model, vendor.port, vendor.ca_file))
    assert REFUSED not in said
    assert vendor.asked


@pytest.mark.parametrize(("model", "ask"), WAYS.values(), ids=WAYS)
async def test_the_host_name_counts_whatever_ca_is_added(vendor: Vendor, model, ask):
    said = await ask(settings_of(model, vendor.port, vendor.ca_file, host="127.0.0.1"))
    assert f"{REFUSED}IP address mismatch" in said, said
    assert not vendor.asked


def test_a_ca_is_added_to_the_system_s(tmp_path):
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(file)
    context = trusted(file)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == len(ssl.create_default_context().get_ca_certs()) + 1


@pytest.mark.parametrize("content", [None, "", "no certificate"], ids=["missing", "empty", "text"])
def test_a_file_without_certificates_is_a_wrong_setting(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValidationError, match="holds no CA certificates"):
        KambiSettings(ca_file=file)


@pytest.mark.parametrize("url", ["ws://vendor.example", "ws://10.0.0.7:8080", "ws://localhost.example", "ws://[::2]"])
@pytest.mark.parametrize("model", [KambiSettings, FastpathSettings, RmsSettings])
def test_what_is_not_encrypted_is_for_this_machine_alone(model, url):
    field = {KambiSettings: "push_url", FastpathSettings: "stream_url", RmsSettings: "socket_url"}[model]
    with pytest.raises(ValidationError, match="ws is for servers on this machine alone; use wss"):
        model(**{field: url})
    for here in ("ws://127.0.0.1:1", "ws://[::1]:1", "ws://localhost:1"):
        model(**{field: here})


def test_no_code_turns_checks_off():
    off = re.compile(r"CERT_(NONE|OPTIONAL)|check_hostname\s*=\s*False|_create_unverified|(ssl|verify)\s*=\s*False")
    root = Path(next(iter(connectors.__path__))).parent
    ours = ("connectors", "processors", "schemas", "simulators", "tricast")
    code = [path for name in ours for path in (root / name).rglob("*.py")]
    assert code
    assert [str(path) for path in code if off.search(path.read_text(encoding="utf-8"))] == []
