"""Run one processor as one process until SIGTERM or until it has to stop."""

import asyncio
import gc
import logging
import sys

import uvloop

from processors.engine.app import EngineApp
from processors.engine.repeats import Repeats
from schemas.errors import EngineError

log = logging.getLogger(__name__)

QUIET_LOGGERS = ("aiokafka", "faust", "mode")
"""Inside a Faust worker these are left at DEBUG, which costs a quarter of the speed."""
GC_YOUNG_OBJECTS = 50_000
"""The hot path makes no cycles; collecting seldom is worth a tenth of the speed."""


def run_worker(app: EngineApp) -> None:
    """Run ``app`` in this process.

    Exits 0 after SIGTERM or SIGINT, 70 when the engine had to stop, 78 when a person must act first.
    """
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    gc.set_threshold(GC_YOUNG_OBJECTS, 20, 50)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Repeats(QUIET_LOGGERS))
    worker = app.Worker(loglevel=None, logfile=None, redirect_stdouts=False, override_logging=False, quiet=True)
    worker.spinner = None  # it writes terminal codes into log files
    try:
        worker.execute_from_commandline()
    except (Exception, asyncio.CancelledError):  # a Faust service crashed; the engine's own stops never get here
        log.critical("worker.crashed", exc_info=True)
        sys.exit(EngineError.exit_code)
