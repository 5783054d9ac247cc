"""What the figures were measured on."""

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil

from tricast.kafka import KAFKA_VERSION

LIBRARIES = ("faust-streaming", "aiokafka", "confluent-kafka", "orjson", "msgspec", "uvloop")


def facts() -> dict[str, str]:
    """Return what somebody needs to compare figures: name to text."""
    return {
        "processor": f"{_model()}, {os.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES),
        "Kafka": f"Apache Kafka {KAFKA_VERSION}, one broker, replication 1",
    }


def now() -> str:
    """Return the time as people read it."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def load_per_core() -> float:
    """Return how many processes want a core, per core: above 1 somebody else is at work here, too."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def _model() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
