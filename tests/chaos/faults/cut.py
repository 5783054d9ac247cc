"""Every connection of a vendor ends at once."""

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.chaos.product import Product


WAYS: Final = {
    "kambi": ("cut",),
    "fastpath": ("cut", "1000", "1001", "1011"),
    "rms": ("cut", "disconnect", "1001", "4401"),
}


@dataclass(slots=True)
class VendorCut:
    """Every connection ends: as on a failing network, or closed with a code that the vendor's sheet names.

    What must hold: the gap is on record and no longer than the line was down.
    """

    target: str
    name: str = "vendor-cut"

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        feed = self.target.removeprefix("vendor:")
        return cut(product, feed, random.choice(WAYS[feed]))

    def heal(self, product: "Product") -> None:
        """The connector's work."""


def cut(product: "Product", feed: str, how: str) -> dict[str, Any]:
    """End every connection of a feed's simulator, ``how`` one of ``WAYS``; return what is to be told of it."""
    match feed:
        case "kambi":
            ended = product.ask(feed, "/simulator/cut", {})["ended"]
        case "fastpath":
            ended = len(product.ask(feed, f"/simulator/cut?feed=*&how={how}", {})["ended"])
        case _:
            body = {"how": int(how) if how.isdecimal() else how}
            ended = len(product.ask(feed, "/simulator/close", body)["ended"])
    return {"how": how, "ended": ended}
