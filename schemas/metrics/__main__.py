"""``python -m schemas.metrics [--check]``: write ``docs/metrics.md``, or say that it is stale."""

import sys

from schemas.metrics.page import PAGE, rendered


def main(arguments: list[str]) -> int:
    """Return 0 when the page is, or was made, what the registry says; 1 when ``--check`` finds it stale."""
    wanted = rendered()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    if "--check" in arguments:
        print(f"stale: {PAGE.name}; run python -m schemas.metrics", file=sys.stderr)  # noqa: T201 - a command's answer
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
