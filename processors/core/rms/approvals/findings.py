"""What reading found when it is no record."""

from typing import Final

import msgspec

from processors.core.exact import Flaw
from schemas.rms.codes import Code

FLAWS: Final = {
    Flaw.NOT_JSON: Code.NOT_JSON,
    Flaw.BAD_UTF8: Code.BAD_UTF8,
    Flaw.TOO_DEEP: Code.TOO_DEEP,
    Flaw.DUPLICATE_KEY: Code.DUPLICATE_KEY,
    Flaw.NOT_AN_OBJECT: Code.NOT_AN_OBJECT,
}


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    """Bytes that become a dead letter: the code and, for people, what was wrong."""

    code: Code
    detail: str
