"""Samples of the vendors' bytes that stand in the tests: golden frames, shapes of messages, answers of HTTP."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.core.kambi.frames import frame, packet
from tests.core.kambi.shapes import SHAPES

_GOLDEN = Path(__file__).parent.parent / "golden"
_PLACE = re.compile(r"<(id|int|odds):[a-z]+>")


@cache
def kambi_frames() -> tuple[bytes, ...]:
    """Return golden frames and one of each shape of message."""
    shaped = (_PLACE.sub("1020000001", shape) for shape in SHAPES.values())
    bulks = (frame(shape.replace('{"mt"', '{"t":"1790000000001","mt"', 1)) for shape in shaped)
    return (*_frames(_GOLDEN), *bulks, *kambi_control())


def kambi_control() -> tuple[bytes, ...]:
    """Return packets that are no offering data: acknowledgements, refusals (fact sheet §4)."""
    lives = (
        r'{"mt":18,"er":{"eventId":1020000001}},{"mt":34,"esu":{"id":7,"state":"STARTED"}},'
        r'{"mt":5,"leo":{"event":{"id":9}}}'
    )
    return (
        b'2["message",{"code":429,"topic":"ev.1020000001"}]',
        b'31[{"code":429,"data":{"code":429,"topic":"ub.en_GB.l.ev"}}]',
        b'4{"message":"Too many keys","data":{"code":"429","topic":"x"}}',
        b'0{"sid":"s1"}',
        packet(f"[{lives}]"),
    )


@cache
def fastpath_frames() -> tuple[bytes, ...]:
    """Return golden frames."""
    return tuple(_frames(_GOLDEN / "fastpath"))


@cache
def rms_frames() -> tuple[bytes, ...]:
    """Return golden frames and answers to look-ups."""
    return (
        *_frames(_GOLDEN / "rms"),
        b'0{"sid":"s1"}',
        b'30[{"status":"ok"}]',
        b'4{"message":"Unauthorized","data":{"statusCode":401,"message":"x"}}',
        b'4{"message":"customer","data":{"statusCode":"403"}}',
        b"1",
    )


ENGINE = (
    b'0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
    b'40{"sid":"wZX3oN0bSVIhsaknAAAI"}',
    b"2probe",
    b"2",
    b"6",
    b"1",
    b'42["message","[]"]',
    b'44{"message":"Unauthorized","data":{"statusCode":401}}',
)
OFFERING = tuple(
    json.dumps(body).encode()
    for body in (
        {"liveEvents": [{"event": {"id": 1020000001, "state": "STARTED"}}, {"event": {"id": "1020000002"}}]},
        {"error": {"status": 404, "message": "no such event"}},
        {"betOffers": [{"id": 1, "eventId": 2, "outcomes": [{"id": 3, "odds": 1500}]}], "events": [{"id": 2}]},
        [1, 2],
    )
)
FIXTURES = tuple(
    json.dumps(body).encode()
    for body in (
        [{"id": "11111111-2222-4333-8444-555555555555", "status": "Live", "collectionStatus": 1, "type": "Official"}],
        {"content": [{"fixtureId": 7, "status": 2}], "last": False, "pageable": {"pageNumber": 0}},
        {"fixtures": [{"id": "a", "fixtureDeleted": True}], "pagination": {"nextCursor": "x"}, "totalPages": 3},
        {"content": [{"events": [{"eventId": "R2023-33-E1-2-T1"}]}], "page": {"totalPages": 3}},
        {"errorMessage": "Authentication failed", "status": 401},
        {"error": {"code": 500}},
    )
)
TOKENS = (
    *(
        json.dumps(body).encode()
        for body in (
            {"expires": "", "expiresIn": 1800, "accessToken": "a.b.c", "refreshToken": "r-1"},
            {"expires_in": "1800", "access_token": "a.b.c", "refresh_token": "r-1"},
            {"message": "Unauthorized", "statusCode": 401},
        )
    ),
    b"<html>502</html>",
)
BETS = tuple(
    json.dumps(body).encode()
    for body in (
        {"success": True, "data": {"code": "k3v9", "status": "accepted", "bet_slip_id": "s-1"}},
        {"success": False, "error": {"message": "not found"}},
        {"data": [{"code": 1, "status": "reserve"}]},
    )
)


def _frames(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.glob("*.json")):
        sample = json.loads(path.read_text(encoding="utf-8"))
        text = next((sample[name] for name in ("frame", "packet", "body") if isinstance(sample.get(name), str)), None)
        if text is not None:
            yield text.encode()
