"""``tricast tail``: watch a topic."""

import asyncio
import json
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, UnknownTopicOrPartitionError

from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.stopping import stop_consumer
from schemas.topic_metadata import describe_topics
from schemas.topics import TOPICS
from schemas.unreached import unreached
from tricast.cli.invocation import Invocation, json_option, pass_invocation, stop_on_signals
from tricast.cli.record_filter import HeaderPattern, RecordFilter, short_type, text_of, type_of
from tricast.cli.times import Time

_POLL_MS = 200
_NARROW = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """Where to begin and to end.

    Attributes:
        from_beginning: Begin with the oldest record.
        since_ms: Begin with the first record of each partition that is not older, UTC.
        until_ms: End before the first that is not older; it has passed.
    """

    from_beginning: bool = False
    since_ms: int | None = None
    until_ms: int | None = None


@click.command(short_help="Print records of a topic as they are committed.")
@click.argument("topic")
@click.option("--raw", is_flag=True, help="Print values only, byte for byte, one a line.")
@json_option
@click.option("--key", "keys", multiple=True, metavar="PATTERN", help="Only records with such a key.")
@click.option("--type", "types", multiple=True, metavar="PATTERN", help="Only such types, e.g. `odds.*` or `tick`.")
@click.option(
    "--header",
    "headers",
    multiple=True,
    type=HeaderPattern(),
    help="Only with such headers, all of them.",
)
@click.option("--since", "since_ms", type=Time(), help="Begin there: 90m, 2h, 3d ago, or a time.")
@click.option("--until", "until_ms", type=Time(), help="End there, instead of waiting for what comes.")
@click.option("--from-beginning", is_flag=True, help="Begin with the oldest record kept, not with the next to come.")
@click.option("--limit", type=click.IntRange(1), help="Stop after so many records.")
@pass_invocation
def tail(
    invocation: Invocation,
    topic: str,
    *,
    raw: bool,
    as_json: bool,
    keys: Sequence[str],
    types: Sequence[str],
    headers: Sequence[tuple[str, str]],
    since_ms: int | None,
    until_ms: int | None,
    from_beginning: bool,
    limit: int | None,
) -> None:
    """Print records of TOPIC (its registry name or its whole name) as they are committed; Ctrl-C ends it.

    Patterns are those of a shell (`*`, `?`, `[…]`); an option given again widens it, different ones narrow it. Times
    are those of the records.

    \b
    Columns: partition/offset, time (UTC), key, type, value
    \b
    Examples:
      tricast tail kambi.offers
      tricast tail kambi.offers --key 1020000001 --type 'odds.*'
      tricast tail kambi.raw --header tc-line=kambi-0-general --since 10m --until 5m
      tricast tail kambi.raw --raw --from-beginning --limit 10
      tricast tail kambi.dead-letters --json | jq .headers
    """
    if raw and as_json:
        raise click.UsageError("--raw and --json exclude each other")
    if from_beginning and since_ms is not None:
        raise click.UsageError("--from-beginning and --since exclude each other")
    if until_ms is not None and until_ms > time.time_ns() // 1_000_000:
        raise click.UsageError("--until lies ahead")
    if until_ms is not None and since_ms is None and not from_beginning:
        raise click.UsageError("--until needs --since or --from-beginning")
    settings = invocation.settings
    show = _show_value if raw else _show_json if as_json else _show_line
    name = settings.topic_prefix + topic if topic in TOPICS else topic
    span = _Span(from_beginning=from_beginning, since_ms=since_ms, until_ms=until_ms)
    wanted = RecordFilter(keys=tuple(keys), types=tuple(types), headers=tuple(headers))
    asyncio.run(_tail(settings.kafka, name, span, wanted=wanted, limit=limit, show=show))


async def _tail(
    kafka: KafkaSettings,
    topic: str,
    span: _Span,
    *,
    wanted: RecordFilter,
    limit: int | None,
    show: Callable[[Any], None],
) -> None:
    stopping = asyncio.Event()
    stop_on_signals(stopping.set)
    shown = 0
    async with aclosing(_records(kafka, topic, span, stopping)) as records:
        async for record in records:
            if not wanted.takes(record):
                continue
            show(record)
            shown += 1
            if shown == limit:
                break


async def _records(kafka: KafkaSettings, topic: str, span: _Span, stopping: asyncio.Event) -> AsyncGenerator[Any]:
    consumer = AIOKafkaConsumer(
        topic,
        **kafka.client(),
        enable_auto_commit=False,
        auto_offset_reset="earliest" if span.from_beginning else "latest",
        isolation_level="read_committed",
    )
    try:
        if await _is_missing(kafka, topic):  # who subscribes to it may make it
            raise EnvironmentFault(f"topic {topic} does not exist", action="run `tricast topics create`")
        await consumer.start()
        ends = await _ends(consumer, span)
        while not stopping.is_set():
            for partition, records in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
                for record in records:
                    if ends is None or record.offset < ends[partition]:
                        yield record
            sys.stdout.flush()
            if ends is not None and all([await consumer.position(tp) >= end for tp, end in ends.items()]):
                break
    except KafkaConnectionError as error:
        raise await unreached(kafka.client(), error) from error
    except KafkaError as error:
        raise EnvironmentFault(
            f"cannot read {topic}: {error}", action="check the servers, and the name with `tricast topics list`"
        ) from error
    finally:
        await stop_consumer(consumer)


async def _is_missing(kafka: KafkaSettings, topic: str) -> bool:
    admin = AIOKafkaAdminClient(**kafka.client())
    try:
        await admin.start()
        [told] = await describe_topics(admin, [topic])
    finally:
        await admin.close()
    return bool(told["error_code"] == UnknownTopicOrPartitionError.errno)


async def _ends(consumer: AIOKafkaConsumer, span: _Span) -> dict[TopicPartition, int] | None:
    """Go to where to begin, and return where to end; ``None`` when there is no end."""
    partitions = consumer.assignment()
    ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    if span.since_ms is not None:
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, span.since_ms))
        for partition in partitions:
            at = found.get(partition)
            consumer.seek(partition, ends[partition] if at is None else at.offset)
    if span.until_ms is None:
        return None
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, span.until_ms))
    return {tp: end if (at := found.get(tp)) is None else at.offset for tp, end in ends.items()}


def _show_value(record: Any) -> None:
    sys.stdout.buffer.write((record.value or b"") + b"\n")


def _show_json(record: Any) -> None:
    print(  # noqa: T201 - this command prints
        json.dumps(
            {
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "timestamp_ms": record.timestamp,
                "key": text_of(record.key),
                "headers": {name: text_of(value) for name, value in record.headers},
                "value": _parsed(record.value),
            }
        )
    )


def _show_line(record: Any) -> None:
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    kind = short_type(type_of(record))
    key, value = text_of(record.key) or "-", text_of(record.value)
    line = f"{record.partition}/{record.offset:<8} {at} {key:<12} {kind:<28} {value}"
    width = shutil.get_terminal_size().columns
    # Whole values for pipes and files; one line a record where a person looks.
    print(line[: max(width, _NARROW)] if sys.stdout.isatty() else line)  # noqa: T201 - this command prints


def _parsed(value: bytes | None) -> Any:
    try:
        return None if value is None else json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text_of(value)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
