"""Puts what is observed beside what runs: a connector's view, a worker's app, and the endpoints around them."""

import contextlib
from collections.abc import Callable, Coroutine, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from connectors.counts import ConnectorView
from tricast.observe.beat import Beat, Subject
from tricast.observe.config import ObserveSettings, check
from tricast.observe.connector import ConnectorSubject
from tricast.observe.endpoints import serving
from tricast.observe.process import ObservedProcess
from tricast.observe.worker import WorkerSubject

if TYPE_CHECKING:
    from processors.engine.app import EngineApp

DEAD_AFTER = 3
"""Times ``stuck_s``: who is not ready for so long is not alive."""

Beating = Callable[[], Coroutine[Any, Any, None]]
"""What is to run in the process's event loop."""


@contextlib.contextmanager
def observed_connector(settings: ObserveSettings, feed: str) -> Iterator[tuple[ConnectorView, Beating]]:
    """Serve what a connector tells until the end of the block; yield what it fills, and what runs beside it.

    Raises:
        ConfigurationError: See :func:`tricast.observe.config.check`.
        EnvironmentFault: The port cannot be had.
    """
    view = ConnectorView(feed)
    with observed(settings, f"connect {feed}", ConnectorSubject(view)) as beating:
        yield view, beating


@contextlib.contextmanager
def observed(settings: ObserveSettings, name: str, subject: Subject) -> Iterator[Beating]:
    """Serve what a process called ``name`` tells until the end of the block; yield what runs in its event loop.

    Raises:
        ConfigurationError: See :func:`tricast.observe.config.check`.
        EnvironmentFault: The port cannot be had.
    """
    check(settings)
    beat = Beat(subject)
    process = ObservedProcess(name, version=version("tricast"), beat=beat, dead_s=DEAD_AFTER * settings.stuck_s)
    with serving(settings, process):
        yield beat.run


@contextlib.contextmanager
def observed_worker(settings: ObserveSettings, app: "EngineApp") -> Iterator[None]:
    """Serve what the worker ``app`` tells until the end of the block, in which it runs.

    Raises:
        ConfigurationError: See :func:`tricast.observe.config.check`.
        EnvironmentFault: The port cannot be had.
    """
    subject = WorkerSubject(
        app.processor,
        outputs=app.outputs,
        facts=app.facts,
        engine=lambda: app.running,
        stuck_s=settings.stuck_s,
    )
    with observed(settings, f"work {app.processor}", subject) as beating:
        app.run_beside(beating)
        yield
