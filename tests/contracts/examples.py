"""``python -m tests.contracts.examples [--check]``: write ``schemas/examples.json`` from what our code writes."""

import json
import sys
from typing import Any, Final

from schemas.examples import FILE
from schemas.topics import TOPICS
from tests.contracts.written import Written, written

_FITS: Final = 700
"""Bytes of a value that still shows at a glance."""


def rendered() -> str:
    """Return the file: of each topic one record of each kind, the fullest that is still short."""
    chosen: dict[str, dict[str, Written]] = {name: {} for name, topic in TOPICS.items() if topic.audience != "internal"}
    for record in written():
        of = chosen.setdefault(record.topic, {})
        if record.value is not None and (record.kind not in of or _worth(record) > _worth(of[record.kind])):
            of[record.kind] = record
    shown = {
        topic: {kind: _shown(record) for kind, record in sorted(of.items())}
        for topic, of in chosen.items()
        if TOPICS[topic].content != "messages"
    }
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"


def _worth(record: Written) -> int:
    size = len(record.value or b"")
    return size if size <= _FITS else -size


def _shown(record: Written) -> dict[str, Any]:
    text = (record.value or b"").decode()
    bytes_ = TOPICS[record.topic].content in {"raw", "dead-letters"} or record.kind == "replay"
    return {
        "key": (record.key or b"").decode(),
        "headers": record.stamps,
        "value": text if bytes_ else json.loads(text),
    }


def main(arguments: list[str]) -> int:
    """Return 0 when the file is, or was made, what the code writes; 1 when ``--check`` finds it stale."""
    wanted = rendered()
    if FILE.exists() and FILE.read_text(encoding="utf-8") == wanted:
        return 0
    if "--check" in arguments:
        print(f"stale: {FILE.name}; run python -m tests.contracts.examples", file=sys.stderr)
        return 1
    FILE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
