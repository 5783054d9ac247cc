"""A worker of Kambi's processor with a bug for as long as a file is there: `python -m tests.dlq.worker BUG_FILE`."""

import sys
from pathlib import Path

from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Context, SourceRecord
from processors.engine.app import build_app
from processors.engine.worker import run_worker
from schemas.topics import TOPICS
from tests.dlq.bench import Planted
from tricast.cli.invocation import set_up_logging
from tricast.settings import load

BUG = b"boou"
"""What the bug cannot process: changed odds."""


class FileBug(Planted):
    """Planted while ``file`` exists."""

    def __init__(self, file: Path) -> None:
        super().__init__(KambiProcessor())
        self._file = file

    def _raise(self, record: SourceRecord, context: Context) -> None:
        self.bugs = {BUG} if self._file.exists() else set()
        super()._raise(record, context)


def main() -> None:
    set_up_logging(debug=False)
    settings = load()
    app = build_app(
        FileBug(Path(sys.argv[1])),
        prefix=settings.topic_prefix,
        registry=TOPICS,
        kafka=settings.kafka,
        settings=settings.engine,
        version="0.0.0+bug",
    )
    run_worker(app)


if __name__ == "__main__":
    main()
