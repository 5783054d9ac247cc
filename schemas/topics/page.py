"""``docs/topics.md``, made of the registry."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from schemas.codec import MODELS, schema_file
from schemas.examples import Example, examples
from schemas.headers import CLOUDEVENTS, DEAD_LETTERS, RAW, REPLAY_REQUEST, Header
from schemas.topics import DAY_MS, TOPICS, Topic
from schemas.topics.topic import COPIES, Content, min_in_sync

PAGE: Final = Path(__file__).parents[2] / "docs" / "topics.md"
PREFIX: Final = "tricast."
"""Default of the prefix setting."""
_MIB: Final = 1024 * 1024
_SHOWN: Final = 1_000
"""Characters of an example's value that is bytes to us."""

DELIVERY: Final[dict[Content, str]] = {
    "raw": "at least once: a frame or snapshot whose `tc-connection` and `tc-frame` were there before is a repeat; each"
    " frame that reached us is there, or in a gap on record",
    "events": "exactly once, read committed: written in one transaction with the position of what it comes from",
    "dead-letters": "exactly once, read committed, in the transaction of the records beside it",
    "input": "as the bet platform writes; equal repeats change nothing",
    "messages": "exactly once, read committed",
    "state": "exactly once, read committed",
}
"""What is promised of delivery."""

_HEAD: Final = f"""\
# Topics

**Readers must set `isolation.level=read_committed`.** Not all clients do by default: not Java's (`isolation.level`),
franz-go (`kgo.FetchIsolationLevel(kgo.ReadCommitted())`), aiokafka (`isolation_level`), Sarama
(`Consumer.IsolationLevel`). They would read records of transactions that were taken back: doubles, and facts that never
were. Clients on librdkafka read committed unless told otherwise.

Made from the registry, `schemas/topics`, by `python -m schemas.topics`; do not edit it. The same registry makes
`schemas/asyncapi.json` (AsyncAPI 3 with Kafka bindings) and the topics themselves (`tricast topics create`); `tricast
topics check` compares a live Kafka with it: settings, copies, headers, values. How types change:
[contracts.md](contracts.md). Who starts in the middle loads `kambi.state` or `fastpath.state` first, then follows:
[state.md](state.md).

Names have the prefix `{PREFIX}` unless `TRICAST_TOPIC_PREFIX` says otherwise. Keys are UTF-8 text; where nothing else
is said, the partition is `murmur2(key)` as Java's default partitioner has it. Each partition has {COPIES} copies (fewer
where there are fewer brokers) and `min.insync.replicas={min_in_sync(COPIES)}`. Pass over fields and headers that you do
not know: new ones may come.
"""


def rendered() -> str:
    """Return the page."""
    shown = [topic for topic in TOPICS.values() if topic.audience != "internal"]
    hidden = [topic for topic in TOPICS.values() if topic.audience == "internal"]
    return "\n".join(
        [
            _HEAD,
            "| topic | key | kept | partitions |\n|---|---|---|---|",
            *map(_row, shown),
            "",
            *_headers(),
            *(line for topic in shown for line in _section(topic)),
            "## Internal topics\n",
            "Between parts of tricast; they may change with any version.\n",
            "| topic | what | key | written by | read by | kept | partitions |\n|---|---|---|---|---|---|---|",
            *(_hidden(topic) for topic in hidden),
            "",
        ]
    )


def _row(topic: Topic) -> str:
    name = f"[`{topic.name}`](#{topic.name.replace('.', '')})"
    return f"| {name} | {_cell(topic.key)} | {kept(topic)} | {topic.partitions} |"


def kept(topic: Topic) -> str:
    """Return how long records stay, in words."""
    if topic.retention_ms is None:
        return "compact: the newest of each key, without end"
    return f"delete, {topic.retention_ms // DAY_MS} d"


def types_of(topic: Topic) -> list[str]:
    """Return the CloudEvents types (of input: the schemas) that a topic holds."""
    return [ce_type for ce_type, model in MODELS.items() if model.topic == topic.name]


def _headers() -> Iterator[str]:
    yield "## Headers\n"
    yield "Values are UTF-8 text. *Optional* ones are where they have something to say.\n"
    for title, headers in (
        ("Normalized records (CloudEvents 1.0, binary mode of its Kafka binding)", CLOUDEVENTS),
        ("Raw records", RAW),
        (
            "Requests to replay, among raw records and bets; pass over them",
            REPLAY_REQUEST,
        ),
        ("Dead letters", DEAD_LETTERS),
    ):
        yield f"### {title}\n"
        yield "| header | what | |\n|---|---|---|"
        yield from (f"| `{header.name}` | {_cell(header.meaning)} | {_optional(header)} |" for header in headers)
        yield ""


def _optional(header: Header) -> str:
    return "" if header.required else "optional"


def _section(topic: Topic) -> Iterator[str]:
    yield f"## {topic.name}\n"
    yield f"{topic.description}\n"
    yield "| | |\n|---|---|"
    yield f"| key | {_cell(topic.key)} |"
    yield f"| order | {_cell(topic.order)} |"
    yield f"| delivery | {DELIVERY[topic.content]} |"
    yield f"| kept | {kept(topic)}; a record has at most {topic.max_message_bytes / _MIB:g} MiB |"
    yield f"| partitions | {topic.partitions} |"
    yield f"| written by | {', '.join(topic.written_by)} |"
    readers = (*topic.read_by, "whoever wants to") if topic.audience == "public" else topic.read_by
    yield f"| read by | {', '.join(readers)} |"
    if types := types_of(topic):
        yield "\n| type | what |\n|---|---|"
        yield from (_type(ce_type) for ce_type in types)
    yield from _example(examples()[topic.name])


def _type(ce_type: str) -> str:
    what = " ".join((MODELS[ce_type].__doc__ or "").partition("\n\n")[0].split())
    return f"| [`{ce_type}`](../schemas/json/{schema_file(ce_type)}) | {_cell(what)} |"


def _example(of: dict[str, Example]) -> Iterator[str]:
    kind = max(of, key=lambda kind: (kind == "frame", kind != "replay", len(json.dumps(of[kind].value))))
    example = of[kind]
    value = example.value if isinstance(example.value, str) else json.dumps(example.value, ensure_ascii=False, indent=1)
    yield "\n```"
    yield f"key    {example.key}"
    yield from (f"header {name}: {text}" for name, text in example.headers.items())
    yield value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
    yield "```\n"


def _hidden(topic: Topic) -> str:
    said = (
        f"`{topic.name}`",
        topic.description,
        topic.key,
        ", ".join(topic.written_by),
        ", ".join(topic.read_by),
        kept(topic),
        str(topic.partitions),
    )
    return f"| {' | '.join(map(_cell, said))} |"


def _cell(text: str) -> str:
    """Return text so that a table takes it: neither a column's end nor a tag."""
    return text.replace("|", "\\|").replace("<", "&lt;") if "`" not in text else text.replace("|", "\\|")
