import hashlib
import http.server
import threading
from functools import partial

import pytest

from schemas.errors import ConfigurationError
from tricast.kafka import KAFKA_VERSION
from tricast.kafka.errors import JarMismatch, NoDiskSpace, NoNetwork, NotWritable, named_disk_faults
from tricast.kafka.filelock import exclusive
from tricast.kafka.jars import Jar, pinned_jars, resolve_jars

CONTENT = b"PK of some jar"
JAR = Jar(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "org.example:thing:1.0")
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def repository(tmp_path):
    """A Maven repository on loopback that has ``JAR``; yields its URL and the file it serves."""
    root = tmp_path / "repository"
    served = root / "org/example/thing/1.0/thing-1.0.jar"
    served.parent.mkdir(parents=True)
    served.write_bytes(CONTENT)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=root)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", served
    server.shutdown()
    thread.join()
    server.server_close()


def resolve(tmp_path, url=NOWHERE, jar=JAR):
    return resolve_jars(tmp_path / "cache", jars=(jar,), repository=url, quiet=True)


@pytest.mark.parametrize("version", [KAFKA_VERSION, "3.9.1"])
def test_every_pinned_jar_is_named_once_and_the_binding_is_there(version):
    names = [jar.filename for jar in pinned_jars(version)]
    assert len(set(names)) == len(names)
    assert {f"kafka_2.13-{version}.jar", f"kafka-clients-{version}.jar", "log4j-slf4j-impl-2.25.4.jar"} <= set(names)


def test_a_version_without_pins_is_refused():
    with pytest.raises(ConfigurationError, match=r"no jars are pinned for Kafka 1\.0\.0"):
        pinned_jars("1.0.0")


def test_fetched_once_then_found_without_network(tmp_path, repository):
    url, _ = repository
    (fetched,) = resolve(tmp_path, url)
    assert fetched.read_bytes() == CONTENT
    assert resolve(tmp_path, NOWHERE) == (fetched,)


def test_fetched_jar_with_another_checksum_is_refused_and_not_kept(tmp_path, repository):
    url, served = repository
    served.write_bytes(b"PK of another")
    with pytest.raises(JarMismatch, match=JAR.sha256):
        resolve(tmp_path, url)
    served.write_bytes(CONTENT)
    assert resolve(tmp_path, url)[0].read_bytes() == CONTENT


def test_cached_jar_is_verified_on_every_resolve(tmp_path, repository):
    (cached,) = resolve(tmp_path, repository[0])
    cached.write_bytes(b"PK of aNother  ")
    with pytest.raises(JarMismatch, match=str(cached)) as caught:
        resolve(tmp_path)
    assert f"remove {cached}" in caught.value.action


def test_no_network_says_what_to_do(tmp_path):
    with pytest.raises(NoNetwork, match=r"org\.example:thing:1\.0.*refused") as caught:
        resolve(tmp_path)
    assert "TRICAST_CACHE_DIR" in caught.value.action


def test_absent_from_the_repository_is_no_traceback(tmp_path, repository):
    with pytest.raises(NoNetwork, match="not found"):
        resolve(tmp_path, repository[0], Jar(JAR.sha256, JAR.size, "org.example:thing:2.0"))


def test_interrupted_fetch_is_done_anew(tmp_path, repository):
    torn = tmp_path / "cache/kafka-4.3.1/incoming/org/example/thing/1.0/thing-1.0.jar"
    torn.parent.mkdir(parents=True)
    torn.write_bytes(CONTENT[:3])
    assert resolve(tmp_path, repository[0])[0].read_bytes() == CONTENT


def test_no_space_is_said_before_the_fetch(tmp_path):
    with pytest.raises(NoDiskSpace, match="MB are needed"):
        resolve(tmp_path, jar=Jar(JAR.sha256, 10**18, JAR.coordinate))


def test_disk_that_runs_full_is_named(tmp_path):
    with pytest.raises(NoDiskSpace, match="ran full"), named_disk_faults(tmp_path), open("/dev/full", "w") as full:
        full.write("x")


def test_cache_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(NotWritable, match="cache"):
        resolve(tmp_path)


def test_others_fetch_is_waited_for(tmp_path, repository):
    entered, resolved = threading.Event(), []
    with exclusive(tmp_path / "cache/lock", timeout_s=1):

        def fetch():
            entered.set()
            resolved.extend(resolve(tmp_path, repository[0]))

        thread = threading.Thread(target=fetch)
        thread.start()
        entered.wait()
        thread.join(0.3)
        assert (thread.is_alive(), resolved) == (True, [])
    thread.join()
    assert len(resolved) == 1
