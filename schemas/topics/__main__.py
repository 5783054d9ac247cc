"""``python -m schemas.topics [--check]``: write docs/topics.md and schemas/asyncapi.json, or say which is stale."""

import sys

from schemas import asyncapi
from schemas.topics import page


def main(arguments: list[str]) -> int:
    """Return 0 when both are, or were made, what the registry says; 1 when ``--check`` finds one stale."""
    wanted = {page.PAGE: page.rendered(), asyncapi.FILE: asyncapi.rendered()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if "--check" in arguments:
            print(f"stale: {path.name}; run python -m schemas.topics", file=sys.stderr)  # noqa: T201 - its answer
        else:
            path.write_text(wanted[path], encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
