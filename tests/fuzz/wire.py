"""What connectors read of a vendor: packets, answers, headers. Each input stands alone."""

import contextlib
import json
from collections.abc import Callable, Iterable, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any, Final, cast

import aiohttp

from connectors import engineio, handshake, shown, tail
from connectors.fastpath import commands, fixtures, rest
from connectors.fastpath import protocol as fastpath
from connectors.kambi import answers, keys
from connectors.kambi import protocol as kambi
from connectors.retry_after import LONGEST_S, retry_after_s
from connectors.rms import bet_detail, grants, lookup_queue
from connectors.rms import protocol as rms
from connectors.rms.token_plan import Exchange, TokenPlan
from connectors.runner import ConnectFailed
from schemas.replay import MAX_ATTEMPTS, ReplayRequest
from tests.fuzz import golden
from tests.fuzz.target import Input, Take, Target
from tricast.dlq.letters import read_letter
from tricast.dlq.requests import request_of
from tricast.dlq.shown import summary, value_text

_NOW_NS: Final = 1_790_000_000_000_000_000
_SECRET: Final = "a-token-of-sixteen-and-more"
_STATUSES: Final = (200, 201, 301, 400, 401, 403, 404, 429, 500, 503)


def _engineio(given: Input) -> None:
    value = given.value
    opened = engineio.read_open(value)
    assert opened is None or opened.silence_s == opened.silence_s  # no NaN
    packet = engineio.read_text(value)
    if isinstance(packet, engineio.Message):
        engineio.is_connect_error(packet.payload)
        engineio.is_disconnect(packet.payload)
    elif isinstance(packet, engineio.Ping):
        packet.reply.encode()


class _Socket:
    """What a server says in a handshake: ``first``, and then that the connect is accepted."""

    def __init__(self, first: bytes) -> None:
        self._says = [first, first, b'40{"sid":"s"}']

    async def receive(self) -> Any:
        return SimpleNamespace(type=aiohttp.WSMsgType.TEXT, data=self._says.pop(0), extra="")

    async def send_str(self, text: str) -> None:
        text.encode()


def _handshake(given: Input) -> None:
    socket = cast("handshake.WebSocket", _Socket(given.value))
    work = handshake._shake_hands(socket, lambda text: shown.without_secrets(text, (_SECRET,)))
    with contextlib.suppress(ConnectFailed, IndexError):  # the latter: it asked for more than the three
        _now(work)


def _now(work: Any) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()


def _kambi_packet(given: Input) -> None:
    for sign in kambi.signs(given.value):
        match sign:
            case kambi.Refused(topic=topic):
                parsed = keys.parse(topic)
                assert parsed is None or isinstance(parsed, keys.RoutingKey)
            case kambi.Ended(event) | kambi.Started(event):
                assert 0 < event < 10**19
    for event in kambi.events_named(given.value):
        assert 0 <= event < 10**19


def _kambi_answer(given: Input) -> None:
    unusable = answers.fault(given.value)
    assert unusable is None or unusable.detail
    listing = answers.live_events(given.value)
    assert listing is None or all(0 < event < 10**19 for event in listing.events)


def _fastpath_packet(given: Input) -> None:
    said = fastpath.read(given.value)
    if isinstance(said, fastpath.Refusal):
        fastpath.shown(said.text, _SECRET).encode()
    text = given.value.decode("utf-8", "replace")
    fastpath.refused_status(401, text)
    fastpath.refused_close(1008, text, heard=False)


def _fastpath_list(given: Input) -> None:
    document = rest._decoded(given.value)
    rest.error_in(document)
    for sport in ("soccer", "golf"):
        page = fixtures.read_page(document, sport=sport, number=0)
        if page is not None:
            for fixture in page.fixtures:
                fixture.id.encode("ascii")
        fixtures.read_fixture(document, sport=sport)


def _fastpath_command(given: Input) -> None:
    commands.read_command(given.value, given.headers)


def _rms_packet(given: Input) -> None:
    value = given.value
    rms.is_joined(value)
    refusal = rms.refused_connect(value)
    shown.without_secrets(refusal.text, (_SECRET,)).encode()
    assert shown.masked(value, (_SECRET,)) == value or _SECRET.encode() in value
    rms.refused_upgrade(401, value.decode("utf-8", "replace"))


def _rms_tokens(given: Input) -> None:
    for status in (200, 401, 429):
        answer = grants.read_answer(status, given.value, retry_after_s=0.0)
        plan = TokenPlan(Random(1))
        plan.answered(Exchange(), answer, asked_s=0.0, now_s=1.0)
        plan.next(1.0)
        if isinstance(answer, grants.Grant):
            f"Bearer {answer.access}".encode("ascii")
            json.dumps({"refreshToken": answer.refresh}).encode("ascii")


def _rms_bet(given: Input) -> None:
    for status in _STATUSES:
        bet_detail.meaning(status, given.value)
    bet = bet_detail.bet_at(given.value.decode("utf-8", "replace"))
    if bet is not None:
        assert bet_detail.bet_at(bet_detail.position_of(bet)) == bet


def _rms_look_up(given: Input) -> None:
    wanted = lookup_queue.read_look_up(given.value, given.headers)
    if isinstance(wanted, lookup_queue.Wanted):
        bet_detail.position_of(lookup_queue.Bet(wanted.bet_slip_id, wanted.bet_code)).encode()


def _retry_after(given: Input) -> None:
    after_s = retry_after_s(given.value.decode("utf-8", "surrogateescape"), now_ns=_NOW_NS)
    assert 0 <= after_s <= LONGEST_S


def _tail() -> Take:
    tails: dict[str, tail.LineTail] = {}

    def take(given: Input) -> None:
        record = SimpleNamespace(headers=given.headers, value=given.value, timestamp=given.timestamp_ms)
        tail._note(tails, cast("Any", record))

    return take


def _letter(given: Input) -> None:
    record = SimpleNamespace(
        topic="tricast.kambi.dead-letters",
        partition=0,
        offset=7,
        timestamp=given.timestamp_ms,
        key=given.key,
        value=given.value,
        headers=given.headers,
    )
    letter = read_letter(cast("Any", record))
    if letter is not None:
        json.dumps(summary(letter))
        value_text(letter.value).encode("utf-8", "replace")
        if letter.attempt < MAX_ATTEMPTS:  # beyond it no request is made
            ReplayRequest.read(request_of(letter).headers)


def _letters() -> Sequence[Sequence[Input]]:
    headers = {"tc-code": b"kambi.not-json", "tc-detail": b"it is none", "tc-source": b"tricast.kambi.raw/0/12/3"}
    headers |= {"tc-version": b"0.1.0", "tc-kind": b"frame", "tc-line": b"kambi-0-general", "tc-frame": b"7"}
    headers |= {"tc-truncated": b"9000000", "tc-replay-attempt": b"1", "tc-part": b"message"}
    frames = golden.kambi_frames()[:20]
    return [[Input(value, tuple(headers.items()), b"0", 1_790_000_000_000) for value in frames]]


def _each(*values: bytes) -> Callable[[], Sequence[Sequence[Input]]]:
    return lambda: [[Input(value)] * 8 for value in values]


def _commands() -> Sequence[Sequence[Input]]:
    feed = "soccer/fixtures/11111111-2222-4333-8444-555555555555/actions"
    headers = (("ce_type", b"tricast.fastpath.command.repair.v1"), ("ce_id", b"t/0/1/0"))
    values = ({"feed": feed, "line": feed, "position": 7}, {"feed": feed, "line": feed + "@b", "position": 0})
    return [[Input(json.dumps(value).encode(), headers)] for value in values]


def _look_ups() -> Sequence[Sequence[Input]]:
    value = {"customer": "90210", "bet_slip_id": "s-1", "bet_code": "k-1", "why": "gap", "asked_ns": 1, "until_ns": 2}
    return [[Input(json.dumps(value).encode(), (("ce_type", b"tricast.rms.lookup.v1"),))]]


def _stamped() -> Iterable[Input]:
    headers = {
        "tc-feed": b"kambi",
        "tc-line": b"kambi-0-general",
        "tc-connection": b"c-1",
        "tc-received-ns": b"1790000000000000000",
    }
    for number, (kind, value) in enumerate(
        (
            ("opened", b'{"shard":0,"shards":4,"keys":["a"],"events":0}'),
            ("frame", b'2["message","[]"]'),
            ("tick", b'{"shards":4,"events":9}'),
            ("closed", b'{"code":1006,"reason":"x","frames":3}'),
            ("closed", b'{"code":403,"reason":"x","frames":0}'),
        )
    ):
        stamps = headers | {"tc-frame": b"%d" % number, "tc-kind": kind.encode()}
        yield Input(value, tuple(stamps.items()), timestamp_ms=1_790_000_000_000)


def _alone(take: Take) -> Callable[[], Take]:
    return lambda: take


_DATES = (b"120", b"Wed, 21 Oct 2026 07:28:00 GMT", b"Wed, 21 Oct 2026 07:28:00 -0000", b"21 Oct 2026", b"1.5")

WIRE: Final = (
    Target(name="engine.io", samples=_each(*golden.ENGINE), begin=_alone(_engineio)),
    Target(name="handshake", samples=_each(*golden.ENGINE), begin=_alone(_handshake)),
    Target(name="kambi.packet", samples=_each(*golden.kambi_frames()), begin=_alone(_kambi_packet)),
    Target(name="kambi.answer", samples=_each(*golden.OFFERING), begin=_alone(_kambi_answer)),
    Target(name="fastpath.packet", samples=_each(*golden.fastpath_frames()), begin=_alone(_fastpath_packet)),
    Target(name="fastpath.list", samples=_each(*golden.FIXTURES), begin=_alone(_fastpath_list)),
    Target(name="fastpath.command", samples=_commands, begin=_alone(_fastpath_command)),
    Target(name="rms.packet", samples=_each(*golden.rms_frames()), begin=_alone(_rms_packet)),
    Target(name="rms.tokens", samples=_each(*golden.TOKENS), begin=_alone(_rms_tokens)),
    Target(name="rms.bet-detail", samples=_each(*golden.BETS, b"bet/detail?code=k-1&slip=s-1"), begin=_alone(_rms_bet)),
    Target(name="rms.look-up", samples=_look_ups, begin=_alone(_rms_look_up)),
    Target(name="retry-after", samples=_each(*_DATES), begin=_alone(_retry_after)),
    Target(name="dead-letter", samples=_letters, begin=_alone(_letter)),
    Target(name="raw-tail", samples=lambda: [list(_stamped())], begin=_tail),
)
