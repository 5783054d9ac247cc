"""Times on the command line."""

import re
from datetime import UTC, datetime, timedelta

import click

_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Time(click.ParamType):
    """A time: so long ago (``90m``, ``2h``, ``3d``), or ISO 8601, UTC unless it names another zone."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Return UTC milliseconds."""
        text = str(value)
        ago = _AGO.fullmatch(text)
        try:
            if ago is not None:
                time = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
            else:
                time = datetime.fromisoformat(text)
            # Kafka has no time before 1970; below it are its words for the ends of a partition.
            return max(0, int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000))
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is no time such as 2h, 3d or 2026-11-21T18:00", param, ctx)
