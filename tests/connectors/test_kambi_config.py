import pytest
from pydantic import ValidationError

from connectors.handshake import socket_url
from connectors.kambi.config import KambiSettings


@pytest.mark.parametrize(
    ("given", "events"),
    [
        ("live", "live"),
        (["live"], "live"),
        ("1,2", (1, 2)),
        ("1 2,,3", (1, 2, 3)),
        (["1020000001", "7"], (1020000001, 7)),
        ([], ()),
    ],
)
def test_events_are_ids_or_live(given, events):
    assert KambiSettings(events=given).events == events


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("push_url", "eu-push.kambicdn.com", "not a ws or wss or http or https URL"),
        ("push_url", "ftp://host", "not a ws or wss or http or https URL"),
        ("push_url", "wss://", "with a host"),
        ("push_url", "wss://host:99999", "[Pp]ort"),
        ("push_url", "wss://host/socket.io/?EIO=3", "query"),
        ("push_url", "wss://user:secret@host", "user name"),
        ("offering_url", "wss://host", "not a http or https URL"),
        ("offering", "Kambi", "pattern"),
        ("language", "english", "pattern"),
        ("events", "all", "'all' is no event id; give ids such as"),
        ("events", "1020000001,-1", "'-1' is no event id"),
        ("events", ["live", "1020000001"], "'live' is no event id"),
        ("events", 7, "tuple"),
        ("events", [0], "greater than 0"),
        ("max_keys_per_connection", 1, "greater than or equal to 2"),
        ("tick_interval_s", 0, "greater than 0"),
        ("shard", 4, "shard 4 is not one of 4"),
        ("shard", -1, "greater than or equal to 0"),
        ("shard", "some", "'all'"),
        ("shards", 1025, "less than or equal to 1024"),
        ("shards", 0, "greater than or equal to 1"),
        ("max_connections", 4, "max_connections 4 is too few.*are 5"),
        ("replica", "B", "pattern"),
        ("replica", "ninechars", "pattern"),
        ("replica", "b\n", "pattern"),
        ("max_message_bytes", 9_000_000, "less than or equal"),
        ("spool_bytes", 1_000_000, "spool_bytes is below queue_bytes"),
        ("spool_bytes", -1, "greater than or equal to 0"),
        ("no_such_setting", 1, "not permitted"),
    ],
)
def test_a_bad_setting_is_a_clear_error(setting, value, said):
    with pytest.raises(ValidationError, match=said):
        KambiSettings(**{setting: value})


def test_settings_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        KambiSettings().offering = "ub"


@pytest.mark.parametrize(
    ("push_url", "url"),
    [
        ("wss://eu-push.kambicdn.com", "wss://eu-push.kambicdn.com/socket.io/?EIO=4&transport=websocket"),
        ("http://127.0.0.1:8080/", "ws://127.0.0.1:8080/socket.io/?EIO=4&transport=websocket"),
        ("https://host/kambi/socket.io", "wss://host/kambi/socket.io/?EIO=4&transport=websocket"),
    ],
)
def test_the_socket_url(push_url, url):
    assert socket_url(KambiSettings(push_url=push_url).push_url) == url


@pytest.mark.parametrize(
    ("settings", "shards", "settlements", "event_lines"),
    [
        ({}, (0, 1, 2, 3), True, 11),
        ({"shards": 2}, (0, 1), True, 23),
        ({"shard": 0}, (0,), True, 48),
        ({"shard": "3"}, (3,), False, 49),
        ({"shard": 3, "max_connections": 1}, (3,), False, 0),
        ({"settlements": False}, (0, 1, 2, 3), False, 11),
        ({"settlements": False, "max_connections": 4}, (0, 1, 2, 3), False, 0),
    ],
)
def test_what_a_process_runs(settings, shards, settlements, event_lines):
    configured = KambiSettings(**settings)
    assert (configured.own_shards, configured.runs_settlements) == (shards, settlements)
    assert configured.event_lines_per_shard == event_lines
