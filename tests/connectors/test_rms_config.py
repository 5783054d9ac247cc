import pytest
from pydantic import SecretStr, ValidationError

from connectors.rms import names
from connectors.rms.config import RmsSettings
from schemas.errors import ConfigurationError
from tricast.settings import load

SECRET = "MADE-UP-SECRET"


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("socket_url", "rms.lsports.eu", "not a wss or ws URL"),
        ("socket_url", "https://rms.lsports.eu", "not a wss or ws URL"),
        ("socket_url", "wss://user:secret@host", "user name"),
        ("auth_url", "wss://host", "not a https or http URL"),
        ("bets_url", "https://host/?x=1", "query"),
        ("socket_path", "socket.io", "pattern"),
        ("socket_path", "/socket.io?x", "pattern"),
        ("customer_id", "9021a", "digits only"),
        ("customer_id", "-1", "digits only"),
        ("customer_id", "9021.0", "digits only"),
        ("customer_id", "٣", "digits only"),
        ("customer_id", "9" * 21, "digits only"),
        ("customer_id", True, "valid string"),
        ("customer_id", 1.5, "valid string"),
        ("secret", f"{SECRET}\n{SECRET}", "is it two lines"),
        ("replica", "B", "pattern"),
        ("replicas_behind_ip", 0, "greater than or equal to 1"),
        ("replicas_behind_ip", 11, "connects_per_minute shared by replicas_behind_ip 11 leaves none"),
        ("connects_per_minute", 0, "greater than or equal to 1"),
        ("lookups_per_15_min", 101, "more than requests_per_15_min"),
        ("join_timeout_s", 0, "greater than 0"),
        ("handshake_timeout_s", "inf", "finite number"),
        ("backoff_s", [], "at least 1 item"),
        ("max_message_bytes", 9_000_000, "less than or equal"),
        ("spool_bytes", 1024, "spool_bytes is below queue_bytes"),
        ("remember_s", 4_000, "would be forgotten undecided"),
        ("nonsense", 1, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(setting, value, said):
    with pytest.raises(ValidationError, match=said) as error:
        RmsSettings.model_validate({setting: value})
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("given", ["90210", " 90210\n", 90210])
def test_the_customer_is_digits_whatever_is_around_them(given):
    assert RmsSettings.model_validate({"customer_id": given}).customer_id == "90210"


@pytest.mark.parametrize(
    ("given", "socket", "bets"),
    [
        ({}, "wss://rms.lsports.eu", "https://rms.lsports.eu/rms-bet/v1"),
        ({"socket_url": "ws://127.0.0.1:81/"}, "ws://127.0.0.1:81", "http://127.0.0.1:81/rms-bet/v1"),
        ({"socket_url": "wss://host/rms-socket/socket.io/"}, "wss://host", "https://host/rms-bet/v1"),
        ({"socket_url": "wss://host/proxy"}, "wss://host/proxy", "https://host/rms-bet/v1"),
        ({"socket_url": "wss://host", "bets_url": "https://other/bets/"}, "wss://host", "https://other/bets"),
    ],
)
def test_no_token_goes_to_a_host_that_nobody_named(given, socket, bets):
    settings = RmsSettings.model_validate(given)
    assert (settings.socket_url, settings.bet_api) == (socket, bets)


def test_replicas_behind_one_address_share_the_limits():
    alone, third = RmsSettings(), RmsSettings(replicas_behind_ip=3)
    assert (alone.connects_share, alone.requests_share, alone.lookups_share) == (10, 100, 50)
    assert (third.connects_share, third.requests_share, third.lookups_share) == (3, 33, 16)


def test_the_secret_is_not_shown():
    settings = RmsSettings(secret=SecretStr(f" {SECRET}\n"))
    assert settings.secret.get_secret_value() == SECRET
    assert SECRET not in repr(settings)


def test_the_environment_names_a_secret_or_its_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    given = {"TRICAST_RMS__CUSTOMER_ID": "90210", "TRICAST_RMS__BACKOFF_S": "1,2"}
    rms = load(given | {"TRICAST_RMS__SECRET_FILE": str(file)}).rms
    assert (rms.customer_id, rms.backoff_s, rms.secret_file, rms.secret.get_secret_value()) == (
        "90210",
        (1, 2),
        file,
        "",
    )
    assert load(given | {"TRICAST_RMS__SECRET": SECRET}).rms.secret.get_secret_value() == SECRET
    with pytest.raises(ConfigurationError, match="TRICAST_RMS__CUSTOMER_ID") as error:
        load(given | {"TRICAST_RMS__CUSTOMER_ID": "x", "TRICAST_RMS__SECRET": SECRET})
    assert SECRET not in str(error.value)


def test_lines_of_a_customer():
    assert [
        names.line_of("7"),
        names.line_of("7", "b"),
        names.line_of("7", second=True),
        names.line_of("7", "b", second=True),
        names.lookups_line("7"),
        names.lookups_line("7", "b"),
    ] == ["rms-7", "rms-7@b", "rms-7~2", "rms-7~2@b", "rms-7-lookups", "rms-7-lookups@b"]
    assert {names.partition_of(str(number)) for number in range(100)} == set(range(names.PARTITIONS))
