"""Read values that a newer tricast wrote: new fields and new words of growing enums break no reader.

Models are closed, because they say exactly what this version writes; readers have to bear more (docs/contracts.md). So
a value that the model refuses is read once more by a twin of it: a subclass that passes over fields it does not know,
and takes any text where the contract says that values may come (``x-growing``).
"""

import typing
from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from schemas.codec import MODELS
from schemas.normalized import GROWING, Closed, Normalized

_GROWS: Final = next(iter(GROWING))
_Decode = Callable[[bytes], Normalized]


def decode(ce_type: str, value: bytes) -> Normalized:
    """Return the record in ``value``; whatever a newer version added is left out.

    Raises:
        KeyError: There is no model for ``ce_type``.
        msgspec.DecodeError: The value is not what the type promises.
        UnicodeDecodeError: It is no UTF-8.
        RecursionError: It is nested too deep.
    """
    strict, lenient = _decoders(ce_type)
    try:
        return strict(value)
    except msgspec.ValidationError:
        return lenient(value)


@cache
def _decoders(ce_type: str) -> tuple[_Decode, _Decode]:
    model = MODELS[ce_type]
    return msgspec.json.Decoder(model).decode, msgspec.json.Decoder(twin(model)).decode


@cache
def twin(model: type[Closed]) -> type[Any]:
    """Return a subclass of ``model`` that bears what a later release may add; so do its parts."""
    hints = get_type_hints(model, include_extras=True)
    fields: list[Any] = []
    for field in msgspec.structs.fields(model):
        if field.default is not msgspec.NODEFAULT:
            fields.append((field.name, _open(hints[field.name]), field.default))
        elif field.default_factory is not msgspec.NODEFAULT:
            made = msgspec.field(default_factory=field.default_factory)
            fields.append((field.name, _open(hints[field.name]), made))
        else:
            fields.append((field.name, _open(hints[field.name])))
    return msgspec.defstruct(
        model.__name__,
        fields,
        bases=(model,),
        module=model.__module__,
        forbid_unknown_fields=False,
        kw_only=True,
        gc=False,
    )


def _open(hint: Any) -> Any:
    """Return a type hint with twins for models, and text for enums that grow."""
    origin = get_origin(hint)
    if origin is Annotated:
        content, *notes = get_args(hint)
        if any(_grows(note) for note in notes):
            content = _worded(content)
        return Annotated[(_open(content), *notes)]
    if origin is Literal or hint is Any:
        return hint
    if origin in {typing.Union, UnionType}:
        return typing.Union[tuple(_open(one) for one in get_args(hint))]  # noqa: UP007 - of a tuple
    if origin is not None:
        return origin[tuple(one if one is ... else _open(one) for one in get_args(hint))]
    return twin(hint) if isinstance(hint, type) and issubclass(hint, Closed) else hint


def _grows(note: object) -> bool:
    return isinstance(note, msgspec.Meta) and _GROWS in (note.extra_json_schema or {})


def _worded(hint: Any) -> Any:
    """Return ``str`` in place of a set of words, with whatever stands beside it."""
    if get_origin(hint) in {typing.Union, UnionType}:
        return typing.Union[tuple(_worded(one) for one in get_args(hint))]  # noqa: UP007 - of a tuple
    return str if get_origin(hint) is Literal else hint
