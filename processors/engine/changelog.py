"""What stands in a changelog: checkpoints, frame numbers and state, by key prefix.

One changelog partition belongs to one stream task: ``changelog.<processor>.<source>``, same partition count, one
writer. A checkpoint says how far the state goes; it is written first, in the transaction of the state it covers.
"""

from collections.abc import Iterator

import msgspec

CHECKPOINT_KEY = b"@"
REPEATS_PREFIX = b"r|"
STATE_PREFIX = b"s|"
FORMAT = 1


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How far a task's state goes and who wrote it."""

    format: int = FORMAT
    group: str
    """Consumer group; a changelog with another one is foreign and refused."""
    source: str
    """Physical source topic."""
    partition: int
    offset: int
    """Next source offset: everything below it is in the state and the outputs."""
    stream_time_ns: int
    """Greatest ``tc-received-ns`` below ``offset``."""
    owner: str
    """Transactional id of the writer; also its Kafka client id."""
    member: str
    """Group member id of the writer when its cycle began."""
    generation: int
    """Group generation when its cycle began."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Checkpoint)


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return the record value of ``checkpoint``."""
    return _encoder.encode(checkpoint)


def decode_checkpoint(value: bytes) -> Checkpoint:
    """Return the checkpoint in ``value``.

    Raises:
        msgspec.ValidationError: ``value`` is no checkpoint of ours.
    """
    return _decoder.decode(value)


def state_records(
    repeats: Iterator[tuple[bytes, bytes]], changes: dict[bytes, bytes | None]
) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield the records (key, value) that follow a checkpoint."""
    for line, value in repeats:
        yield REPEATS_PREFIX + line, value
    for key, changed in changes.items():
        yield STATE_PREFIX + key, changed
