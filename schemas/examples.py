"""One record of each kind, as our code wrote it.

``python -m tests.contracts.examples`` makes the file, and a test says when it is stale.

Schemas can run no processor, so the examples of docs and AsyncAPI are kept here as data.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

FILE: Final = Path(__file__).with_name("examples.json")


class Example(msgspec.Struct, frozen=True):
    """A record.

    Attributes:
        key: As text.
        headers: As text.
        value: JSON, or the text of a value that is bytes to us.
    """

    key: str
    headers: dict[str, str]
    value: Any


@cache
def examples() -> dict[str, dict[str, Example]]:
    """Return records by registry name of the topic and by kind: ``ce_type``, ``tc-kind``, ``type``, dead-letter."""
    return msgspec.json.decode(FILE.read_bytes(), type=dict[str, dict[str, Example]])
