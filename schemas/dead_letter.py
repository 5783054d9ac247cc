"""What the dead-letter codes of every feed have in common, and those that the engine gives."""

from enum import StrEnum
from typing import Final, Self


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


class EngineCode(DeadLetterCode):
    """Codes of every feed that come from the engine, not from a core; without index."""

    PROCESSOR_ERROR = (
        "processor-error",
        "the core raised an exception: a bug; nothing of the record came out, its state was taken back",
    )
    HOLE_ERROR = (
        "hole-error",
        "the core raised an exception when it was told of frames that never came; the record itself went its way",
    )
    OUTPUT_TOO_LARGE = (
        "output-too-large",
        "one record that came out was larger than its topic takes; the others of its source record are out",
    )


_REPLAYABLE_KINDS: Final = frozenset({"frame", "snapshot"})
_FINAL: Final = {
    EngineCode.OUTPUT_TOO_LARGE.value: "the other records of its source are out; the record is read in the raw topic",
    EngineCode.HOLE_ERROR.value: "the record itself went its way; only the loss before it was not told",
    "replay-refused": "it was refused as a replay",
    "bad-replay": "it is no dead letter of a feed's record",
    "bad-headers": "its headers say too little or are wrong, and no code mends those",
    "unknown-kind": "no connector writes that kind of record",
    "bad-control": "a control record speaks of its own moment, which has passed",
    "bad-fact": "latest states are made of facts, which nobody writes again: the next fact or snapshot mends them",
    "bad-message": "rms.join's messages are made from others: replay what they came from",
    "too-much-evidence": "rms.join's messages are made from others: replay what they came from",
}


def why_final(code: str, kind: str | None) -> str | None:
    """Return why a dead letter is never replayed, or ``None`` if it may be.

    Args:
        code: Its ``tc-code``.
        kind: ``tc-kind`` of its source, ``None`` for topics whose records have none.
    """
    final = _FINAL.get(code) or _FINAL.get(code.partition(".")[2])
    if final is None and kind is not None and kind not in _REPLAYABLE_KINDS:
        return f"a control record ({kind[:40]}) speaks of its own moment, which has passed"
    return final
