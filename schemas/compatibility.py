"""What changed between two editions of the contracts, and whether that breaks somebody. Pure.

Two sides must keep working: readers that know the older edition, and the newer edition reading older records, which
stay in topics and are replayed. So a field may neither get narrower nor wider; it may come, optional. Of what others
write (input) we are the reader: there wider is no break. Readers pass over fields they do not know, as
docs/contracts.md demands of them, though a schema says what exactly is written and therefore is closed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from schemas.errors import ContractError
from schemas.normalized import GROWING

Rule = Literal[
    "topic-removed",
    "partitions-changed",
    "cleanup-changed",
    "header-removed",
    "header-made-optional",
    "type-removed",
    "type-moved",
    "field-removed",
    "required-field-added",
    "optional-field-added",
    "made-required",
    "made-optional",
    "kind-changed",
    "narrowed",
    "widened",
    "value-removed",
    "value-added",
    "growing-value-added",
    "growth-revoked",
]
HARMLESS: Final[frozenset[Rule]] = frozenset({"optional-field-added", "growing-value-added"})
HARMLESS_OF_INPUT: Final[frozenset[Rule]] = frozenset({*HARMLESS, "made-optional", "widened", "value-added"})

(_GROWS,) = GROWING
_SAYS_NOTHING: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "default"})
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_FORMS: Final = ("pattern", "format")
_PARTS: Final = ("anyOf", "properties", "items", "additionalProperties")
_KNOWN: Final = frozenset({*_LOWER, *_UPPER, *_FORMS, *_PARTS, "type", "enum", "required", _GROWS})

Shape = Mapping[str, Any]
"""A schema without what is for people, its references followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between two editions.

    Attributes:
        where: Type or topic, and the field in it: ``tricast.kambi.odds.changed.v1 outcomes[].id``.
        rule: What kind of change it is.
        text: What was and what is.
        breaking: Whether it needs a new version.
    """

    where: str
    rule: Rule
    text: str
    breaking: bool

    def __str__(self) -> str:
        return f"{'breaking' if self.breaking else 'allowed'}: {self.where}: {self.rule}: {self.text}"


def shape_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a JSON Schema decides which values satisfy it.

    Raises:
        ContractError: It uses a word that these rules do not know, or contains itself.
    """
    return _shape(schema, schema.get("$defs", {}), ())


def _shape(part: Mapping[str, Any], definitions: Mapping[str, Any], above: tuple[str, ...]) -> dict[str, Any]:
    reference = part.get("$ref")
    if reference is not None:
        if reference in above:
            raise ContractError(f"{reference} contains itself; the rules of compatibility do not reach that")
        name = reference.rpartition("/")[2]
        return _shape(definitions[name], definitions, (*above, reference))
    shape: dict[str, Any] = {}
    for word, content in part.items():
        if word in _SAYS_NOTHING:
            continue
        if word not in _KNOWN:
            raise ContractError(f"the rules of compatibility do not know {word!r}; add it to schemas/compatibility.py")
        if word == "properties":
            shape[word] = {name: _shape(field, definitions, above) for name, field in content.items()}
        elif word == "anyOf":
            shape[word] = [_shape(one, definitions, above) for one in content]
        elif word == "items" or (word == "additionalProperties" and isinstance(content, dict)):
            shape[word] = _shape(content, definitions, above)
        else:
            shape[word] = content
    return shape


def changes(old: Shape, new: Shape, where: str, *, is_input: bool) -> Iterator[Change]:
    """Yield what changed between two shapes of one type.

    Args:
        old: As released.
        new: As it is now.
        where: Name of the type.
        is_input: Whether others write it and we read.
    """
    harmless = HARMLESS_OF_INPUT if is_input else HARMLESS
    for path, rule, text in _differences(old, new, ""):
        yield Change(where=f"{where} {path}".rstrip(), rule=rule, text=text, breaking=rule not in harmless)


_Difference = tuple[str, Rule, str]


def _differences(old: Shape, new: Shape, path: str) -> Iterator[_Difference]:
    if "anyOf" in old or "anyOf" in new:
        yield from _alternatives(old, new, path)
        return
    if old.get("type") != new.get("type") and "enum" not in old.keys() | new.keys():
        yield path, "kind-changed", f"{old.get('type')} became {new.get('type')}"
        return
    yield from _values(old, new, path)
    yield from _bounds(old, new, path)
    yield from _fields(old, new, path)
    if "items" in old and "items" in new:
        yield from _differences(old["items"], new["items"], f"{path}[]")
    elif old.get("items") != new.get("items"):
        yield path, "kind-changed", "what stands in the array"


def _alternatives(old: Shape, new: Shape, path: str) -> Iterator[_Difference]:
    before, after = ({str(one.get("type")): one for one in shape.get("anyOf", [shape])} for shape in (old, new))
    for kind in before.keys() - after.keys():
        yield path, "narrowed", f"no {kind} any more"
    for kind in after.keys() - before.keys():
        yield path, "widened", f"{kind}, too"
    for kind in before.keys() & after.keys():
        yield from _differences(before[kind], after[kind], path)


def _values(old: Shape, new: Shape, path: str) -> Iterator[_Difference]:
    before, after = old.get("enum"), new.get("enum")
    if before is None or after is None:
        if before is not after:
            if before is None:
                yield path, "narrowed", "only certain values"
            else:
                yield path, "widened", "any value"
        return
    grows = bool(old.get(_GROWS))
    for value in before:
        if value not in after:
            yield path, "value-removed", repr(value)
    for value in after:
        if value not in before:
            yield path, "growing-value-added" if grows else "value-added", repr(value)
    if grows and not new.get(_GROWS):
        yield path, "growth-revoked", "readers bear values that will not come; those that rely on the list now may not"


def _bounds(old: Shape, new: Shape, path: str) -> Iterator[_Difference]:
    for word in (*_LOWER, *_UPPER):
        before, after = old.get(word), new.get(word)
        if before == after:
            continue
        tighter = before is None or (after is not None and (after > before) == (word in _LOWER))
        yield path, "narrowed" if tighter else "widened", f"{word} {before} became {after}"
    for word in _FORMS:
        before, after = old.get(word), new.get(word)
        if before != after:
            rule: Rule = "narrowed" if before is None else "widened" if after is None else "kind-changed"
            yield path, rule, f"{word} {before} became {after}"


def _fields(old: Shape, new: Shape, path: str) -> Iterator[_Difference]:
    before, after = old.get("properties", {}), new.get("properties", {})
    was, is_ = set(old.get("required", ())), set(new.get("required", ()))
    for name, field in before.items():
        place = f"{path}.{name}".lstrip(".")
        if name not in after:
            yield place, "field-removed", "it is not there any more; a new name is a new field"
            continue
        if name in is_ - was:
            yield place, "made-required", "records without it are there"
        elif name in was - is_:
            yield place, "made-optional", "readers rely on it"
        yield from _differences(field, after[name], place)
    for name in after.keys() - before.keys():
        place = f"{path}.{name}".lstrip(".")
        rule: Rule = "required-field-added" if name in is_ else "optional-field-added"
        yield place, rule, "new"
    yield from _others(old, new, path)


def _others(old: Shape, new: Shape, path: str) -> Iterator[_Difference]:
    """Yield what changed of fields without a name of their own."""
    before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _differences(before, after, f"{path}.*".lstrip("."))
    elif (before is False) != (after is False):
        yield path, "narrowed" if after is False else "widened", "fields without a name here"
    elif before != after and not {str(before), str(after)} <= {"True", "{}"}:
        yield path, "narrowed" if isinstance(after, dict) else "widened", "what fields without a name here may hold"
