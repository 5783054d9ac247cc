"""The checker knows the product by its documents only."""

import ast
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ALLOWED = {"confluent_kafka", "cramjam", "orjson", "pytest"}


@pytest.mark.parametrize("module", sorted(HERE.rglob("*.py")), ids=lambda path: path.name)
def test_checker_is_alone(module: Path):
    for node in ast.walk(ast.parse(module.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        for name in names:
            own = name == "tests.chaos.checker" or name.startswith("tests.chaos.checker.")
            assert own or name.partition(".")[0] in ALLOWED | sys.stdlib_module_names, f"{module.name}: {name}"
            assert name not in {"importlib", "runpy"}


def test_there_is_something_to_look_at():
    assert len(list(HERE.rglob("*.py"))) > 15
