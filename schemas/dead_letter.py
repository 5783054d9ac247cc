"""What the dead-letter codes of every feed have in common."""

from enum import StrEnum
from typing import Self


class DeadLetterCode(StrEnum):
    """A closed list of codes; the members are the feeds'.

    Attributes:
        meaning: What it says, for a person.
    """

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        """Make the member ``value, meaning``."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member
