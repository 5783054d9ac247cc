"""What reading found when it is no packet: a value, and the exception that carries it out of a deep place."""

import msgspec

from schemas.fastpath.codes import Code


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    """Bytes that become a dead letter: the code and, for people, what was wrong."""

    code: Code
    detail: str


class RejectedError(Exception):
    """Leaves the reading of a packet; whoever reads it takes the finding."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.finding = Unreadable(code, detail)
