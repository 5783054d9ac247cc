"""The client of the REST API, and lists over several pages: every answer and every failure is a finding."""

import asyncio
import gzip
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from connectors.fastpath.listing import MOST_PAGES, Listed, Lister, NoList
from connectors.fastpath.rest import Answer, Broken, FastpathRest, NotFound, Refused, Unauthorised
from connectors.runner import ConnectionBudget
from tests.connectors.hand_clock import HandClock
from tests.connectors.offering_api import ok, serving, wire
from tests.connectors.rest_api import ACCEPT, TOKEN, fixture, rest_api


@asynccontextmanager
async def client(url, *, token=TOKEN, per_second=5, clock=None, budget=None):
    clock = clock or HandClock()
    async with aiohttp.ClientSession() as session:
        yield FastpathRest(
            session,
            base_url=url,
            token=token,
            budget=budget or ConnectionBudget(per_second, window_s=1.0, clock=clock),
            requests_per_second=per_second,
            timeout_s=5.0,
            clock=clock,
        )


async def got_bytes(*answers, **settings):
    async with wire(*answers) as url, client(url, **settings) as rest:
        return await rest.get("soccer/fixtures")


def answer(status, body, **headers):
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = [f"HTTP/1.1 {status} Some", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


# -- one request -----------------------------------------------------------------------------------------------------


async def test_a_request_carries_what_the_vendor_asks_for():
    async with rest_api() as api, client(api.url) as rest:
        api.lists["soccer/fixtures"] = []
        assert await rest.get("soccer/fixtures", {"live": "true", "type": "official"}) == Answer([])
    [headers] = api.headers
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Accept"] == ACCEPT
    assert api.queries == [{"live": "true", "type": "official"}]


async def test_compressed_bodies_are_decoded():
    body = json.dumps([fixture(f"f{number}") for number in range(500)]).encode()
    finding = await got_bytes(ok(gzip.compress(body), Content_Encoding="gzip"))
    assert finding == Answer(json.loads(body))


async def test_five_megabytes_are_read():
    finding = await got_bytes(ok(json.dumps([fixture("f", rules="x" * 5_000_000)]).encode()))
    assert isinstance(finding, Answer)


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (401, b'{"errorMessage":"Supplied token could not be authenticated"}', 401),
        (400, b'{"errorMessage":"Supplied token could not be authenticated"}', 401),
        (200, b'{"errorMessage":"Supplied token could not be authenticated"}', 401),
        (401, b'{"error":"permission denied","status":401}', 401),
        (200, b'{"error":"permission denied","status":401}', 401),
        (200, b'{"error":"no licence","status":403}', 403),
        (403, b"<html>Forbidden</html>", 403),
        (401, b"The supplied authentication is invalid", 401),
        (401, b"", 401),
    ],
)
async def test_a_refused_token_is_recognised_in_every_form(status, body, found):
    finding = await got_bytes(answer(status, body))
    assert isinstance(finding, Unauthorised)
    assert finding.status == found


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (400, b"Request is missing required HTTP header 'Accept'", 400),
        (500, b'{"errorMessage":"The authentication service is away"}', 500),
        (503, b"<html>" + b"x" * 200_000 + b"</html>", 503),
        (302, b"", 302),
        (204, b"", 204),
        (200, b'{"error":"overload","status":503}', 503),
        (200, b'{"error":{"code":7}}', 200),
        (200, b'{"error":"odd","status":true}', 200),
        (200, b'{"errorMessage":"odd","status":9999999999}', 200),
    ],
)
async def test_every_other_refusal_keeps_its_status(status, body, found):
    finding = await got_bytes(answer(status, body))
    assert isinstance(finding, Refused)
    assert (finding.status, len(finding.detail) <= 200) == (found, True)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"<html><body>Sorry</body></html>", "not-json"),
        (b"", "not-json"),
        (b"[1, 2", "not-json"),
        (b"17", "not-json"),
        (b'"text"', "not-json"),
        (b'[{"id": "\xff\xfe"}]', "not-json"),
        (b"[" * 100_000, "not-json"),
        (b"[" + b" " * 17_000_000 + b"]", "too-large"),
    ],
    ids=["html", "empty", "cut", "number", "text", "not-utf-8", "deep", "large"],
)
async def test_what_is_no_answer_of_the_api_is_a_fault(body, fault):
    finding = await got_bytes(ok(body))
    assert isinstance(finding, Broken)
    assert finding.fault == fault


async def test_a_body_that_breaks_off_is_truncated():
    finding = await got_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n[]")
    assert isinstance(finding, Broken)
    assert finding.fault == "truncated"


async def test_nobody_there_and_no_answer_in_time_are_faults():
    async with client("http://127.0.0.1:1") as rest:
        finding = await rest.get("soccer/fixtures")
    assert isinstance(finding, Broken)
    assert finding.fault == "network"

    async def never(request):
        await asyncio.Event().wait()
        return web.Response()

    async with serving(never) as url, client(url) as rest:
        rest._timeout = aiohttp.ClientTimeout(total=0.05)
        finding = await rest.get("soccer/fixtures")
    assert isinstance(finding, Broken)
    assert finding.fault == "timeout"


async def test_a_token_that_no_header_can_carry_is_a_fault_and_is_not_shown():
    finding = await got_bytes(ok(b"[]"), token="one\ntwo")
    assert isinstance(finding, Broken)
    assert "one" not in finding.detail


async def test_the_token_is_not_shown_when_the_server_repeats_it():
    finding = await got_bytes(answer(400, f"bad: {TOKEN}".encode()))
    assert isinstance(finding, Refused)
    assert finding.detail == "bad: ***"


async def test_a_redirect_is_not_followed_so_that_the_token_stays_here():
    async with rest_api() as elsewhere, rest_api() as api, client(api.url) as rest:

        async def away(request):
            return web.Response(status=302, headers={"Location": elsewhere.url})

        api.fault = away
        assert isinstance(await rest.get("soccer/fixtures"), Refused)
        assert elsewhere.asked == []


# -- the rate --------------------------------------------------------------------------------------------------------


async def test_requests_keep_to_the_rate_in_every_window_however_they_come():
    clock = HandClock()
    starts = []

    class Noting(ConnectionBudget):
        async def take(self):
            await super().take()
            starts.append(clock.monotonic_s())

    budget = Noting(5, window_s=1.0, clock=clock)
    async with rest_api() as api, client(api.url, clock=clock, budget=budget) as rest:
        api.lists["soccer/fixtures"] = []
        await asyncio.gather(*(rest.get("soccer/fixtures") for _ in range(30)))
    assert len(starts) == 30
    assert all(later - earlier > 1.0 for earlier, later in zip(starts, starts[5:], strict=False))


@pytest.mark.parametrize(("wish", "seconds"), [("7", 7.0), ("99999999999999", 900.0), ("soon", 2.0), ("-3", 2.0)])
async def test_429_holds_back_every_request_for_the_time_it_names_within_reason(wish, seconds):
    clock = HandClock()
    async with wire(answer(429, b"", Retry_After=wish), ok(b"[]")) as url, client(url, clock=clock) as rest:
        assert await rest.get("soccer/fixtures") == Refused(status=429, detail="", retry_after_s=seconds)
        refused_s = clock.monotonic_s()
        await rest.get("basketball/fixtures")
        assert clock.monotonic_s() - refused_s == pytest.approx(seconds, abs=0.3)


async def test_429_again_and_again_without_a_time_waits_longer_each_time():
    clock = HandClock()
    async with wire(answer(429, b"")) as url, client(url, clock=clock) as rest:
        waits = []
        for _ in range(7):
            finding = await rest.get("soccer/fixtures")
            assert isinstance(finding, Refused)
            waits.append(finding.retry_after_s)
    assert waits == [2, 4, 8, 16, 30, 30, 30]


# -- lists -----------------------------------------------------------------------------------------------------------


class Paged:
    """Answers by page: ``pages[n]`` to page n, or to cursor ``c<n>``."""

    def __init__(self, *pages):
        self.pages = pages
        self.queries = []

    async def answer(self, request):
        self.queries.append(dict(request.query))
        cursor = request.query.get("cursor", "")
        number = int(cursor[1:] if cursor else request.query.get("page", 0))
        page = self.pages[min(number, len(self.pages) - 1)]
        return page if isinstance(page, web.Response) else web.json_response(page)


async def outcome_of(paged, types=("official",)):
    async with serving(paged.answer) as url, client(url) as rest:
        return await Lister(rest, types=types).list("soccer")


async def listed(paged, types=("official",)):
    outcome = await outcome_of(paged, types)
    assert isinstance(outcome, Listed)
    return outcome


def names(outcome):
    assert isinstance(outcome, Listed)
    return [each.id for each in outcome.listing.fixtures]


async def test_a_list_asks_for_live_fixtures_of_one_type_page_by_page():
    paged = Paged({"content": [fixture("a")], "last": False}, {"content": [fixture("b")], "last": True})
    outcome = await listed(paged)
    assert names(outcome) == ["a", "b"]
    assert outcome.listing.whole
    first = {"live": "true", "paged": "true", "size": "100", "page": "0", "type": "official"}
    assert paged.queries == [first, {**first, "page": "1"}]


async def test_a_cursor_is_followed():
    outcome = await listed(Paged({"fixtures": [fixture("a")], "cursor": "c1"}, {"fixtures": [fixture("b")]}))
    assert names(outcome) == ["a", "b"]
    assert outcome.listing.whole


async def test_a_server_that_heeds_no_paging_is_asked_twice_and_no_more():
    paged = Paged([fixture(f"f{number}") for number in range(100)])
    outcome = await listed(paged)
    assert (len(names(outcome)), outcome.listing.whole, len(paged.queries)) == (100, True, 2)


async def test_paging_without_end_is_bounded_and_what_it_lacks_is_not_missing():
    endless = [{"content": [fixture(f"f{number}")], "last": False} for number in range(200)]
    paged = Paged(*endless)
    outcome = await listed(paged)
    assert (len(names(outcome)), outcome.listing.whole, len(paged.queries)) == (MOST_PAGES, False, MOST_PAGES)


async def test_a_page_that_fails_leaves_what_came_before_it_but_not_as_a_whole():
    outcome = await listed(Paged({"content": [fixture("a")], "last": False}, web.Response(status=500)))
    assert names(outcome) == ["a"]
    assert not outcome.listing.whole
    assert isinstance(outcome.failure, Refused)


async def test_an_entry_that_cannot_be_read_is_counted_and_the_list_is_not_whole():
    outcome = await listed(Paged([fixture("a"), {"name": "no id"}, fixture("b")]))
    assert names(outcome) == ["a", "b"]
    assert (outcome.unreadable, outcome.listing.whole) == (1, False)


async def test_fixtures_of_other_types_are_left_out_and_those_without_one_are_not():
    given = [fixture("a", type="Official"), fixture("b", type="Simulation"), fixture("c", type=3), fixture("d")]
    paged = Paged(given)
    assert names(await listed(paged)) == ["a", "d"]
    assert names(await listed(paged, types=("official", "simulation"))) == ["a", "b", "d"]
    assert "type" not in paged.queries[-1]


@pytest.mark.parametrize("document", [{}, {"message": "hello"}, {"a": [], "b": []}])
async def test_an_answer_that_is_no_list_is_a_failure(document):
    assert isinstance(await outcome_of(Paged(document)), NoList)


async def test_tennis_is_looked_for_where_it_may_be():
    async with rest_api() as api, client(api.url) as rest:
        api.lists["tennis/tournaments/liveevents"] = [{"eventId": "2026-0415-MS009"}]
        lister = Lister(rest, types=("official",))
        assert isinstance(await lister.list("tennis"), NotFound)
        assert names(await lister.list("tennis")) == ["2026-0415-MS009"]
        assert names(await lister.list("tennis")) == ["2026-0415-MS009"]
    assert api.asked == ["tournaments/liveevents", *["tennis/tournaments/liveevents"] * 2]
    assert api.queries == [{}, {}, {}]


async def test_a_wrong_token_is_told_by_a_list():
    async with rest_api() as api, client(api.url, token="another") as rest:
        outcome = await Lister(rest, types=("official",)).list("soccer")
    assert outcome == Unauthorised(401, "Supplied token could not be authenticated")


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"headers": {"Authorization": f"Bearer {TOKEN}"}}).encode(),  # an echo in the place of the API
        f"Bearer {TOKEN}".encode(),
        b"x" * 52 + TOKEN.encode(),
        b'{"a": "%s%s"}' % (b"x" * 180, TOKEN.encode()),
    ],
    ids=["no list", "no JSON", "no JSON, cut", "no list, cut"],
)
async def test_the_token_is_in_no_detail_not_even_in_part(body):
    async with wire(ok(body)) as url, client(url) as rest:
        outcome = await Lister(rest, types=("official",)).list("soccer")
    assert isinstance(outcome, NoList | Broken)
    assert TOKEN[:4] not in outcome.detail
