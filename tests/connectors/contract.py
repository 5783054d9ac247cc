"""The contract of every connector, over the raw records it wrote. A new feed's tests read its topic and call these."""

from collections import defaultdict
from collections.abc import Iterable

from schemas.raw import KINDS
from tests.connectors.raw_topic import Raw

CONTROL_FIELDS = {
    "opened": {"shard", "shards", "url", "keys", "previous_connection", "previous_frame"},
    "closed": {"code", "reason", "frames"},
    "overflow": {"lost", "first_frame", "last_frame"},
    "tick": {"shards"},
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
        assert record.headers.keys() - {"tc-position"} == HEADERS, record
        assert record.headers["tc-feed"] == feed
        assert record.kind in KINDS
        assert record.key == str(record.partition).encode()
        assert record.timestamp_ms == int(record.headers["tc-received-ns"]) // 1_000_000
        by_connection[record.connection].append(record)
    for connection in by_connection.values():
        _check_connection(connection, ended=ended)
    _check_chain(records)


HEADERS = {"tc-feed", "tc-line", "tc-connection", "tc-frame", "tc-received-ns", "tc-kind"}


def _check_connection(records: list[Raw], *, ended: bool) -> None:
    assert len({record.line for record in records}) == 1, "a connection belongs to one line"
    assert [record.kind for record in records].count("opened") == 1
    assert records[0].kind == "opened", "`opened` comes before everything"
    assert ended <= (records[-1].kind == "closed"), "`closed` ends what was stopped in order"
    frame = 0
    for position, record in enumerate(records):
        if record.kind in CONTROL_FIELDS:
            assert record.json.keys() - {"keys"} == CONTROL_FIELDS[record.kind] - {"keys"} or record.kind == "opened"
            assert record.json.keys() >= CONTROL_FIELDS[record.kind] & {"previous_connection", "previous_frame"}
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
