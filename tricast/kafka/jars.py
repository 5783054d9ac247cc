"""Kafka's jars: pinned by sha256, fetched once through jgo, verified at every start."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import requests
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from schemas.errors import ConfigurationError
from tricast.kafka.errors import JarMismatch, NoNetwork, named_disk_faults, require_space
from tricast.kafka.filelock import exclusive
from tricast.kafka.layout import KAFKA_VERSION

_PARALLEL_FETCHES = 4
_FETCH_TIMEOUT_S = 30
# Somebody else's first fetch over a slow line; we then find the jars there.
_LOCK_TIMEOUT_S = 900.0
_SPARE_BYTES = 200_000_000  # beside the jars, for what is made from them (the warm-start cache has 70 MB)


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned jar; ``coordinate`` is ``group:artifact:version``."""

    sha256: str
    size: int
    coordinate: str

    @property
    def filename(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def pinned_jars(version: str = KAFKA_VERSION) -> tuple[Jar, ...]:
    """Return every jar that the class path of a broker of ``version`` has.

    Raises:
        ConfigurationError: There is no list for ``version``.
    """
    name = "jars.sha256" if version == KAFKA_VERSION else f"jars-{version}.sha256"
    pins = files("tricast.kafka").joinpath(name)
    if not pins.is_file():
        raise ConfigurationError(
            f"no jars are pinned for Kafka {version}",
            action=f"`python -m tricast.kafka.pin {version}` writes such a list",
        )
    return read_pins(pins.read_text())


def read_pins(text: str) -> tuple[Jar, ...]:
    """Return the jars of a list: a line each, of sha256, size in bytes and coordinate."""
    return tuple(Jar(sha256, int(size), coordinate) for sha256, size, coordinate in map(str.split, text.splitlines()))


def release_dir(cache_dir: Path, version: str) -> Path:
    """Return the part of the cache that belongs to a Kafka version."""
    return cache_dir / f"kafka-{version}"


def resolve_jars(
    cache_dir: Path,
    *,
    version: str = KAFKA_VERSION,
    jars: tuple[Jar, ...] | None = None,
    repository: str = MAVEN_CENTRAL_URL,
    quiet: bool = False,
) -> tuple[Path, ...]:
    """Return the verified jars of the class path, fetching what the cache lacks.

    Args:
        cache_dir: The user's cache.
        version: Of Kafka.
        jars: What is wanted; by default all that are pinned for ``version``.
        repository: Maven repository to fetch from.
        quiet: No progress bar.

    Raises:
        JarMismatch: A cached or fetched jar is not the pinned one.
        NoNetwork: A jar is missing and cannot be fetched.
        NoDiskSpace: The cache has no room for the jars.
        NotWritable: The cache cannot be written.
    """
    wanted = pinned_jars(version) if jars is None else jars
    target = release_dir(cache_dir, version) / "jars"
    if any(not (target / jar.filename).exists() for jar in wanted):
        with exclusive(cache_dir / "lock", _LOCK_TIMEOUT_S):
            missing = [jar for jar in wanted if not (target / jar.filename).exists()]
            if missing:
                _fetch_all(missing, target, repository, quiet=quiet)
    for jar in wanted:
        _verify(target / jar.filename, jar)
    return tuple(target / jar.filename for jar in wanted)


def _verify(path: Path, jar: Jar) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        raise JarMismatch(path, jar.sha256, found)


def _fetch_all(missing: list[Jar], target: Path, repository: str, *, quiet: bool) -> None:
    # jgo writes straight to its final name, so it gets a place of its own; only verified jars move to the target.
    incoming = target.with_name("incoming")
    total = sum(jar.size for jar in missing)
    try:
        with named_disk_faults(target):
            target.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(incoming, ignore_errors=True)
            require_space(target, total + _SPARE_BYTES)
            with _progress_bar(total, quiet=quiet) as advance, ThreadPoolExecutor(_PARALLEL_FETCHES) as pool:
                maven = _maven(incoming, repository, advance)
                fetches = [pool.submit(_fetch, jar, maven, target) for jar in missing]
                try:
                    for fetch in as_completed(fetches):
                        fetch.result()
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def _fetch(jar: Jar, maven: MavenContext, target: Path) -> None:
    group, artifact, version = jar.coordinate.split(":")
    try:
        fetched: Path | None = maven.resolver.download(maven.project(group, artifact).at_version(version).artifact())
    except (requests.RequestException, RuntimeError) as error:  # RuntimeError: jgo's "not found in repositories"
        raise NoNetwork(jar.coordinate, _root_reason(error)) from error
    if fetched is None:
        raise NoNetwork(jar.coordinate, "the repository has no such jar")
    _verify(fetched, jar)
    fetched.replace(target / jar.filename)


def _root_reason(error: BaseException) -> str:
    # requests wraps urllib3 wraps the socket's error; the innermost one is what a person can use.
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{type(error).__name__}: {error}"


def _maven(incoming: Path, repository: str, advance: Callable[[int], None]) -> MavenContext:
    @contextmanager
    def report(_filename: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield advance

    return MavenContext(
        repo_cache=incoming,
        remote_repos={"central": repository},
        resolver=PythonResolver(progress_callback=report),
        timeout=_FETCH_TIMEOUT_S,
    )


@contextmanager
def _progress_bar(total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task("Fetching Apache Kafka (once)", total=total)

        def advance(count: int) -> None:
            progress.advance(task, count)

        yield advance
