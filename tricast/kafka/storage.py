"""Format a broker's storage without a Java start of its own.

A formatted KRaft directory is two files: ``bootstrap.checkpoint``, which holds the release's feature levels and is
the same for every node, and ``meta.properties``, which names cluster, node and directory. Kafka's own tool writes the
first once per cache; every broker gets a copy of it. A test compares the outcome with the tool's.
"""

import base64
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import EnvironmentFault
from tricast.kafka.java import format_storage
from tricast.kafka.layout import write_atomically
from tricast.kafka.settings import Node, server_properties

_CHECKPOINT = "bootstrap.checkpoint"
_META = "meta.properties"
# What a broker or an interrupted format leaves in a directory that holds no records.
_HARMLESS = frozenset({_CHECKPOINT, _META, ".lock"})


def new_uuid() -> str:
    """Return a random UUID as Kafka writes them: URL-safe base64 without padding, never a leading dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):  # a command line would take it for an option
            return text


def ensure_checkpoint_template(release_dir: Path, jars: Sequence[Path]) -> Path:
    """Return the release's ``bootstrap.checkpoint``, made by Kafka's tool when the cache has none."""
    template = release_dir / _CHECKPOINT
    if not template.exists():
        with tempfile.TemporaryDirectory(prefix="tricast-format-") as scratch:
            node = Node(broker=1, port=1, controller_port=2)
            properties = Path(scratch) / "server.properties"
            properties.write_text(server_properties(node, [node], Path(scratch) / "data"))
            format_storage(jars, new_uuid(), properties)
            fresh = template.with_name(f".{_CHECKPOINT}.{uuid.uuid4().hex}")
            shutil.copyfile(Path(scratch) / "data" / _CHECKPOINT, fresh)
            fresh.replace(template)
    return template


def ensure_formatted(storage: Path, cluster_id: str, broker: int, template: Path) -> None:
    """Format ``storage`` for ``broker`` unless it already is.

    Raises:
        EnvironmentFault: The directory holds records but does not say whose: never formatted over.
    """
    meta = storage / _META
    if meta.exists() and f"cluster.id={cluster_id}" in meta.read_text().splitlines():
        return
    if storage.exists():
        if strangers := sorted(path.name for path in storage.iterdir() if not _is_harmless(path.name)):
            raise EnvironmentFault(
                f"{storage} holds {', '.join(strangers[:3])} … but no {_META} of cluster {cluster_id}",
                action=f"put that {_META} back, or remove the data directory {storage.parent.parent} to start anew",
            )
        shutil.rmtree(storage)  # half-formatted: the process that did it died
    storage.mkdir(parents=True)
    shutil.copyfile(template, storage / _CHECKPOINT)
    lines = {"version": 1, "cluster.id": cluster_id, "node.id": broker, "directory.id": new_uuid()}
    # Last and whole: its presence is what says "formatted".
    write_atomically(meta, "".join(f"{key}={value}\n" for key, value in lines.items()))


def _is_harmless(name: str) -> bool:
    # The dotted one is what `write_atomically` was about to give its name.
    return name in _HARMLESS or name.startswith(f".{_META}.")
