"""``python -m tricast`` and the ``tricast`` command."""

import sys

from tricast.cli.main import run


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
