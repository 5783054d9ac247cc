"""For teams that read: typed events of committed records, whether to trust them, and where to go on.

Light: neither Faust nor the engine is imported, and of the Kafka clients only the one that is used: ``Reader`` and
``Trust`` here are aiokafka's, ``tricast.consumer.confluent`` has the same for confluent-kafka.
"""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from schemas.kafka import KafkaSettings
from tricast.consumer.event import Event, Place, Unread
from tricast.consumer.progress import Done, Seen
from tricast.consumer.verdict import Verdict

if TYPE_CHECKING:
    from tricast.consumer.aio import Reader
    from tricast.consumer.aio_trust import Trust

__all__ = ["Done", "Event", "KafkaSettings", "Place", "Reader", "Seen", "Trust", "Unread", "Verdict"]

_WHERE: Final = MappingProxyType({"Reader": "aio", "Trust": "aio_trust"})


def __getattr__(name: str) -> Any:
    """Import aiokafka when its reader is asked for: who reads with confluent-kafka does without."""
    if name not in _WHERE:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
