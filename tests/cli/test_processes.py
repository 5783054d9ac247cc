"""Commands as others use them: a process whose exit code is the verdict, and a terminal that renews itself."""

import asyncio
import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import threading

import pytest
from confluent_kafka import Consumer, Producer

from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from tests.engine.lab import until
from tricast.cli.main import INTERRUPTED
from tricast.kafka import topics

pytestmark = pytest.mark.kafka

TRICAST = (sys.executable, "-m", "tricast")
STATUS = (*TRICAST, "status")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """A process in a terminal of its own, and all that it has shown there."""

    def __init__(self, *command, environment, directory):
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=directory, start_new_session=True
        )
        os.close(theirs)
        self._terminal = ours
        self.shown = ""
        self._at = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with contextlib.suppress(OSError):  # how a terminal says that nobody is left who writes
            while some := os.read(self._terminal, 65536):
                self.shown += ESCAPES.sub("", some.decode(errors="replace"))

    def shows(self, text):
        """Wait for it, after what was awaited before."""

        def is_there():
            self._at = max(self._at, self.shown.find(text, self._at))
            return self.shown.startswith(text, self._at)

        until(is_there, f"{text!r} in the terminal", lambda: re.sub(r"\s+", " ", self.shown)[-2500:])

    def close(self):
        self.process.kill()
        self.process.wait()
        self._reader.join(5)
        os.close(self._terminal)


@pytest.fixture
def environment(kafka, topic_prefix):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRICAST_")}
    here = {"TRICAST_KAFKA__BOOTSTRAP_SERVERS": kafka, "TRICAST_TOPIC_PREFIX": topic_prefix}
    return kept | here | {"TERM": "xterm-256color", "COLUMNS": "200", "LINES": "60"}


def test_the_exit_code_is_the_verdict_and_watching_follows_it(kafka, topic_prefix, environment, tmp_path):
    def status():
        return subprocess.run(STATUS, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    watching = Terminal(*STATUS, "--watch", environment=environment, directory=tmp_path)
    log = tmp_path / "log"
    with log.open("wb") as into:
        logging = subprocess.Popen((*STATUS, "--watch"), stdout=into, stderr=into, env=environment, cwd=tmp_path)

    def told():
        return re.findall(r" UTC\n(\w+)", log.read_text())

    def logs(verdict):
        until(lambda: told()[-1:] == [verdict], f"{verdict} in the file", log.read_text)

    try:
        watching.shows("topics-missing")
        logs("down")
        down = status()
        assert (down.returncode, down.stderr) == (2, "")
        assert "none of the" in down.stdout
        asyncio.run(topics.create(TOPICS.values(), topic_prefix, KafkaSettings(bootstrap_servers=kafka)))
        producer = Producer({"bootstrap.servers": kafka})
        producer.produce(f"{topic_prefix}kambi.raw", b"2[]")
        assert producer.flush(30) == 0
        watching.shows(f"group {topic_prefix}kambi has no member")
        member = Consumer({"bootstrap.servers": kafka, "group.id": f"{topic_prefix}kambi"})
        member.subscribe([f"{topic_prefix}kambi.raw"])
        member.poll(1)
        watching.shows("healthy")
        logs("healthy")
        healthy = status()
        assert (healthy.returncode, healthy.stdout.partition(" ")[0]) == (0, "healthy")
        member.close()
        watching.shows("degraded")
        watching.process.send_signal(signal.SIGINT)
        assert watching.process.wait(60) == 1
        assert "Traceback" not in watching.shown
        logs("degraded")
        assert told().count("down") == 1, "told again without a change"
        logging.send_signal(signal.SIGINT)
        assert logging.wait(60) == 1
    finally:
        watching.close()
        logging.kill()
        logging.wait()


def test_an_audit_that_is_interrupted_leaves_no_certificate(kafka, topic_prefix, environment, tmp_path):
    """Nobody processes: the audit waits, until Ctrl-C."""
    of_kambi = [topic for name, topic in TOPICS.items() if name.startswith("kambi.")]
    asyncio.run(topics.create(of_kambi, topic_prefix, KafkaSettings(bootstrap_servers=kafka)))
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(f"{topic_prefix}kambi.raw", b"2[]")
    assert producer.flush(30) == 0
    audit = ("audit", "kambi", "--timeout", "600", "--certificate", "c.json")
    auditing = Terminal(*TRICAST, *audit, environment=environment, directory=tmp_path)
    try:
        auditing.shows("waiting for the processor")
        auditing.process.send_signal(signal.SIGINT)
        assert auditing.process.wait(60) == INTERRUPTED
        assert "Traceback" not in auditing.shown
        assert not list(tmp_path.iterdir())
    finally:
        auditing.close()
