"""Which right is missing, where aiokafka says that Kafka refuses one.

aiokafka names the resource, mostly; which operations are needed there, the caller knows.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.structs import TopicPartition

from schemas.errors import MissingRight

REFUSALS: Final = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
"""What aiokafka raises."""


def missing_right(
    error: BaseException,
    *,
    user: str | None = None,
    on_topic: Callable[[str], str] = lambda _: "Read",
    about: str | None = None,
) -> MissingRight | None:
    """Return what to tell a person when ``error`` comes of a right that is missing; ``None``: it does not.

    Args:
        error: What happened; what led to it is looked at, too.
        user: Name for Kafka; ``None`` when it is not known here.
        on_topic: The operations that are needed on a topic, by its physical name.
        about: The topic that it is about, where Kafka does not say.
    """
    refusal = next((each for each in _chain(error) if isinstance(each, REFUSALS)), None)
    return None if refusal is None else MissingRight(_lacking(refusal, on_topic, about), user)


def _lacking(refusal: BaseException, on_topic: Callable[[str], str], about: str | None) -> str:
    names = _names(refusal.args)
    match refusal:
        case TransactionalIdAuthorizationFailed():
            return f"Write on transactional id {_joined(names)}"
        case GroupAuthorizationFailedError():
            return f"Read on group {_joined(names)}"
        case TopicAuthorizationFailedError() if names or about:
            return "; ".join(f"{on_topic(name)} on topic {name}" for name in names or [str(about)])
        case TopicAuthorizationFailedError():
            return "Read or Write on a topic"
    # All that we ask of the cluster itself is an id for an idempotent producer: whoever may write any topic gets one.
    return f"Write on {'any topic' if about is None else f'topic {about}'}"


def _names(arguments: tuple[Any, ...]) -> list[str]:
    match arguments:
        case [str(name)]:
            return [name]
        case [TopicPartition(topic=topic)]:
            return [topic]
        case [set() | frozenset() | list() as names]:
            return sorted(map(str, names))
    return []


def _joined(names: list[str]) -> str:
    return ", ".join(names) or "(Kafka did not say which)"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
