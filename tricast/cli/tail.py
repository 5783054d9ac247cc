"""``tricast tail``: watch a topic."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import click
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError, KafkaError

from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from schemas.unreached import unreached
from tricast.cli.invocation import Invocation, json_option, pass_invocation, stop_on_signals

_TYPE_HEADERS = ("ce_type", "tc-code", "tc-kind")
_POLL_MS = 200
_NARROW = 60


@click.command()
@click.argument("topic")
@click.option("--raw", is_flag=True, help="Print values only, byte for byte, one a line.")
@json_option
@click.option("--from-beginning", is_flag=True, help="Begin with the oldest record kept, not with the next to come.")
@click.option("--limit", type=click.IntRange(1), help="Stop after so many records.")
@pass_invocation
def tail(
    invocation: Invocation, topic: str, *, raw: bool, as_json: bool, from_beginning: bool, limit: int | None
) -> None:
    """Print records of TOPIC (its registry name or its whole name) as they are committed; Ctrl-C ends it.

    \b
    Columns: partition/offset, time (UTC), key, type, value
    \b
    Examples:
      tricast tail kambi.offers
      tricast tail kambi.raw --raw --from-beginning --limit 10
      tricast tail kambi.dead-letters --json | jq .headers
    """
    if raw and as_json:
        raise click.UsageError("--raw and --json exclude each other")
    settings = invocation.settings
    show = _show_value if raw else _show_json if as_json else _show_line
    name = settings.topic_prefix + topic if topic in TOPICS else topic
    asyncio.run(_tail(settings.kafka, name, from_beginning, limit, show))


async def _tail(
    kafka: KafkaSettings, topic: str, from_beginning: bool, limit: int | None, show: Callable[[Any], None]
) -> None:
    stopping = asyncio.Event()
    stop_on_signals(stopping.set)
    shown = 0
    async with aclosing(_records(kafka, topic, from_beginning, stopping)) as records:
        async for record in records:
            show(record)
            shown += 1
            if shown == limit:
                break


async def _records(
    kafka: KafkaSettings, topic: str, from_beginning: bool, stopping: asyncio.Event
) -> AsyncGenerator[Any]:
    consumer = AIOKafkaConsumer(
        topic,
        **kafka.client(),
        enable_auto_commit=False,
        auto_offset_reset="earliest" if from_beginning else "latest",
        isolation_level="read_committed",
    )
    try:
        await consumer.start()
        while not stopping.is_set():
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                for record in records:
                    yield record
            sys.stdout.flush()
    except KafkaConnectionError as error:
        raise await unreached(kafka.client(), error) from error
    except KafkaError as error:
        raise EnvironmentFault(
            f"cannot read {topic}: {error}", action="check the servers, and the name with `tricast topics list`"
        ) from error
    finally:
        await consumer.stop()


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
                "key": _text(record.key),
                "headers": {name: _text(value) for name, value in record.headers},
                "value": _parsed(record.value),
            }
        )
    )


def _show_line(record: Any) -> None:
    headers = dict(record.headers)
    kind = next((_text(headers[name]) or "" for name in _TYPE_HEADERS if name in headers), "")
    time = datetime.fromtimestamp(record.timestamp / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    short = kind.removeprefix("tricast.").removesuffix(".v1")
    line = (
        f"{record.partition}/{record.offset:<8} {time} {_text(record.key) or '-':<12} {short:<28} {_text(record.value)}"
    )
    width = shutil.get_terminal_size().columns
    # Whole values for pipes and files; one line a record where a person looks.
    print(line[: max(width, _NARROW)] if sys.stdout.isatty() else line)  # noqa: T201 - this command prints


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def _parsed(value: bytes | None) -> Any:
    try:
        return None if value is None else json.loads(value)
    except ValueError:
        return _text(value)
