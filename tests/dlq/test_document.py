"""docs/dead-letters.md has every code, what it means, and whether it may be replayed; nothing else does."""

import re
from pathlib import Path

import pytest

from schemas.dead_letter import DeadLetterCode, EngineCode, why_final
from schemas.fastpath.codes import Code as FastpathCode
from schemas.kambi.codes import Code as KambiCode
from schemas.rms.codes import Code as RmsCode

DOCUMENT = Path(__file__).parents[2] / "docs" / "dead-letters.md"
TABLES: list[tuple[str, type[DeadLetterCode]]] = [
    ("Every feed (the engine)", EngineCode),
    ("Kambi", KambiCode),
    ("FastPath", FastpathCode),
    ("RMS", RmsCode),
]


@pytest.mark.parametrize(("heading", "codes"), TABLES, ids=[heading for heading, _ in TABLES])
def test_the_document_has_every_code(heading: str, codes: type[DeadLetterCode]):
    (part,) = re.findall(rf"^### {re.escape(heading)}\n(.*?)(?=^#|\Z)", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    rows = re.findall(r"^\| `([^`]+)` \| (.*) \| (yes|no) \|$", part, re.MULTILINE)
    assert rows == [(code, code.meaning, "no" if why_final(code, "frame") else "yes") for code in codes]
