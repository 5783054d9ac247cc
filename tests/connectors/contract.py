"""The contract of every connector, over the raw records it wrote. A new feed's tests read its topic and call these."""

import re
from collections import defaultdict
from collections.abc import Iterable

from schemas.raw import KINDS
from tests.connectors.raw_topic import Raw

RMS_TICK = {
    "open", "joined", "reason", "heard_ns", "token_age_s", "refresh_age_s", "connects_left", "requests_left",
    "lookups_waiting",
}  # fmt: skip
CONTROL_FIELDS = {
    "kambi": {
        "opened": {"shard", "shards", "url", "keys"},
        "tick": {"shards"},
    },
    "fastpath": {
        "opened": {"feed", "url", "start_position", "events", "cause", "local"},
        "tick": {"open", "events"},
    },
    "rms": {
        "opened": {"customer", "url"},
        "tick": RMS_TICK,
        "closed": {"heard_ns"},
    },
}
COMMON_FIELDS = {
    "opened": {"previous_connection", "previous_frame"},
    "closed": {"code", "reason", "frames"},
    "overflow": {"lost", "first_frame", "last_frame"},
}
KEYS = {
    "kambi": lambda record: str(record.partition),
    "fastpath": lambda record: record.line.partition("@")[0],
    "rms": lambda record: re.split("[-~@]", record.line)[1],
}


def check(records: Iterable[Raw], *, feed: str, ended: bool = True) -> None:
    """Assert everything that holds for the raw records of a connector, whatever it received.

    Args:
        records: One partition, from its beginning, repeats included.
        feed: Name of the feed.
        ended: Whether every connector that wrote them was stopped in order (then every connection is closed).
    """
    records = list(records)
    by_connection = defaultdict(list)
    for record in records:
        is_timed = feed == "rms" and record.kind == "frame"
        assert record.headers.keys() - {"tc-position"} == HEADERS | ({"tc-after-ns"} if is_timed else set()), record
        assert int(record.headers.get("tc-after-ns", 0)) <= int(record.headers["tc-received-ns"])
        assert record.headers["tc-feed"] == feed
        assert record.kind in KINDS
        assert record.key == KEYS[feed](record).encode()
        assert record.timestamp_ms == int(record.headers["tc-received-ns"]) // 1_000_000
        if record.kind in CONTROL_FIELDS[feed].keys() | COMMON_FIELDS.keys():
            wanted = CONTROL_FIELDS[feed].get(record.kind, set()) | COMMON_FIELDS.get(record.kind, set())
            assert record.json.keys() - {"keys"} == wanted - {"keys"}
        by_connection[record.connection].append(record)
    for connection in by_connection.values():
        _check_connection(_while_open(connection), ended=ended)
    _check_chain(records)


def _while_open(records: list[Raw]) -> list[Raw]:
    """Leave out what is written between connections, in the name of the last one: ticks, and that the line is left."""
    closed = next((number for number, record in enumerate(records) if record.kind == "closed"), len(records))
    for record in records[closed + 1 :]:
        assert (record.kind, record.json.get("open")) == ("tick", False) or record.json["reason"] == "left"
        assert record.frame == records[closed].frame
    return records[: closed + 1]


HEADERS = {"tc-feed", "tc-line", "tc-connection", "tc-frame", "tc-received-ns", "tc-kind"}


def _check_connection(records: list[Raw], *, ended: bool) -> None:
    assert len({record.line for record in records}) == 1, "a connection belongs to one line"
    assert [record.kind for record in records].count("opened") == 1
    assert records[0].kind == "opened", "`opened` comes before everything"
    assert ended <= (records[-1].kind == "closed"), "`closed` ends what was stopped in order"
    frame = 0
    for position, record in enumerate(records):
        match record.kind:
            case "frame":
                frame += 1
                assert record.frame == frame, "frames are numbered from 1 without holes"
            case "overflow":
                lost = record.json
                assert lost["first_frame"] == frame + 1, "what was lost begins where the frames ended"
                assert lost["lost"] == lost["last_frame"] - lost["first_frame"] + 1
                frame = lost["last_frame"]
                assert record.frame == frame
            case "closed":
                assert position == len(records) - 1
                assert record.frame == frame == record.json["frames"]
            case _:
                assert record.frame == frame, "a control record names the last frame before it"


def _check_chain(records: list[Raw]) -> None:
    """Each ``opened`` names the connection of its line before it, and how far that came."""
    last: dict[str, tuple[str, int]] = {}
    for record in records:
        if record.kind == "opened":
            before = last.get(record.line, (None, None))
            assert (record.json["previous_connection"], record.json["previous_frame"]) == before
        last[record.line] = (record.connection, record.frame)
