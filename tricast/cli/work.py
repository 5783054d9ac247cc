"""``tricast work``: supervise one process per processor; ``work-one`` is what each of them runs."""

import asyncio
from collections.abc import Sequence
from importlib.metadata import version

import click

from schemas.topics import TOPICS
from tricast.cli.invocation import Invocation, pass_invocation, stop_on_signals
from tricast.processors import PROCESSORS
from tricast.settings import variable
from tricast.stack.child import ChildSpec, tricast_command
from tricast.stack.supervisor import Supervisor


@click.command()
@click.argument("processors", nargs=-1, type=click.Choice(sorted(PROCESSORS)), metavar="[PROCESSOR]...")
@click.option("--name", help="Stable name of this worker, unique in its group.  [default: host name]")
@click.option("--grace", "grace_s", default=20.0, show_default=True, help="Seconds a process has to end after SIGTERM.")
@pass_invocation
def work(invocation: Invocation, processors: Sequence[str], name: str | None, grace_s: float) -> None:
    """Run processors (all of them when none is named), each as a process of its own.

    A process that crashes is started again, after a delay that doubles up to 30 s; a bug in one processor never stops
    another. One that ends with 2 (settings) or 78 (a person must act) is left alone and says why. When all have ended,
    the worst exit code is this command's. SIGTERM ends all of them properly.

    \b
    Processors: kambi, fastpath.audit
    \b
    Examples:
      tricast work
      tricast work kambi --name worker-1
    """
    _ = invocation.settings  # wrong settings are told once, here, and not by every child
    environment = {} if name is None else {variable(("engine", "worker_name")): name}
    specs = [
        ChildSpec(
            name=f"work {processor}",
            command=tricast_command(*invocation.child_arguments(), "work-one", processor),
            environment=environment,
        )
        for processor in dict.fromkeys(processors or PROCESSORS)
    ]
    click.get_current_context().exit(asyncio.run(_supervise(specs, grace_s)))


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

    settings = invocation.settings
    app = build_app(
        PROCESSORS[processor](invocation.settings),
        prefix=settings.topic_prefix,
        registry=TOPICS,
        kafka=settings.kafka,
        settings=settings.engine,
        version=version("tricast"),
    )
    run_worker(app)
