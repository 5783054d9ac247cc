"""The client of the offering API: every answer and every failure is a finding."""

import asyncio
import dataclasses
import gzip
import zlib
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from connectors.kambi.http import Answer, Broken, OfferingHttp, Refused, Unchanged
from tests.connectors.hand_clock import HandClock
from tests.connectors.offering_api import ok, serving, wire

LIMIT = 100_000
POSITION = "betoffer/event/1,2.json?lang=en_GB"


@asynccontextmanager
async def client(url, **settings):
    clock = HandClock()
    clock.advance(1_790_000_000)
    values = {"clock": clock, "max_body_bytes": LIMIT, "timeout_s": 5.0, "trust_s": 120.0, "settle_s": 3.0} | settings
    async with aiohttp.ClientSession() as session:
        yield OfferingHttp(session, base_url=url, offering="kambi", **values)


async def got(answering, **settings):
    async with serving(answering) as url, client(url, **settings) as http:
        return await http.get(POSITION, conditional=True)


async def got_bytes(*answers, **settings):
    async with wire(*answers) as url, client(url, **settings) as http:
        return await http.get(POSITION, conditional=True)


async def test_a_body_comes_as_it_was_sent_with_what_names_and_dates_it():
    seen = []

    async def answering(request):
        seen.append(request)
        return web.Response(body=b'{"a": 1.50}\n', content_type="application/json", charset="utf-8")

    finding = await got(answering)
    assert finding == Answer(
        position=POSITION,
        status=200,
        body=b'{"a": 1.50}\n',
        requested_ns=1_790_000_000_000_000_000,
        received_ns=1_790_000_000_000_000_000,
        content_type="application/json",
        validators={},
    )
    [request] = seen
    assert request.raw_path == "/offering/v2018/kambi/betoffer/event/1,2.json?lang=en_GB"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Accept-Encoding"] == "gzip, deflate"
    assert "If-None-Match" not in request.headers


@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress)], ids=["gzip", "deflate"]
)
async def test_compressed_bodies_are_decoded(encoding, encode):
    body = b'{"betOffers":[' + b" " * 50_000 + b"]}"
    finding = await got_bytes(ok(encode(body), Content_Encoding=encoding))
    assert isinstance(finding, Answer)
    assert finding.body == body


async def test_a_404_is_an_answer():
    finding = await got_bytes(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
    assert isinstance(finding, Answer)
    assert (finding.status, finding.body, finding.content_type) == (404, b"{}", "application/octet-stream")


@pytest.mark.parametrize("status", [204, 206, 304, 400, 406, 410, 429, 500, 503])
async def test_other_statuses_are_refusals(status):
    finding = await got_bytes(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
    assert finding == Refused(status=status, retry_after_s=0.0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("Mon, 21 Sep 2026 14:13:50 GMT", 30.0),
        ("Mon, 21 Sep 2026 14:13:50 -0000", 30.0),
        ("Mon, 21 Sep 2026 14:00:00 GMT", 0.0),
        ("9" * 400, 900.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 900.0),
        ("-5", 0.0),
        ("1e9", 0.0),
        ("soon", 0.0),
        ("Mon, 21 Sep 99999999999999999999 14:13:50 GMT", 0.0),
        ("Mon, 21 Sep 2026 14:13:50 +999999999999", 0.0),
        ("٣", 0.0),
        ("", 0.0),
    ],
)
async def test_retry_after_is_seconds_or_a_date_and_bounded(header, seconds):
    answer = f"HTTP/1.1 429 No\r\nRetry-After: {header}\r\nContent-Length: 0\r\n\r\n".encode()
    assert await got_bytes(answer) == Refused(status=429, retry_after_s=seconds)


@pytest.mark.parametrize(("age", "seconds"), [("3", 3), ("0", 0), ("-1", 0), ("x", 0), ("9" * 400, 86_400)])
async def test_a_body_from_a_cache_is_dated_back_by_its_age(age, seconds):
    finding = await got_bytes(ok(b"{}", Age=age))
    assert isinstance(finding, Answer)
    assert finding.requested_ns == (1_790_000_000 - seconds) * 1_000_000_000
    assert finding.received_ns == 1_790_000_000_000_000_000


# -- conditional requests ------------------------------------------------------------------------------------------


class Versioned:
    """Answers 304 to whom it sent this version before."""

    def __init__(self, **validators):
        self.validators = validators
        self.sent = []

    async def answer(self, request):
        ours = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
        sent = {ours[name]: request.headers[name] for name in ours if name in request.headers}
        self.sent.append(sent)
        return web.Response(status=304) if sent else web.Response(body=b"{}", headers=self.validators)


def settle(http, answer):
    """Have ``answer`` recorded twice, far enough apart that an equal body settles what was unsettled at the first."""
    http.remember(answer)
    http.remember(dataclasses.replace(answer, requested_ns=answer.requested_ns + 3_000_000_000))


ETAG = {"ETag": 'W/"5f-a b"'}
DATE = {"Last-Modified": "Mon, 21 Sep 2026 14:13:50 GMT"}


@pytest.mark.parametrize("validators", [ETAG, DATE, ETAG | DATE], ids=["etag", "date", "both"])
async def test_what_was_remembered_is_asked_for_conditionally(validators):
    server = Versioned(**validators)
    async with serving(server.answer) as url, client(url) as http:
        first = await http.get(POSITION, conditional=True)
        assert isinstance(first, Answer)
        settle(http, first)
        assert await http.get(POSITION, conditional=True) == Unchanged()
        assert isinstance(await http.get(POSITION, conditional=False), Answer)
        assert isinstance(await http.get("event/livedata/1.json?lang=en_GB", conditional=True), Answer)
    assert server.sent == [{}, validators, {}, {}]


async def test_one_answer_is_not_enough_and_another_body_begins_anew():
    """What push changed around the first request is compared only with a later answer."""
    server = Versioned(**ETAG)
    async with serving(server.answer) as url, client(url) as http:
        first = await http.get(POSITION, conditional=True)
        assert isinstance(first, Answer)
        http.remember(first)
        http.remember(dataclasses.replace(first, requested_ns=first.requested_ns + 2_999_999_999))
        assert isinstance(await http.get(POSITION, conditional=True), Answer)
        other = dataclasses.replace(first, requested_ns=first.requested_ns + 9_000_000_000, body=b"[]")
        http.remember(other)
        assert isinstance(await http.get(POSITION, conditional=True), Answer)
        http.remember(dataclasses.replace(other, requested_ns=other.requested_ns + 3_000_000_000))
        assert await http.get(POSITION, conditional=True) == Unchanged()


async def test_what_was_not_remembered_is_asked_for_in_full():
    server = Versioned(**ETAG)
    async with serving(server.answer) as url, client(url) as http:
        assert isinstance(await http.get(POSITION, conditional=True), Answer)
        assert isinstance(await http.get(POSITION, conditional=True), Answer)
    assert server.sent == [{}, {}]


async def test_validators_are_trusted_for_a_time_only():
    clock = HandClock()
    server = Versioned(**ETAG)
    async with serving(server.answer) as url, client(url, clock=clock, trust_s=60.0) as http:
        first = await http.get(POSITION, conditional=True)
        assert isinstance(first, Answer)
        settle(http, first)
        clock.advance(59)
        assert await http.get(POSITION, conditional=True) == Unchanged()
        clock.advance(1)
        assert isinstance(await http.get(POSITION, conditional=True), Answer)


@pytest.mark.parametrize("etag", ['"' + "x" * 300 + '"', '"\udcff"', '"é"', '"a\tb"'], ids=["long", "byte", "é", "tab"])
async def test_a_validator_that_no_request_could_carry_is_not_kept(etag):
    async with wire(ok(b"{}", ETag=etag)) as url, client(url) as http:
        for _ in range(2):
            finding = await http.get(POSITION, conditional=True)
            assert isinstance(finding, Answer)
            assert finding.validators == {}
            http.remember(finding)


# -- what is no answer ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\n{", "truncated", id="length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\n{\r\n",
            "truncated",
            id="chunked",
        ),
        pytest.param(ok(b"no gzip", Content_Encoding="gzip"), "truncated", id="no gzip"),
        pytest.param(
            ok(gzip.compress(b"{}"), Content_Encoding="gzip", Connection="close")[:-5], "truncated", id="half a gzip"
        ),
        pytest.param(ok(b"x" * (LIMIT + 1)), "too-large", id="too large"),
        pytest.param(ok(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip"), "too-large", id="gzip bomb"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "network", id="no http"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", "network", id="long header"),
        pytest.param(b"", "network", id="closed"),
        pytest.param(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", "redirects", id="loop"),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: http://[bad\r\nContent-Length: 0\r\n\r\n", "network", id="bad location"
        ),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: http://" + b"a" * 99 + b".invalid/\r\nContent-Length: 0\r\n\r\n",
            "network",
            id="no host name",
        ),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: file:///etc/hosts\r\nContent-Length: 0\r\n\r\n", "network", id="file"
        ),
    ],
)
async def test_no_whole_answer_is_a_finding(answer, fault):
    finding = await got_bytes(answer)
    assert isinstance(finding, Broken), finding
    assert finding.fault == fault, finding


async def test_the_largest_body_that_fits_is_an_answer():
    finding = await got_bytes(ok(b"x" * LIMIT))
    assert isinstance(finding, Answer)
    assert len(finding.body) == LIMIT


async def test_few_redirects_are_followed():
    asked = []

    async def further(request):
        asked.append(request.path)
        raise web.HTTPFound(f"/{len(asked)}")

    assert await got(further) == Broken("redirects", "more than 3 redirects")
    assert asked == ["/offering/v2018/kambi/betoffer/event/1,2.json", "/1", "/2"]


async def test_a_slow_drip_ends_at_the_time_out():
    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    assert await got(drip, timeout_s=0.3) == Broken("timeout", "no whole answer within 0.3 s")


async def test_nobody_listening_is_a_finding():
    async with wire(b"") as url:
        pass
    async with client(url) as http:
        finding = await http.get(POSITION, conditional=True)
    assert isinstance(finding, Broken)
    assert finding.fault == "network"


async def test_a_kept_connection_that_was_reset_is_dialled_again():
    closing = ok(b"{}")  # says nothing of closing, and closes: as a server that gives up an idle connection
    requests = 0

    async def serve(reader, writer):
        nonlocal requests
        await reader.readuntil(b"\r\n\r\n")
        requests += 1
        writer.write(closing)
        await writer.drain()
        if requests == 1:
            await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, client("http://{}:{}".format(*server.sockets[0].getsockname()[:2])) as http:
        for _ in range(2):
            assert isinstance(await http.get(POSITION, conditional=True), Answer)
    assert requests == 2


async def test_after_a_broken_body_the_next_request_is_answered():
    async with wire(ok(b"x" * (LIMIT + 1)), ok(b"{}")) as url, client(url) as http:
        assert isinstance(await http.get(POSITION, conditional=True), Broken)
        assert isinstance(await http.get(POSITION, conditional=True), Answer)
