"""Which routing keys a message is published to (sheet, sections 3 and 6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from simulators.kambi.book import Reach
from simulators.kambi.routing import general, of_event, settlements

Side = Literal["language", "neutral"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """Which keys exist for an offering."""

    offering: str
    languages: tuple[str, ...]
    extended: bool

    def of_event_change(self, side: Side) -> tuple[str, ...]:
        """Keys of a message about a whole event: general ones only."""
        return tuple(chain.from_iterable(self._general(language) for language in self._of(side)))

    def of_event_only(self, side: Side, event_id: int) -> tuple[str, ...]:
        """Keys of a message that is for followers of one event only."""
        return tuple(of_event(self.offering, event_id, language=language) for language in self._of(side))

    @property
    def settlements(self) -> tuple[str, ...]:
        """Key of the settlement channel."""
        return (settlements(self.offering),)

    def of_offer_change(self, side: Side, event_id: int, reach: Reach) -> tuple[str, ...]:
        """Keys of a message about bet offers: the event's, and the general ones as far as the offer reaches."""
        keys: list[str] = []
        for language in self._of(side):
            if reach == "listed":
                keys += self._general(language)
            elif reach == "extended" and self.extended:
                keys.append(general(self.offering, language=language, extended=True))
            keys.append(of_event(self.offering, event_id, language=language))
        return tuple(keys)

    def event_neutral(self, event_id: int) -> str:
        """Key of one event's language-neutral channel (EN)."""
        return of_event(self.offering, event_id)

    def _of(self, side: Side) -> tuple[str | None, ...]:
        return self.languages if side == "language" else (None,)

    def _general(self, language: str | None) -> Iterator[str]:
        yield general(self.offering, language=language)
        if self.extended:
            yield general(self.offering, language=language, extended=True)
