"""Partition counts that a deployment may grow; all others stand in the registry."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.topics.kambi import KAMBI_SHARDS, MOST_KAMBI_SHARDS

_Facts = Annotated[int, Field(ge=4, le=1024, multiple_of=4)]


class Partitions(BaseModel):
    """What topics have grown to. All parts of a deployment need the same; `tricast topics grow` brings Kafka to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kambi_shards: Annotated[int, Field(ge=KAMBI_SHARDS, le=MOST_KAMBI_SHARDS)] = KAMBI_SHARDS
    """Shards that ``kambi.raw`` has partitions for, beside that of settlements."""
    kambi_facts: _Facts = 4
    """Partitions of ``kambi.events``, ``kambi.offers`` and ``kambi.scores``."""
    fastpath_actions: _Facts = 4
    """Partitions of ``fastpath.actions``."""
