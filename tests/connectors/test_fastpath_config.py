import pytest
from pydantic import ValidationError

from connectors.fastpath.config import FastpathSettings
from schemas.errors import ConfigurationError
from tests.connectors.fastpath_vendor import ACTIONS, STATISTICS
from tricast.settings import load

SECRET = "MADE-UP-SECRET"


@pytest.mark.parametrize(
    ("given", "feeds"),
    [
        (f"/{ACTIONS}, {STATISTICS}\n{ACTIONS}", (ACTIONS, STATISTICS)),
        (["/soccer/fixtures/1/actions/"], ("soccer/fixtures/1/actions",)),
        (["multiplexer/?sport=golf"], ("multiplexer/?sport=golf",)),
        (["/multiplexer/?catchup=true"], ("multiplexer/?catchup=true",)),
        (["a/b/c"], ("a/b/c",)),
        ("", ()),
    ],
)
def test_feeds_are_paths_each_once(given, feeds):
    assert FastpathSettings(feeds=given).feeds == feeds


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("stream_url", "dde-streams.data.srarena.io", "not a wss or ws URL"),
        ("stream_url", "https://dde-streams.data.srarena.io", "not a wss or ws URL"),
        ("stream_url", "wss://host/?token=x", "query"),
        ("stream_url", "wss://user:secret@host", "user name"),
        ("api_url", "wss://host", "not a https or http URL"),
        ("feeds", ["wss://host/soccer/fixtures/1/actions"], "give the path alone"),
        ("feeds", [f"{ACTIONS}?startPosition=5"], "startPosition is the connector's"),
        ("feeds", [f"{ACTIONS}?STARTPOSITION="], "startPosition is the connector's"),
        ("feeds", ["/"], "no path of a feed"),
        ("feeds", [""], "no path of a feed"),
        ("feeds", ["a b"], "no path of a feed"),
        ("feeds", ["a\nb"], "no path of a feed"),
        ("feeds", ["a@b"], "no path of a feed"),
        ("feeds", ["a#b"], "no path of a feed"),
        ("feeds", ["é"], "no path of a feed"),
        ("feeds", ["x" * 600], "no path of a feed"),
        ("sports", ["Soccer"], "pattern"),
        ("kinds", ["odds"], "'actions' or 'statistics'"),
        ("replica", "B", "pattern"),
        ("replica", "b\n", "pattern"),
        ("tick_interval_s", 0, "greater than 0"),
        ("heartbeat_s", 0, "greater than 0"),
        ("backoff_s", [], "at least 1 item"),
        ("max_message_bytes", 9_000_000, "less than or equal"),
        ("spool_bytes", 1024, "spool_bytes is below queue_bytes"),
        ("hold_ms", -1, "greater than or equal to 0"),
        ("hold_count", 0, "greater than or equal to 1"),
        ("nonsense", 1, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(setting, value, said):
    with pytest.raises(ValidationError, match=said):
        FastpathSettings(**{setting: value})


@pytest.mark.parametrize("given", [SECRET, f" {SECRET}\n", f"\t{SECRET}\r\n"])
def test_blanks_around_a_token_do_not_matter(given):
    assert FastpathSettings(token=given).token.get_secret_value() == SECRET


@pytest.mark.parametrize("between", ["\n", "\r\n", "\x00", "\x7f", "\x1b[0m", "é", "\u200b"])
def test_a_token_of_two_lines_or_with_control_characters_is_refused_and_not_shown(between):
    with pytest.raises(ValidationError, match="line break, a control character or a non-ASCII one") as refused:
        FastpathSettings.model_validate({"token": f"{SECRET}{between}{SECRET}"})
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(refused.value)
    with pytest.raises(ConfigurationError, match=r"TRICAST_FASTPATH__TOKEN: .*line break") as refused:
        load({"TRICAST_FASTPATH__TOKEN": f"{SECRET}{between}{SECRET}"})
    assert SECRET not in str(refused.value)


def test_the_token_may_come_from_a_file_with_a_line_end_and_is_never_shown(tmp_path):
    (tmp_path / "token").write_text(f"{SECRET}\n\n")
    settings = load({"TRICAST_FASTPATH__TOKEN_FILE": str(tmp_path / "token")}).fastpath
    assert settings.token.get_secret_value() == SECRET
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("url", "legacy"),
    [
        ("wss://dde-streams.data.imgarena.com", True),
        ("wss://DDE-STREAMS.imggaming.com:443", True),
        ("wss://imgarena.com", True),
        ("wss://dde-streams.data.srarena.io", False),
        ("wss://notimgarena.com", False),
        ("wss://imgarena.com.example.org", False),
        ("ws://127.0.0.1:9", False),
    ],
)
def test_legacy_hosts_are_known(url, legacy):
    assert bool(FastpathSettings(stream_url=url).legacy_hosts) is legacy


def test_what_the_environment_gives():
    settings = load(
        {
            "TRICAST_FASTPATH__FEEDS": f"{ACTIONS},multiplexer/?sport=golf",
            "TRICAST_FASTPATH__SPORTS": "soccer,v2/volleyball",
            "TRICAST_FASTPATH__KINDS": "actions",
            "TRICAST_FASTPATH__BACKOFF_S": "1,2",
            "TRICAST_FASTPATH__HEARTBEAT_S": "5",
        }
    ).fastpath
    assert settings.feeds == (ACTIONS, "multiplexer/?sport=golf")
    assert settings.sports == ("soccer", "v2/volleyball")
    assert settings.kinds == ("actions",)
    assert settings.backoff_s == (1, 2)
    assert settings.heartbeat_s == 5
