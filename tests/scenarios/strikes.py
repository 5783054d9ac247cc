"""How parts are struck, and healed."""

import signal
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from confluent_kafka import Producer

from tests.scenarios.product import PREFIX, Product
from tricast.settings import Settings

Strike = Callable[[Product], None]
_LONG: Final = struct.Struct("=q")
_WAIT_S: Final = 30.0


def kill(name: str) -> Strike:
    """Kill a process (-9)."""
    return lambda product: product.kill(name)


def revive(name: str) -> Strike:
    """Start it again."""
    return lambda product: product.revive(name)


def stop(name: str) -> Strike:
    """Let a process stand as it is: it hangs, with all its sockets open."""
    return lambda product: _signal(product, name, signal.SIGSTOP)


def go_on(name: str) -> Strike:
    """Let it go on."""
    return lambda product: _signal(product, name, signal.SIGCONT)


def tell(vendor: str, **faults: Any) -> Strike:
    """Replace the fault settings of a simulator: what is not named is off."""
    return lambda product: product.tell(vendor, **faults)


def pause(product: Product) -> None:
    """Let every vendor have nothing to say, and nobody place a bet: night."""
    if "rms" in product.feeds:
        product.kill("simulate-bets")
    for feed in product.feeds:
        product.ask(f"simulate-{feed}", "/simulator/pause", {})


def resume(product: Product) -> None:
    """Let the day begin."""
    for feed in product.feeds:
        product.ask(f"simulate-{feed}", "/simulator/resume", {})
    if "rms" in product.feeds:
        product.revive("simulate-bets")


def kill_brokers(*numbers: int) -> Strike:
    """Kill brokers (-9)."""

    def strike(product: Product) -> None:
        for number in numbers:
            product.kafka.kill_broker(number)

    return strike


def start_brokers(*numbers: int) -> Strike:
    """Start them again, and wait until they serve."""

    def heal(product: Product) -> None:
        if len(numbers) == len(product.kafka.brokers):
            product.kafka.start()  # one alone would wait for the others
        else:
            for number in numbers:
                product.kafka.start_broker(number)

    return heal


class OldChain:
    """A connector of RMS whose chain of refreshes is days old, and whose secret the vendor does not take any more.

    Args:
        age_s: By how much older it gets.
    """

    settings: Final[Mapping[str, str]] = MappingProxyType(
        {
            "TRICAST_RMS__SECRET": "",
            "TRICAST_RMS__SECRET_FILE": "{folder}/secret",
            "SCENARIO_LATER": "{folder}/later",
            "PYTHONPATH": str(Path(__file__).with_name("later_site")),
        }
    )

    def __init__(self, age_s: float) -> None:
        self._age_s = age_s

    def prepare(self, product: Product) -> None:
        """Write what the connector reads at its start."""
        self.mend(product)
        (product.folder / "later").write_bytes(_LONG.pack(0))

    def strike(self, product: Product) -> None:
        """Let the vendor refuse the secret, and let the days pass."""
        (product.folder / "secret").write_text("refused")
        with (product.folder / "later").open("r+b") as later:
            later.write(_LONG.pack(int(self._age_s * 1e9)))

    def mend(self, product: Product) -> None:
        """Put the right secret into its file."""
        credential = Settings().simulator.rms.credentials[0]
        (product.folder / "secret").write_text(credential.secret.get_secret_value())


class Transaction:
    """Of another team's producer that hangs: it keeps readers of one of our topics waiting.

    Args:
        topic: Registry name.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._producer: Producer | None = None

    def open(self, product: Product) -> None:
        """Begin it, with one record."""
        self._producer = Producer(
            {
                "bootstrap.servers": product.kafka.bootstrap_servers,
                "transactional.id": "hangs",
                "transaction.timeout.ms": 600_000,
            }
        )
        self._producer.init_transactions(_WAIT_S)
        self._producer.begin_transaction()
        self._producer.produce(PREFIX + self._topic, b"{}", b"hangs")
        self._producer.flush(_WAIT_S)

    def abort(self, product: Product) -> None:
        """End it."""
        assert self._producer is not None
        self._producer.abort_transaction(_WAIT_S)
        self._producer = None


def _signal(product: Product, name: str, number: signal.Signals) -> None:
    product.processes.signal(name, number)
