"""``tricast work``: supervise one process per processor; ``work-one`` is what each of them runs."""

import asyncio
from collections.abc import Sequence
from importlib.metadata import version

import click

from schemas.errors import ConfigurationError
from tricast.cli.invocation import Invocation, pass_invocation, stop_on_signals
from tricast.observe.config import check
from tricast.processors import PROCESSORS
from tricast.settings import variable
from tricast.stack.child import ChildSpec, tricast_command
from tricast.stack.supervisor import Supervisor

_LAST_PORT = 65535


@click.command(short_help="Run processors, each as a process of its own.")
@click.argument("processors", nargs=-1, type=click.Choice(sorted(PROCESSORS)), metavar="[PROCESSOR]...")
@click.option("--name", help="Stable name of this worker, unique in its group.  [default: host name]")
@click.option("--grace", "grace_s", default=20.0, show_default=True, help="Seconds a process has to end after SIGTERM.")
@pass_invocation
def work(invocation: Invocation, processors: Sequence[str], name: str | None, grace_s: float) -> None:
    """Run processors (all of them when none is named), each as a process of its own.

    A process that crashes is started again, after a delay that doubles up to 30 s; a bug in one processor never stops
    another. One that ends with 2 (settings) or 78 (a person must act) is left alone and says why. When all have ended,
    the worst exit code is this command's. SIGTERM ends all of them properly.

    With TRICAST_OBSERVE__PORT set each process serves /metrics, /livez and /readyz: kambi at that port, fastpath.audit
    at the next, then rms.approvals, rms.bets, rms.join, kambi.state, fastpath.state; which of them run changes nothing
    about it.

    \b
    Processors: kambi, fastpath.audit, rms.approvals, rms.bets, rms.join, kambi.state, fastpath.state
    \b
    Examples:
      tricast work
      tricast work kambi --name worker-1
    """
    settings = invocation.settings  # wrong settings are told once, here, and not by every child
    check(settings.observe)
    environment = {} if name is None else {variable(("engine", "worker_name")): name}
    specs = [
        ChildSpec(
            name=f"work {processor}",
            command=tricast_command(*invocation.child_arguments(), "work-one", processor),
            environment=environment | _port_of(processor, settings.observe.port),
        )
        for processor in dict.fromkeys(processors or PROCESSORS)
    ]
    click.get_current_context().exit(asyncio.run(_supervise(specs, grace_s)))


def _port_of(processor: str, base: int | None) -> dict[str, str]:
    if not base:
        return {}  # none, or each takes a free one
    port = base + list(PROCESSORS).index(processor)
    if port > _LAST_PORT:
        raise ConfigurationError(f"{processor} would serve at port {port}", action="set a lower TRICAST_OBSERVE__PORT")
    return {variable(("observe", "port")): str(port)}


async def _supervise(specs: Sequence[ChildSpec], grace_s: float) -> int:
    supervisor = Supervisor(specs, grace_s=grace_s)
    stop_on_signals(supervisor.stop)
    return await supervisor.run()


@click.command(name="work-one", hidden=True)
@click.argument("processor", type=click.Choice(sorted(PROCESSORS)))
@pass_invocation
def work_one(invocation: Invocation, processor: str) -> None:
    """Run one processor in this process, without supervision.

    \b
    Examples:
      tricast work-one kambi
    """
    # Faust is slow to import, and only this command needs it.
    from processors.engine.app import build_app  # noqa: PLC0415
    from processors.engine.worker import run_worker  # noqa: PLC0415
    from tricast.observe.run import observed_worker  # noqa: PLC0415

    settings = invocation.settings
    app = build_app(
        PROCESSORS[processor](settings),
        prefix=settings.topic_prefix,
        registry=settings.topics,
        kafka=settings.kafka,
        settings=settings.engine,
        version=version("tricast"),
    )
    with observed_worker(settings.observe, app):
        run_worker(app)
