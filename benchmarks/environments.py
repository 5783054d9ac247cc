"""What peers run in: made once below `.venv/bench`, of what is locked beside them, and made anew when that changes."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.examples import java
from tricast.kafka.errors import NoNetwork
from tricast.kafka.layout import default_cache_dir

PEERS = Path(__file__).parent / "peers"
ENVIRONMENTS = Path(__file__).parents[1] / ".venv" / "bench"
STREAMS = "streams"
_MADE = ".made-of"
_LOG_CHARS = 500


class NotMade(Exception):
    """An environment could not be made here: no network, or a package that this Python or system does not have."""


def python_of(name: str, tell: Callable[[str], None]) -> Path:
    """Return the interpreter of peer ``name``'s environment, with what `peers/locks/<name>.lock` has.

    Raises:
        NotMade: It is not there and cannot be made.
    """
    lock = PEERS / "locks" / f"{name}.lock"
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    made_of = f"{sys.version} {_digest(lock)}"
    if not _is_made(folder, made_of):
        tell(f"making {name}'s environment (once)")
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", folder], name)
        options = ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes"]
        _run([python, "-m", "pip", "install", *options, "-r", lock], name)
        (folder / _MADE).write_text(made_of)
    return python


def streams_class_path(tell: Callable[[str], None]) -> str:
    """Return the class path of the Kafka Streams job, compiled.

    Raises:
        NotMade: It is not compiled yet, and a jar cannot be fetched.
    """
    source, pins = PEERS / STREAMS / "StreamsJob.java", PEERS / STREAMS / "jars.sha256"
    folder = ENVIRONMENTS / STREAMS
    cache = default_cache_dir()
    made_of = f"{_digest(source)} {_digest(pins)}"
    try:
        jars = java.listed_jars(pins, cache, quiet=False)
        if not _is_made(folder, made_of):
            tell("compiling the Kafka Streams job (once)")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            java.compile_java(source, ecj=java.compiler(cache), class_path=jars, to=folder)
            (folder / _MADE).write_text(made_of)
    except NoNetwork as error:
        raise NotMade(str(error)) from error
    return os.pathsep.join(map(str, (folder, *jars)))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_made(folder: Path, made_of: str) -> bool:
    mark = folder / _MADE
    return mark.is_file() and mark.read_text() == made_of


def _run(command: Sequence[str | Path], name: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMade(f"{name}'s environment could not be made: {(done.stdout + done.stderr).strip()[-_LOG_CHARS:]}")
