"""The error tree of tricast.

TricastError
├── ConfigurationError      a setting is wrong; nothing was started
├── EnvironmentFault        the machine lacks something: network, disk, port, a running Kafka
│   └── MissingRight        Kafka knows the user and refuses it a right
├── ContractError           a record of ours breaks its own schema
└── EngineError             a stream task cannot go on
    ├── PositionError       checkpoint, changelog and source topic disagree; needs a person
    ├── FencedError         another worker owns the task or the worker's name
    │   └── ExpelledError   the consumer group went on without this worker
    └── TooManyDeadLetters  the stop ratio was passed; a core is broken
"""

from typing import ClassVar


class TricastError(Exception):
    """Base of every error that tricast raises on purpose.

    Args:
        message: What happened, with the facts (topic, partition, offset, path, port …).
        action: What a person should do about it; printed as "Operator action: …".
    """

    code: ClassVar[str] = "tricast"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, action: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.action = action

    def __str__(self) -> str:
        return f"{self.message}\nOperator action: {self.action}" if self.action else self.message


class ConfigurationError(TricastError):
    """A setting is missing, misspelt or impossible."""

    code = "configuration"
    exit_code = 2


class EnvironmentFault(TricastError):
    """The machine cannot do what was asked: no network, disk, port, or no Kafka there."""

    code = "environment"
    retryable = True
    exit_code = 3


class MissingRight(EnvironmentFault):
    """Kafka knows this user and refuses what it asked for.

    Args:
        lacks: The right, as in "Read on topic tricast.kambi.raw".
        user: Name for Kafka; ``None`` when it is not known here.
    """

    code = "missing-right"

    def __init__(self, lacks: str, user: str | None = None) -> None:
        who = "this user" if user is None else f"user {user!r}"
        super().__init__(
            f"Kafka refuses {who}: it lacks {lacks}",
            action="grant that, or correct TRICAST_KAFKA__SASL_USERNAME; docs/rights.md says what each role needs, and"
            " `python -m deploy.access` prints the calls of kafka-acls.sh",
        )
        self.lacks = lacks
        self.user = user


class ContractError(TricastError):
    """A record of ours does not satisfy its own schema."""

    code = "contract"


class EngineError(TricastError):
    """A stream task cannot go on; the worker stops so that nothing wrong is written (EX_SOFTWARE)."""

    code = "engine"
    exit_code = 70


class PositionError(EngineError):
    """Checkpoint, changelog, committed offset and source topic disagree (EX_CONFIG: a restart cannot mend it)."""

    code = "position"
    exit_code = 78


class FencedError(EngineError):
    """Somebody else owns this task or this worker's name now."""

    code = "fenced"
    retryable = True


class ExpelledError(FencedError):
    """The consumer group went on without this worker: it was stopped or cut off for longer than its session."""

    code = "expelled"


class TooManyDeadLetters(EngineError):
    """More than the stop ratio of recent records failed: a core is broken, not the data."""

    code = "too-many-dead-letters"
