"""One customer's side of a history: his bets, what traders say of them, and when somebody hears it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BetRecord:
    """One record of ``rms.bets``, as its router reads it; ``content`` tells placed ones apart."""

    customer: str
    slip: str
    logged_ns: int
    at_ns: int
    context: str | None = None
    stake: str = "10"
    odds: tuple[str, ...] = ("1.95",)
    disposition: str | None = None
    code: str | None = None
    position: str = ""

    @property
    def is_answer(self) -> bool:
        return self.disposition is not None

    @property
    def content(self) -> str:
        """Stands for the hash of what was placed."""
        return f"{self.context} {self.stake} {self.odds}"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a trader said; who hears it, at ``at_ns``, knows ``slip``, ``code`` or both."""

    customer: str
    at_ns: int
    said: str
    slip: str | None
    code: str | None
    stake: str | None = None
    odds: str | None = None
    meant: str = ""
    """Slip id that the trader looked at."""
    sent_ns: int | None = None
    """When he said it, if it was not read at once."""
    after_ns: int | None = None
    """After when he said it, as the connector has it; ``None``: it does not tell."""

    @property
    def said_ns(self) -> int:
        """When he said it."""
        return self.at_ns if self.sent_ns is None else self.sent_ns

    @property
    def earliest_ns(self) -> int:
        """When he may have said it, for all that we know."""
        return self.at_ns if self.after_ns is None else min(self.at_ns, self.after_ns)


@dataclass(frozen=True, slots=True)
class Covered:
    """The socket was joined from ``since_ns`` and heard until ``until_ns``; its end was told at ``told_ns``."""

    since_ns: int
    until_ns: int
    told_ns: int
    is_our_hole: bool = False
    """What follows begins with the record that showed the hole."""
    unproven_ns: int = 0
    """How much earlier than ``until_ns`` that is what its end proves."""

    @property
    def proven_ns(self) -> int:
        """Until when its end proves that it was heard."""
        return max(self.since_ns, self.until_ns - self.unproven_ns)


@dataclass(slots=True)
class Customer:
    """One customer's side of a history."""

    name: str
    bets: list[BetRecord] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    covered: list[Covered] = field(default_factory=list)
    stalls: list[tuple[int, int]] = field(default_factory=list)
    """When its connector stood still, in coverage: what was said meanwhile is read at the end."""
    ticks: list[int] = field(default_factory=list)
    end_ns: int = 0

    def hears(self, at_ns: int) -> bool:
        """Tell whether what the vendor sends at that time reaches us."""
        return any(one.since_ns <= at_ns <= one.until_ns for one in self.covered)

    def read_by(self, at_ns: int) -> int:
        """Return until when all that had come by then was read."""
        return next((begun for begun, ended in self.stalls if begun < at_ns <= ended), at_ns)
