"""Times on the command line."""

from datetime import UTC, datetime

import click


class Time(click.ParamType):
    """ISO 8601, UTC unless it names another zone."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Return UTC milliseconds."""
        if isinstance(value, int):
            return value
        try:
            time = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time such as 2026-11-21T18:00", param, ctx)
        return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
