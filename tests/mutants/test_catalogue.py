"""The catalogue follows the code: each mutant's text stands where it says, and the tests it names are there."""

from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_applies_is_python_and_names_tests_that_are_there(mutant):
    texts: dict[str, str] = {}
    for edit in mutant.edits:
        texts[edit.path] = edit.apply(texts.get(edit.path) or (ROOT / edit.path).read_text())
    for path, text in texts.items():
        assert text != (ROOT / path).read_text()
        compile(text, path, "exec")
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (ROOT / path).read_text() or not name
