"""``python -m tricast`` and the ``tricast`` command."""

import sys

_ENVIRONMENT = 3
"""Exit code of ``EnvironmentFault``, which cannot be loaded where nothing can."""
_INTERRUPTED = 130
"""As ``tricast.cli.main`` has it, which may not be loaded yet."""


def main() -> None:
    """Run the command line and exit.

    A file that nobody expected not to open, be it of our own code, would end Python with 1: that is a failed check.
    """
    try:
        from tricast.cli.main import run  # noqa: PLC0415 - loading it may fail, too

        code = run(sys.argv[1:])
    except (ImportError, OSError) as error:
        sys.excepthook(type(error), error, error.__traceback__)
        code = _ENVIRONMENT
    except KeyboardInterrupt:
        code = _INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
