"""``python -m deploy.strimzi [--check]``: write Strimzi's topics and users, or say which are stale."""

import sys

from deploy.strimzi.resources import FOLDER, rendered


def main(arguments: list[str]) -> int:
    """Return 0 when they are, or were made, what the registry says; 1 when ``--check`` finds one stale."""
    stale = [
        (FOLDER / name, text)
        for name, text in rendered().items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        if "--check" in arguments:
            print(f"stale: deploy/strimzi/{path.name}; run python -m deploy.strimzi", file=sys.stderr)  # noqa: T201
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
