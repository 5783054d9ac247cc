"""Compiles Java on the runtime that Kafka runs on, which has no compiler: Eclipse's is a jar, fetched once."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.connectors.npm import absent
from tricast.kafka.errors import NoNetwork
from tricast.kafka.jars import Jar, pinned_jars, read_pins, resolve_jars
from tricast.kafka.java import java_command, java_environment

_COMPILER = Jar(
    "14c46ddc2e511c46c998da728f6a80f13a689c920f3832402f7ad150f6a6188d", 3_329_741, "org.eclipse.jdt:ecj:3.44.0"
)
_CLIENT = ("org.apache.kafka:kafka-clients", "org.slf4j:slf4j-api")
_TIMEOUT_S = 120


def compiler(cache: Path) -> Path:
    """Return the compiler's jar.

    Raises:
        NoNetwork: It is not there yet and cannot be fetched.
    """
    (jar,) = resolve_jars(cache, jars=(_COMPILER,), quiet=True)
    return jar


def client_jars(cache: Path) -> tuple[Path, ...]:
    """Return what a Kafka client needs: the broker's own jars."""
    wanted = tuple(jar for jar in pinned_jars() if jar.coordinate.rpartition(":")[0] in _CLIENT)
    assert len(wanted) == len(_CLIENT)
    return resolve_jars(cache, jars=wanted, quiet=True)


def listed_jars(pins: Path, cache: Path, *, quiet: bool = True) -> tuple[Path, ...]:
    """Return the jars that an example lists beside itself; unless ``quiet`` a bar shows what is fetched.

    Raises:
        NoNetwork: One is not there yet and cannot be fetched.
    """
    return resolve_jars(cache, jars=read_pins(pins.read_text(encoding="utf-8")), quiet=quiet)


@contextmanager
def needs_network() -> Iterator[None]:
    """Skip the test where something cannot be fetched, and fail it in CI."""
    try:
        yield
    except NoNetwork as error:
        absent(f"what a Java example needs could not be fetched: {error}")
        raise


def kept(config: pytest.Config) -> Path:
    """Return where what tests alone need is kept."""
    assert config.cache is not None
    return config.cache.mkdir("java")


def compile_java(source: Path, *, ecj: Path, class_path: tuple[Path, ...], to: Path) -> None:
    """Compile ``source`` for Java 17; a warning is an error."""
    options = ["-source", "17", "-target", "17", "-proc:none", "-failOnWarning", "-cp", ":".join(map(str, class_path))]
    done = _run(
        java_command(
            (ecj,),
            ("-XX:TieredStopAtLevel=1",),
            "org.eclipse.jdt.internal.compiler.batch.Main",
            *options,
            "-d",
            str(to),
            str(source),
        )
    )
    assert done.returncode == 0, done.stdout + done.stderr


def run_java(main_class: str, *arguments: str, class_path: tuple[Path, ...]) -> str:
    """Return what ``main_class`` prints; it must end well."""
    done = try_java(main_class, *arguments, class_path=class_path)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def try_java(
    main_class: str, *arguments: str, class_path: tuple[Path, ...], timeout_s: float = _TIMEOUT_S
) -> subprocess.CompletedProcess[str]:
    """Return how ``main_class`` ends and what it prints."""
    return _run(java_command(class_path, ("-Xmx128m", "-XX:TieredStopAtLevel=1"), main_class, *arguments), timeout_s)


def _run(command: list[str], timeout_s: float = _TIMEOUT_S) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=java_environment(), capture_output=True, text=True, timeout=timeout_s, check=False
    )
