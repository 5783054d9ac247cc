"""The watchdog's process: ``python -m tricast.kafka.outlive DATA_DIR`` outlives its owner and cleans up after it."""

import sys
from pathlib import Path

from tricast.kafka.cluster import Cluster


def main() -> None:
    """Wait for the owner's end, then stop and remove the ephemeral cluster of the given data directory."""
    sys.stdin.buffer.read()
    data_dir = Path(sys.argv[1])
    if data_dir.exists():
        Cluster(data_dir, ephemeral=True).stop()


if __name__ == "__main__":
    main()
