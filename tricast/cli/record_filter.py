"""Which records ``tricast tail`` shows. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import click

TYPE_HEADERS = ("ce_type", "tc-code", "tc-kind")
"""Where a record says what it is: normalized ones, dead letters, raw ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """What a record has to be; of several patterns of one kind any may fit. Patterns are those of a shell.

    Attributes:
        keys: Of the key as text.
        types: Of the type, whole or as it is shown (``odds.changed`` for ``tricast.kambi.odds.changed.v1``).
        headers: Name, and pattern of the value; every name must have one that fits.
    """

    keys: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    def takes(self, record: Any) -> bool:
        """Return whether to show ``record``."""
        if self.keys and not _any_fits(self.keys, [text_of(record.key) or ""]):
            return False
        if self.types and not _any_fits(self.types, _type_names(record)):
            return False
        return all(
            any(given == name and fnmatchcase(text_of(value) or "", wanted) for given, value in record.headers)
            for name, wanted in self.headers
        )


class HeaderPattern(click.ParamType):
    """``NAME=VALUE`` on the command line, where VALUE is a pattern."""

    name = "name=value"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Return name and pattern."""
        name, equals, wanted = str(value).partition("=")
        if not equals or not name:
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        return name, wanted


def type_of(record: Any) -> str:
    """Return what a record says it is, empty when it says nothing."""
    headers = dict(record.headers)
    return next((text_of(headers[name]) or "" for name in TYPE_HEADERS if name in headers), "")


def short_type(kind: str) -> str:
    """Return a type as it is shown: without what all have in common."""
    return kind.removeprefix("tricast.").removesuffix(".v1")


def text_of(value: bytes | None) -> str | None:
    """Return bytes as text, whatever they are."""
    return None if value is None else value.decode(errors="replace")


def _type_names(record: Any) -> Iterator[str]:
    kind = type_of(record)
    short = short_type(kind)
    yield from (kind, short, short.partition(".")[2])


def _any_fits(patterns: Sequence[str], texts: Any) -> bool:
    names = list(texts)
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)
