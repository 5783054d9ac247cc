"""What the user's cache holds of this Kafka release, ready to run: jars, checkpoint template, warm-start cache."""

from dataclasses import dataclass
from pathlib import Path

from tricast.kafka.jars import release_dir, resolve_jars
from tricast.kafka.layout import KAFKA_VERSION
from tricast.kafka.storage import ensure_checkpoint_template


@dataclass(frozen=True, slots=True)
class Release:
    """Everything a broker is started from.

    Attributes:
        version: Of Kafka.
        jars: The verified class path.
        checkpoint: Kafka's ``bootstrap.checkpoint`` for new storage.
        java_options: Options that go with these jars, e.g. the warm-start cache.
    """

    version: str
    jars: tuple[Path, ...]
    checkpoint: Path
    java_options: tuple[str, ...] = ()


def fetch_release(cache_dir: Path, *, version: str = KAFKA_VERSION, quiet: bool) -> Release:
    """Return the release, fetching and making what the cache lacks (see ``resolve_jars`` for what it raises)."""
    jars = resolve_jars(cache_dir, version=version, quiet=quiet)
    return Release(version, jars, ensure_checkpoint_template(release_dir(cache_dir, version), jars))
