"""A server that is not ours: npm ``ws`` with permessage-deflate in several forms."""

import base64
import json

import pytest

from tests.connectors import npm
from tests.connectors.fastpath_vendor import ACTIONS, HEARTBEAT, TOKEN, action

pytestmark = [pytest.mark.kafka, pytest.mark.node]

PAYLOADS = [
    HEARTBEAT.encode(),
    *(action(number, note="Zürich 東京" * (number % 5)).encode() for number in range(200)),
    b"",
    b'{"broken":"\xff\xfe utf-8"}',
    b'{"timelineSequence":9.1e-15}',
    b'{"fixtureAction":{"x":"' + b"x" * 3_000_000 + b'"}}',
    bytes(range(256)) * 100,
]


@pytest.mark.parametrize(
    ("options", "negotiated"),
    [
        ({}, "permessage-deflate"),
        ({"serverNoContextTakeover": True}, "permessage-deflate; server_no_context_takeover"),
        (
            {"clientNoContextTakeover": True, "clientMaxWindowBits": 10},
            "permessage-deflate; client_max_window_bits=10; client_no_context_takeover",
        ),
    ],
    ids=["default", "no context", "client bounds"],
)
@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
async def test_npm_ws_with_per_message_deflate(fastpath, node_server, options, negotiated, binary):
    async with (
        npm.node(node_server, "fastpath.js", json.dumps(options)) as server,
        fastpath.connector(f"ws://{server.address}"),
    ):
        assert await server.says() == {
            "path": f"/{ACTIONS}?startPosition=0",
            "accept": "application/vnd.imggaming.dde.api+json;version=1",
            "auth": json.dumps({"authToken": TOKEN}),
            "binary": False,
            "extensions": negotiated,
        }
        for payload in PAYLOADS:
            server.order(send=base64.b64encode(payload).decode(), binary=binary)
        await fastpath.records(lambda seen: sum(r.kind == "frame" for r in seen) == len(PAYLOADS))
        server.order(drop=True)
        assert (await server.says())["path"] == f"/{ACTIONS}?startPosition=198"
        server.order(send=base64.b64encode(action(200).encode()).decode(), binary=binary)
        await fastpath.records(lambda seen: sum(r.kind == "frame" for r in seen) == len(PAYLOADS) + 1)
        server.order(close=1012)
        assert (await server.says())["path"] == f"/{ACTIONS}?startPosition=197"
    frames = [r.value for r in await fastpath.records() if r.kind == "frame"]
    assert frames == [*PAYLOADS, action(200).encode()]
    codes = [r.json["code"] for r in await fastpath.records() if r.kind == "closed"]
    assert codes == [1006, 1012, 1000]
