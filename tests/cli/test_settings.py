from pathlib import Path

import pytest

from schemas.errors import ConfigurationError
from tricast.settings import Settings, load


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_defaults_need_no_environment():
    assert load({}) == Settings()


def test_environment_outranks_file_and_file_outranks_defaults():
    Path("tricast.toml").write_text(
        'topic_prefix = "file."\n[kafka]\nbootstrap_servers = "file:1"\nrequest_timeout_ms = 5\n'
    )
    settings = load({"TRICAST_KAFKA__BOOTSTRAP_SERVERS": "env:2", "OTHER": "x"})
    assert settings.topic_prefix == "file."
    assert settings.kafka.bootstrap_servers == "env:2"
    assert settings.kafka.request_timeout_ms == 5


def test_direct_construction_ignores_the_environment(monkeypatch):
    monkeypatch.setenv("TRICAST_TOPIC_PREFIX", "elsewhere.")
    assert Settings().topic_prefix == "tricast."
    assert load().topic_prefix == "elsewhere."


def test_empty_variable_counts_as_unset():
    assert load({"TRICAST_TOPIC_PREFIX": ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "closest"),
    [
        ("TRICAST_KAFKA__BOOTSTRAP_SERVER", "TRICAST_KAFKA__BOOTSTRAP_SERVERS"),
        ("TRICAST_KAFKA_BOOTSTRAP_SERVERS", "TRICAST_KAFKA__BOOTSTRAP_SERVERS"),
        ("TRICAST_TOPIC_PERFIX", "TRICAST_TOPIC_PREFIX"),
        ("TRICAST_KAFKA__SASL_PASWORD_FILE", "TRICAST_KAFKA__SASL_PASSWORD"),
    ],
)
def test_unknown_variable_names_the_closest(name, closest):
    with pytest.raises(ConfigurationError, match=f"unknown environment variable {name}") as caught:
        load({name: "x"})
    assert closest in caught.value.action
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("toml", "key", "closest"),
    [
        ('topic_prefx = "a."', "topic_prefx", "topic_prefix"),
        ('[kafka]\nbootstrap_server = "a:1"', "kafka.bootstrap_server", "kafka.bootstrap_servers"),
    ],
)
def test_unknown_key_in_the_file_names_the_closest(toml, key, closest):
    Path("tricast.toml").write_text(toml)
    with pytest.raises(ConfigurationError, match=f"unknown key {key}") as caught:
        load({})
    assert closest in caught.value.action


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"TRICAST_KAFKA__BOOTSTRAP_SERVERS": "localhost"}, "'localhost' is not host:port"),
        ({"TRICAST_KAFKA__BOOTSTRAP_SERVERS": "a:99999"}, "is not host:port"),
        ({"TRICAST_KAFKA__REQUEST_TIMEOUT_MS": "soon"}, "TRICAST_KAFKA__REQUEST_TIMEOUT_MS"),
        ({"TRICAST_KAFKA__SECURITY_PROTOCOL": "TLS"}, "TRICAST_KAFKA__SECURITY_PROTOCOL"),
        ({"TRICAST_KAFKA__SECURITY_PROTOCOL": "SASL_SSL"}, "needs sasl_mechanism"),
        ({"TRICAST_TOPIC_PREFIX": "my_prefix."}, "TRICAST_TOPIC_PREFIX: Value error, only letters"),
    ],
)
def test_impossible_value_is_named(environment, said):
    with pytest.raises(ConfigurationError) as caught:
        load(environment)
    assert said in caught.value.message


def test_secret_comes_from_a_file_and_is_not_printed(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    settings = load(
        {
            "TRICAST_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "TRICAST_KAFKA__SASL_MECHANISM": "PLAIN",
            "TRICAST_KAFKA__SASL_USERNAME": "me",
            "TRICAST_KAFKA__SASL_PASSWORD_FILE": str(secret),
        }
    )
    assert settings.kafka.sasl_password is not None
    assert settings.kafka.sasl_password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(settings)


def test_secret_is_not_in_an_error_about_its_section():
    with pytest.raises(ConfigurationError) as caught:
        load({"TRICAST_KAFKA__SECURITY_PROTOCOL": "SASL_SSL", "TRICAST_KAFKA__SASL_PASSWORD": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_secret_given_twice_or_unreadable_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="both set"):
        load({"TRICAST_KAFKA__SASL_PASSWORD": "a", "TRICAST_KAFKA__SASL_PASSWORD_FILE": "b"})
    with pytest.raises(ConfigurationError, match="cannot read"):
        load({"TRICAST_KAFKA__SASL_PASSWORD_FILE": str(tmp_path / "absent")})


def test_named_file_must_exist_and_be_toml(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot read"):
        load({}, tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("topic_prefix = ")
    with pytest.raises(ConfigurationError, match="is not TOML"):
        load({}, broken)
