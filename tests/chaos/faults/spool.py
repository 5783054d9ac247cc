"""A connector whose disk is full while Kafka is away."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.chaos.product import Product


_SIZE_BYTES: Final = 64_000_000
_LEAVES_BYTES: Final = (0, 100_000, 1_000_000)
_IN_SYNC_S: Final = 180.0
_BALLOON: Final = "balloon"


@dataclass(slots=True)
class SpoolFull:
    """All brokers stand still while the disk of a connector's spool has no room, or runs out of it on the way.

    Healed, either room or Kafka comes back first.

    What must hold: frames wait in memory, then they are counted and named by an ``overflow`` record; what is on disk
    and in memory goes out in order when Kafka is back; a kill in between loses what is only in memory, as a hole that
    is on record.
    """

    target: str
    name: str = "spool-full"
    room_first: bool = False

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        self.room_first = random.random() < 0.5
        leaves = random.choice(_LEAVES_BYTES)
        _fill(self._disk(product), leaves)
        for broker in _alive(product):
            product.kafka.pause_broker(broker)
        return {"leaves_bytes": leaves, "back_first": "room" if self.room_first else "kafka"}

    def heal(self, product: "Product") -> None:
        balloon = self._disk(product) / _BALLOON
        if self.room_first:
            balloon.unlink()
        for broker in _alive(product):
            product.kafka.resume_broker(broker)
        product.kafka.await_in_sync(_IN_SYNC_S)
        balloon.unlink(missing_ok=True)

    def _disk(self, product: "Product") -> Path:
        folder = product.processes.by_name[self.target].folder
        assert folder is not None
        return folder / "spool"


def why_not() -> str | None:
    """Return why this machine cannot give a spool a disk of its own."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root on Linux can mount a small disk"
    return None


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Give ``folder`` a disk of its own with 64 MB, where that can be; what is on it is gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    if why_not() is not None:
        yield
        return
    _run("mount", "-t", "tmpfs", "-o", f"size={_SIZE_BYTES},mode=700", "tmpfs", str(folder))
    try:
        yield
    finally:
        _run("umount", "--lazy", str(folder))


def _alive(product: "Product") -> list[int]:
    return [broker for broker in product.kafka.brokers if product.kafka.pid(broker) is not None]


def _fill(disk: Path, leaves_bytes: int) -> None:
    free = os.statvfs(disk)
    size = free.f_bavail * free.f_frsize - leaves_bytes
    with (disk / _BALLOON).open("wb") as balloon:
        if size > 0:
            os.posix_fallocate(balloon.fileno(), 0, size)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
