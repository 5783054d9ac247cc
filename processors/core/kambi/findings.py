"""What reading found when it is no record: values, and the exception that carries one out of a deep place."""

from dataclasses import dataclass
from typing import Final

import msgspec

from schemas.kambi.codes import Code, Count


class InexactError(Exception):
    """A number that no reader can hold exactly. No ``ValueError``: msgspec would wrap it."""


READ_ERRORS: Final = (msgspec.DecodeError, UnicodeError, RecursionError, ValueError, InexactError)
"""What msgspec, json and our float hook raise on bytes that are not what they should be."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Nothing to normalize in it, by design."""

    what: Count


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that become a dead letter: the code and, for people, what was wrong."""

    code: Code
    detail: str


class RejectedError(Exception):
    """Leaves the reading of one part; caught in the module that raises it, never seen outside."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.finding = Unreadable(code, detail)
