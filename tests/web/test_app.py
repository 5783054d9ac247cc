"""The application by HTTP, without a browser."""

import json
import re
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest

from schemas.errors import ConfigurationError, EnvironmentFault
from tests.web import pictures
from tricast.web.serve import serving
from tricast.web.shown import PRETTY_BYTES

TOKEN = "a-token-that-is-long-enough"
LETTER = ("tricast.kambi.dead-letters", 0, 901)
HTML = {"Accept": "text/html"}


@asynccontextmanager
async def page(stage=None, *, token=None, **options):
    stage = stage or pictures.Stage(pictures.degraded(), {LETTER: pictures.record()})
    async with (
        serving(stage, token=token) as url,
        aiohttp.ClientSession(url, cookie_jar=aiohttp.CookieJar(unsafe=True), **options) as session,
    ):
        yield session


async def events_of(response):
    """Yield what the stream says, parsed."""
    async for line in response.content:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/topic/tricast.kambi.raw", 200),
        ("/topic/unknown", 404),
        ("/record/tricast.kambi.dead-letters/0/901", 200),
        ("/record/tricast.kambi.dead-letters/0/902", 404),
        ("/record/tricast.kambi.dead-letters/0/x", 404),
        ("/record/__consumer_offsets/0/1", 404),
        ("/events?page=/topic/unknown", 404),
        ("/static/any/status.css", 200),
        ("/static/any/..%2fapp.py", 404),
        ("/nothing", 404),
    ],
)
async def test_every_answer_says_that_a_browser_may_trust_only_this_page(path, status):
    async with page() as session, session.get(path) as response:
        assert response.status == status
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing_inline():
    async with page() as session, session.get("/") as response:
        html = await response.text()
    assert not re.findall(r'(?:src|href)="(?!/|#)', html)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src)", html)


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
async def test_it_only_reads(method):
    async with page() as session, getattr(session, method)("/") as response:
        assert response.status == 405


async def test_a_foreign_name_is_not_answered():
    async with page() as session, session.get("/", headers={"Host": "rebound.example"}) as response:
        assert response.status == 421
        assert "kambi" not in await response.text()


async def test_with_a_token_nothing_is_told_without_it():
    async with page(token=TOKEN) as session:
        for path in ("/", "/events", "/topic/tricast.kambi.raw", "/record/tricast.kambi.dead-letters/0/901"):
            async with session.get(path) as response:
                assert response.status == 401
                assert "kambi" not in await response.text()
        async with session.get("/", headers={"Authorization": f"Bearer {TOKEN}"}) as response:
            assert response.status == 200


async def test_a_person_signs_in_and_comes_to_where_they_wanted():
    async with page(token=TOKEN) as session:
        async with session.get("/topic/tricast.kambi.raw", headers=HTML) as response:
            assert response.url.path == "/login"
            assert response.url.query["to"] == "/topic/tricast.kambi.raw"
        async with session.post("/login", data={"token": "wrong", "to": "/"}) as response:
            assert response.status == 403
        data = {"token": TOKEN, "to": "/topic/tricast.kambi.raw"}
        async with session.post("/login", data=data, allow_redirects=False) as response:
            assert response.headers["Location"] == "/topic/tricast.kambi.raw"
            cookie = response.headers["Set-Cookie"]
            assert TOKEN not in cookie
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
        async with session.get("/") as response:
            assert response.status == 200
        async with session.post("/logout", headers=HTML) as response:
            assert response.url.path == "/login"
        async with session.get("/") as response:
            assert response.status == 401


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "/\r\nX: y"])
async def test_signing_in_leads_nowhere_else(to):
    data = {"token": TOKEN, "to": to}
    async with page(token=TOKEN) as session, session.post("/login", data=data, allow_redirects=False) as response:
        assert response.headers["Location"] == "/"


async def test_it_listens_off_loopback_only_with_a_token():
    stage = pictures.Stage(pictures.healthy())
    with pytest.raises(ConfigurationError):
        async with serving(stage, host="0.0.0.0"):
            raise AssertionError


async def test_a_port_that_is_taken_is_said():
    stage = pictures.Stage(pictures.healthy())
    async with serving(stage) as url:
        port = int(url.rstrip("/").rpartition(":")[2])
        with pytest.raises(EnvironmentFault, match=f"127.0.0.1:{port}") as said:
            async with serving(stage, port=port):
                raise AssertionError
    assert said.value.action == "choose another port"


async def test_a_stream_says_all_then_what_is_new():
    stage = pictures.Stage(pictures.healthy())
    async with page(stage) as session, session.get("/events") as response:
        events = events_of(response)
        first = await anext(events)
        assert list(first["sections"]) == ["verdict", "feeds", "recent", "pipeline", "lines", "topics", "groups"]
        await stage.show(pictures.away(pictures.healthy(), for_s=3))
        then = await anext(events)
        assert list(then["sections"]) == ["verdict"]
        assert then["at_ms"] == pictures.AT_MS + 3_000


async def test_pictures_that_come_fast_are_said_together():
    stage = pictures.Stage(pictures.healthy())
    async with page(stage) as session, session.get("/events") as response:
        events = events_of(response)
        await anext(events)
        for second in range(1, 20):
            await stage.show(pictures.away(pictures.healthy(), for_s=second))
        assert (await anext(events))["at_ms"] == pictures.AT_MS + 19_000


async def test_streams_end_with_the_page():
    async with aiohttp.ClientSession() as session:
        async with serving(pictures.Stage(pictures.healthy())) as url:
            response = await session.get(f"{url}events")
            await anext(events_of(response))
        with suppress(aiohttp.ClientError):
            await response.content.read()


async def test_before_the_first_picture_it_asks_for_patience():
    async with page(pictures.Stage(None)) as session, session.get("/") as response:
        assert response.status == 503
        assert "for the first time" in await response.text()


async def test_a_record_shows_its_position_headers_value_and_bytes():
    async with page() as session, session.get("/record/tricast.kambi.dead-letters/0/901") as response:
        html = await response.text()
    assert "&#34;odds&#34;: 1.87" in html
    assert "00000000  7b 22 6f 64 64 73" in html
    assert '<td class="said">bad-json</td>' in html
    assert 'href="/record/tricast.kambi.raw/2/118723"' in html


async def test_a_hostile_record_is_escaped():
    hostile = b"</pre><script>alert(1)</script>"
    record = pictures.record(value=hostile, key=hostile, headers=((hostile.decode(), hostile), ("tc-source", b"//x")))
    stage = pictures.Stage(pictures.healthy(), {LETTER: record})
    async with page(stage) as session, session.get("/record/tricast.kambi.dead-letters/0/901") as response:
        assert "<script>alert" not in await response.text()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "a tombstone"),
        (b"", "Empty."),
        (b"\xff\x00", "It is no text."),
        (b'{"a":"' + b"x" * PRETTY_BYTES + b'"}', "The first 262 kB of 262 kB"),
        (b"[" * 100_000, "[[["),
    ],
    ids=["tombstone", "empty", "bytes", "long", "deep"],
)
async def test_a_record_of_any_kind_is_shown(value, said):
    stage = pictures.Stage(pictures.healthy(), {LETTER: pictures.record(value=value)})
    async with page(stage) as session:
        async with session.get("/record/tricast.kambi.dead-letters/0/901") as response:
            assert response.status == 200
            assert said in await response.text()
        async with session.get("/record/tricast.kambi.dead-letters/0/901/bytes") as response:
            assert await response.read() == (value or b"")
            assert response.headers["Content-Disposition"].startswith("attachment")


async def test_the_chosen_theme_stands_before_anything_is_drawn():
    async with page(cookies={"theme": "dark"}) as session, session.get("/") as response:
        assert '<html lang="en" data-theme="dark">' in await response.text()
    async with page(cookies={"theme": '"><script>'}) as session, session.get("/") as response:
        assert '<html lang="en">' in await response.text()
