"""The readers for confluent-kafka: plain iterators with the promises of ``tricast.consumer.Reader`` and ``Trust``.

Needs the extra ``confluent``.
"""

from tricast.consumer.errors import ExtraMissing

try:
    from tricast.consumer.confluent.reader import Reader
    from tricast.consumer.confluent.trust import Trust
except ModuleNotFoundError as error:
    if error.name != "confluent_kafka":
        raise
    raise ExtraMissing from error

__all__ = ["Reader", "Trust"]
