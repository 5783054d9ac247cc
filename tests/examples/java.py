"""Compiles Java on the runtime that Kafka runs on, which has no compiler: Eclipse's is a jar, fetched once."""

import subprocess
from pathlib import Path

from tricast.kafka.errors import NoNetwork
from tricast.kafka.jars import Jar, pinned_jars, resolve_jars
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


def compile_java(source: Path, *, ecj: Path, class_path: tuple[Path, ...], to: Path) -> None:
    """Compile ``source`` for Java 17; a warning is an error."""
    options = ["-source", "17", "-target", "17", "-proc:none", "-failOnWarning", "-cp", ":".join(map(str, class_path))]
    _run(java_command((ecj,), (), "org.eclipse.jdt.internal.compiler.batch.Main", *options, "-d", str(to), str(source)))


def run_java(main_class: str, *arguments: str, class_path: tuple[Path, ...]) -> str:
    """Return what ``main_class`` prints."""
    return _run(java_command(class_path, ("-Xmx128m",), main_class, *arguments))


def _run(command: list[str]) -> str:
    done = subprocess.run(
        command, env=java_environment(), capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


__all__ = ["NoNetwork", "client_jars", "compile_java", "compiler", "run_java"]
