"""A network that swallows: connections are there, and no byte passes."""

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.chaos.product import Product


@dataclass(slots=True)
class VendorHalfOpen:
    """Connections to a vendor stay open and nothing passes, either way; new ones are accepted and hear nothing.

    Healed, what stood meanwhile passes after all (a network that was away) or is cut (a path that is gone).

    What must hold: the connector notices by its own clocks and connects anew; what was handed to the swallowed
    connection lies between its last frame and the ``opened`` after it.
    """

    target: str
    name: str = "vendor-half-open"
    cuts: bool = False

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        self.cuts = random.random() < 0.5
        return {"connections": self._gate(product).freeze(), "healed_by": "cut" if self.cuts else "passing"}

    def heal(self, product: "Product") -> None:
        self._gate(product).thaw(cut=self.cuts)

    def _gate(self, product: "Product") -> Any:
        return product.gates[self.target.removeprefix("vendor:")]
