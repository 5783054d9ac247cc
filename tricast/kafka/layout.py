"""Where things lie: the jar cache, and the files of one data directory."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

KAFKA_VERSION = "4.3.1"


def default_cache_dir() -> Path:
    """Return ``TRICAST_CACHE_DIR``, else the user's XDG cache directory for tricast."""
    if chosen := os.environ.get("TRICAST_CACHE_DIR"):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tricast"


def default_data_dir() -> Path:
    """Return where ``tricast kafka`` keeps its data when nothing else is said: under the working directory."""
    return Path(".tricast/kafka").absolute()


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """The files of one broker."""

    root: Path

    @property
    def properties(self) -> Path:
        return self.root / "server.properties"

    @property
    def log4j2(self) -> Path:
        return self.root / "log4j2.properties"

    @property
    def storage(self) -> Path:
        """Kafka's ``log.dirs``."""
        return self.root / "data"

    @property
    def process(self) -> Path:
        """Which process runs on these files; absent when none should."""
        return self.root / "process.json"

    @property
    def scratch(self) -> Path:
        """Java's ``java.io.tmpdir``: unpacked native libraries, emptied at each start."""
        return self.root / "tmp"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def log(self) -> Path:
        """What Kafka logs."""
        return self.logs / "broker.log"

    @property
    def console(self) -> Path:
        """What the Java runtime prints: crashes, bad options, out of memory."""
        return self.logs / "console.log"


@dataclass(frozen=True, slots=True)
class DataDir:
    """The files of one cluster."""

    root: Path

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def cluster(self) -> Path:
        return self.root / "cluster.json"

    def node(self, broker: int) -> NodeFiles:
        """Return the files of broker ``broker`` (from 1)."""
        return NodeFiles(self.root / f"broker-{broker}")


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` so that a reader, or a crash, sees the old content or the new, never a part."""
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        scratch.write_text(text)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
