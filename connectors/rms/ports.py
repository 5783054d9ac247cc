"""What the parts of the connector need of each other."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Bearer:
    """An access token.

    Attributes:
        text: What is sent; shown nowhere.
        serial: Rises from token to token of this process.
    """

    text: str = field(repr=False)
    serial: int


class Tokens(Protocol):
    """The one owner of this process's tokens."""

    @property
    def token_age_s(self) -> int | None:
        """Age of the access token, whole seconds; ``None``: there is none."""
        ...

    @property
    def refresh_age_s(self) -> int | None:
        """Age of the exchange that the refresh token stems from, whole seconds; ``None``: there is none."""
        ...

    @property
    def in_force(self) -> Bearer | None:
        """The access token in force; ``None`` while there is none, or while a refused one is being replaced."""
        ...

    async def bearer(self) -> Bearer:
        """Return the access token in force; wait while there is none, or while a refused one is being replaced."""
        ...

    async def newer(self, than: Bearer) -> Bearer:
        """Return the access token in force as soon as it is another than that."""
        ...

    def accepted(self, bearer: Bearer) -> None:
        """The vendor took ``bearer``: refusals in a row start to count again."""

    def refused(self, bearer: Bearer, *, rights: bool = False) -> None:
        """The vendor did not take ``bearer``: replace it, unless that was done meanwhile.

        Args:
            bearer: As it was sent.
            rights: It was understood, but its rights are gone: only a new exchange can help.
        """

    def redacted(self, text: str) -> str:
        """Return ``text`` of the vendor for people: without any secret of ours, in one line, short."""
        ...

    def masked(self, payload: bytes) -> bytes:
        """Return what is to be recorded: every byte as it came, but for secrets of ours, which are blotted out."""
        ...


class Budget(Protocol):
    """This process's part of the vendor's limits, remembered on disk."""

    @property
    def connects_left(self) -> int:
        """Handshakes that may be made at once."""
        ...

    @property
    def requests_left(self) -> int:
        """HTTP requests that may be made at once."""
        ...

    async def connect(self) -> None:
        """Return when a handshake may be made; it counts from then on, as an HTTP request too."""


class Waiting(Protocol):
    """Who has look-ups to do."""

    @property
    def waiting(self) -> int:
        """Look-ups that wait for their turn."""
        ...
