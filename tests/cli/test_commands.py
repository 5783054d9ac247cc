"""The command line as its users meet it: help, messages, exit codes."""

import asyncio
import json
import subprocess
import sys

import click
import pytest
from aiokafka import AIOKafkaProducer

from schemas.errors import EnvironmentFault
from schemas.topics import TOPICS
from tricast.cli.main import INTERRUPTED, cli, run

NOBODY = "127.0.0.1:1"
"""Nothing listens there."""


@pytest.fixture(autouse=True)
def _own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def commands(group=cli, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize("path", [(), *commands()], ids=" ".join)
def test_every_command_has_help_that_teaches(path, capsys):
    assert run([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Usage: tricast" in shown
    if path[:1] != ("kafka",):
        assert "Examples:" in shown
        assert "tricast " + " ".join(path) in shown


def test_help_documents_exit_codes(capsys):
    run(["--help"])
    shown = capsys.readouterr().out
    for line in ("   0  all is well", "   1  ", "   2  ", "   3  ", "  70  ", "  78  ", " 130  "):
        assert line in shown


def test_version(capsys):
    assert run(["--version"]) == 0
    assert "tricast" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("TRICAST_KAMBI__PUSH_ULR", "wss://x", "did you mean TRICAST_KAMBI__PUSH_URL?"),
        ("TRICAST_KAMBI__PUSH_URL", "eu-push.kambicdn.com", "TRICAST_KAMBI__PUSH_URL"),
        ("TRICAST_KAMBI__EVENTS", "1,two", "TRICAST_KAMBI__EVENTS"),
    ],
)
@pytest.mark.parametrize("command", [["work"], ["connect", "kambi"], ["topics", "list"], ["audit"]], ids=" ".join)
def test_wrong_setting_is_exit_2_with_a_message(command, variable, value, said, monkeypatch, capsys):
    monkeypatch.setenv(variable, value)
    assert run(command) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "Operator action:" in shown
    assert "Traceback" not in shown


def test_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("TRICAST_TOPIC_PREFX", "x.")
    with pytest.raises(Exception, match="unknown environment variable"):
        run(["--debug", "topics", "list"])


@pytest.mark.parametrize("arguments", [["nonsense"], ["work", "nobody"], ["tail"], ["connect", "nobody"]], ids=" ".join)
def test_wrong_argument_is_exit_2(arguments, capsys):
    assert run(arguments) == 2
    assert "Error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["topics", "check"], ["topics", "create"], ["tail", "kambi.raw"], ["audit"]], ids=" ".join
)
def test_no_kafka_is_exit_3_with_a_message(command, monkeypatch, capsys):
    monkeypatch.setenv("TRICAST_KAFKA__BOOTSTRAP_SERVERS", NOBODY)
    assert run(command) == 3
    assert "Operator action:" in capsys.readouterr().err


def test_status_without_kafka_is_down(monkeypatch, capsys):
    monkeypatch.setenv("TRICAST_KAFKA__BOOTSTRAP_SERVERS", NOBODY)
    assert run(["status", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == "down"
    (reason,) = found["reasons"]
    assert reason["code"] == "kafka-down"
    assert NOBODY in reason["text"]


@pytest.fixture
def _on_kafka(kafka, topic_prefix, monkeypatch):
    monkeypatch.setenv("TRICAST_KAFKA__BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("TRICAST_TOPIC_PREFIX", topic_prefix)


@pytest.mark.kafka
@pytest.mark.usefixtures("_on_kafka")
def test_topics_status_tail_and_audit_on_a_real_kafka(kafka, topic_prefix, capsys):
    assert run(["topics", "check", "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["differences"]) == len(TOPICS)
    assert run(["topics", "create"]) == 0
    assert f"{len(TOPICS)} created, 0 were there" in capsys.readouterr().out
    assert run(["topics", "check"]) == 0

    asyncio.run(write(kafka, f"{topic_prefix}kambi.offers"))
    capsys.readouterr()
    assert run(["tail", "kambi.offers", "--from-beginning", "--limit", "2", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(record["key"], record["value"]) for record in records] == [("7", {"n": 0}), ("7", {"n": 1})]
    assert records[0]["headers"] == {"ce_type": "tricast.kambi.odds.changed.v1"}
    assert run(["tail", "kambi.offers", "--from-beginning", "--limit", "1"]) == 0
    assert "odds.changed" in capsys.readouterr().out
    filtered = ["tail", "kambi.offers", "--json", "--since", "1h", "--until", "0s"]
    assert run([*filtered, "--key", "7", "--type", "odds.*", "--header", "ce_type=*.v1"]) == 0
    assert [json.loads(line)["value"]["n"] for line in capsys.readouterr().out.splitlines()] == [0, 1, 2]
    assert run([*filtered, "--key", "8"]) == 0
    assert capsys.readouterr().out == ""

    assert run(["status", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [reason["text"] for reason in found["reasons"]] == [
        f"group {topic_prefix}kambi has no member: no worker runs"
    ]
    (offers,) = (topic for topic in found["topics"] if topic["name"] == f"{topic_prefix}kambi.offers")
    assert sum(partition["end"] for partition in offers["partitions"]) == 3

    assert run(["audit", "--timeout", "5", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["too_little"] == "0 frames judged, at least 1 wanted"
    assert found["unexpected"] == 3


async def write(servers, topic):
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    for n in range(3):
        headers = [("ce_type", b"tricast.kambi.odds.changed.v1")]
        await producer.send_and_wait(topic, b'{"n":%d}' % n, key=b"7", headers=headers)
    await producer.stop()


def test_ctrl_c_while_it_is_loaded_ends_it_without_a_traceback():
    interrupted = (
        "import sys, tricast.__main__\n"
        "class Interrupting:\n"
        "    def find_spec(self, *_): raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "tricast.__main__.main()"
    )
    ended = subprocess.run([sys.executable, "-c", interrupted, "audit"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (INTERRUPTED, "")


@pytest.mark.parametrize("loaded", ["tricast.__main__", "tricast.cli.main"])
def test_a_process_that_may_open_nothing_says_so_and_is_no_failed_check(loaded):
    limited = (
        f"import resource, tricast.__main__, {loaded}\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))\n"
        "tricast.__main__.main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", limited, "connect", "rms"], capture_output=True, text=True, check=False
    )
    assert "Too many open files" in ended.stderr
    assert ended.returncode == EnvironmentFault.exit_code
