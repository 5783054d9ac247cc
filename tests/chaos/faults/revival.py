"""A broker that a limit was set on serves again, whether it bore it or not."""

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psutil

from schemas.errors import EnvironmentFault

if TYPE_CHECKING:
    from tests.chaos.product import Product


_IN_SYNC_S: Final = 180.0
_STARTS: Final = 3


def broker_of(target: str, product: "Product") -> int:
    """Return the number of ``broker:<n>``, or of the ``controller``."""
    return product.controller() if target == "controller" else int(target.removeprefix("broker:"))


def lift(pid: int, resource: int) -> None:
    """Let a process have as much of ``resource`` (see ``psutil``) as it may; nothing where it is gone."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        _, hard = process.rlimit(resource)
        process.rlimit(resource, (hard, hard))


def revive(product: "Product", broker: int, resource: int) -> None:
    """Lift the limit of a broker, start it if it has halted, and wait until every replica is in sync."""
    pid = product.kafka.pid(broker)
    if pid is not None:
        lift(pid, resource)
    for attempt in range(1, _STARTS + 1):
        try:
            product.kafka.start_broker(broker)
        except EnvironmentFault:  # a busy machine; what it had done until then makes the next start shorter
            if attempt == _STARTS:
                raise
        else:
            break
    product.kafka.await_in_sync(_IN_SYNC_S)
