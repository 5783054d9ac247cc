"""The contracts as they were released, and what changed since: ``python -m schemas.release [--check]``.

Without argument the present contracts are released: written to ``schemas/released.json``, unless a change is breaking.
``--withdraw TYPE…`` takes types out. docs/contracts.md says when, and how to make a breaking change.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from schemas.codec import MODELS
from schemas.compatibility import Change, changes, shape_of
from schemas.export import schema
from schemas.headers import HEADERS
from schemas.topics import TOPICS

FILE: Final = Path(__file__).with_name("released.json")

Edition = dict[str, dict[str, Any]]
"""``topics`` and ``types``, each by name."""


def present() -> Edition:
    """Return the contracts as they are now."""
    return {
        "topics": {
            name: {
                "partitions": topic.partitions,
                "cleanup": topic.cleanup,
                "input": topic.content == "input",
                "headers": {header.name: header.required for header in HEADERS[topic.content]},
            }
            for name, topic in TOPICS.items()
            if topic.audience != "internal"
        },
        "types": {
            ce_type: {"topic": model.topic, "shape": shape_of(schema(model))}
            for ce_type, model in MODELS.items()
            if TOPICS[model.topic].audience != "internal"
        },
    }


def released() -> Edition:
    """Return the contracts as they were released."""
    edition: Edition = json.loads(FILE.read_text(encoding="utf-8"))
    return edition


def compared(old: Edition, new: Edition) -> list[Change]:
    """Return what changed, in the order of the older edition; what is new as a whole is no change."""
    return [*_topics(old["topics"], new["topics"]), *_types(old["types"], new["types"], new["topics"])]


def _topics(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name, before in old.items():
        after = new.get(name)
        if after is None:
            yield Change(where=name, rule="topic-removed", text="it is read", breaking=True)
            continue
        if (count := after["partitions"]) != before["partitions"]:
            text = f"{before['partitions']} became {count}: keys would change their partition and lose their order"
            yield Change(where=name, rule="partitions-changed", text=text, breaking=True)
        if after["cleanup"] != before["cleanup"]:
            text = f"{before['cleanup']} became {after['cleanup']}"
            yield Change(where=name, rule="cleanup-changed", text=text, breaking=True)
        for header, required in before["headers"].items():
            if header not in after["headers"]:
                yield Change(where=name, rule="header-removed", text=header, breaking=True)
            elif required and not after["headers"][header]:
                yield Change(where=name, rule="header-made-optional", text=header, breaking=True)


def _types(old: Mapping[str, Any], new: Mapping[str, Any], topics: Mapping[str, Any]) -> Iterator[Change]:
    for name, before in old.items():
        after = new.get(name)
        if after is None:
            yield Change(where=name, rule="type-removed", text="topics may hold records of it", breaking=True)
            continue
        if after["topic"] != before["topic"]:
            text = f"from {before['topic']} to {after['topic']}"
            yield Change(where=name, rule="type-moved", text=text, breaking=True)
        is_input = topics.get(after["topic"], {}).get("input", False)
        yield from changes(before["shape"], after["shape"], name, is_input=is_input)


def write(edition: Edition) -> None:
    """Write what counts as released from now on."""
    FILE.write_text(json.dumps(edition, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Return 0; 1 when a change is breaking, or a type to be withdrawn was never released."""
    if arguments[:1] == ["--withdraw"]:
        return _withdraw(arguments[1:])
    found = compared(released() if FILE.exists() else {"topics": {}, "types": {}}, present())
    for change in found:
        print(change)  # noqa: T201 - a command's answer
    if any(change.breaking for change in found):
        print("docs/contracts.md says how to make a breaking change", file=sys.stderr)  # noqa: T201
        return 1
    if "--check" not in arguments:
        write(present())
    return 0


def _withdraw(types: list[str]) -> int:
    edition = released()
    unknown = [name for name in types if edition["types"].pop(name, None) is None]
    if unknown or not types:
        print(f"never released: {', '.join(unknown) or 'name a type'}", file=sys.stderr)  # noqa: T201
        return 1
    write(edition)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
