"""How parts are struck, and healed."""

import signal
from collections.abc import Callable
from typing import Any, Final

from confluent_kafka import Producer

from tests.scenarios.product import PREFIX, Product

Strike = Callable[[Product], None]
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


def _signal(product: Product, name: str, number: signal.Signals) -> None:
    product.processes.signal(name, number)
