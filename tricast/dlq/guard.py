"""Which dead letters are not replayed, and why: said before anything is written."""

from schemas.dead_letter import why_final
from schemas.replay import MAX_ATTEMPTS
from schemas.topics import TOPICS
from tricast.dlq.letters import Letter

JOIN_SOURCE = "rms.pending"


def refusal(letter: Letter, *, prefix: str, version: str, even_if_unchanged: bool) -> str | None:
    """Return why ``letter`` is not replayed; ``None``: it may be.

    Args:
        letter: The letter.
        prefix: Topic prefix.
        version: Of the code that would process it.
        even_if_unchanged: Replay it although the same code failed before.
    """
    if letter.source.topic == prefix + JOIN_SOURCE:
        return (
            "rms.join's messages come from rms.raw and rms.bets and lean on each other; mend the join, then"
            " `tricast reset rms.join`, or have the bet platform write the bet again"
        )
    source = TOPICS.get(letter.source.topic.removeprefix(prefix))
    if source is not None and source.content == "events":
        return "latest states are made of facts, which nobody writes again: the next fact or snapshot mends them"
    final = why_final(letter.code, letter.kind)
    if final is not None:
        return final
    if letter.attempt >= MAX_ATTEMPTS:
        return f"it was replayed {letter.attempt} times; {MAX_ATTEMPTS} is enough"
    if letter.version == version and not even_if_unchanged:
        return f"this code, {version}, is what could not process it (--even-if-unchanged)"
    return None
