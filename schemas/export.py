"""Write the JSON Schema of every normalized type to ``schemas/json/``; ``python -m schemas.export [--check]``."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from schemas.codec import MODELS, schema_file, schema_uri
from schemas.errors import ContractError
from schemas.normalized import Normalized

FOLDER = Path(__file__).with_name("json")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(model: type[Normalized]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``model``."""
    ((root,), definitions) = msgspec.json.schema_components((model,), ref_template="#/$defs/{name}")
    body = definitions.pop(root["$ref"].rpartition("/")[2])
    for part in (body, *definitions.values()):
        _drop_own_types(part)
        _say_items(part)
    described = {"$schema": DIALECT, "$id": schema_uri(model.ce_type), **body}
    return described | ({"$defs": definitions} if definitions else {})


def _drop_own_types(part: dict[str, Any]) -> None:
    """Where a model says itself of what types a field is, take out what msgspec adds beside that."""
    for content in part["properties"].values():
        if "anyOf" in content:
            content.pop("type", None)
            content.pop("format", None)


def _say_items(part: Any) -> None:
    """Write pairs of one kind as arrays of two: every dialect knows ``items``, only 2020-12 ``prefixItems``."""
    if isinstance(part, list):
        for one in part:
            _say_items(one)
    if not isinstance(part, dict):
        return
    first, *others = part.get("prefixItems", [None])
    if first is not None:
        if any(other != first for other in others):
            raise ContractError("a tuple of several kinds has no form that AsyncAPI's dialect knows, too")
        del part["prefixItems"]
        part["items"] = first
    for content in part.values():
        _say_items(content)


def rendered() -> dict[str, str]:
    """Return every schema file by name, as text."""
    return {
        schema_file(ce_type): json.dumps(schema(model), indent=2, ensure_ascii=False) + "\n"
        for ce_type, model in MODELS.items()
    }


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the names of files in ``folder`` that are missing, changed or too many."""
    wanted = rendered()
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def write(folder: Path = FOLDER) -> list[str]:
    """Bring ``folder`` up to date; return the names of the files that changed."""
    changed, wanted = stale(folder), rendered()
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed


if __name__ == "__main__":
    check = sys.argv[1:] == ["--check"]
    names = stale() if check else write()
    sys.stdout.write("".join(f"{'stale' if check else 'wrote'} {name}\n" for name in names))
    sys.exit(1 if check and names else 0)
