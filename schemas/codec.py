"""Encode, decode and check normalized records by their CloudEvents type."""

from types import MappingProxyType

import msgspec

from schemas.errors import ContractError
from schemas.fastpath import events as fastpath
from schemas.kambi import events as kambi
from schemas.normalized import Normalized
from schemas.rms import events as rms

MODELS: MappingProxyType[str, type[Normalized]] = MappingProxyType(
    {model.ce_type: model for model in (*kambi.MODELS, *fastpath.MODELS, *rms.MODELS)}
)
"""CloudEvents type → model."""

_ENCODER = msgspec.json.Encoder()
_DECODERS = {ce_type: msgspec.json.Decoder(model) for ce_type, model in MODELS.items()}


def schema_file(ce_type: str) -> str:
    """Return the name of the JSON Schema file of ``ce_type``."""
    return f"{ce_type}.json"


def schema_uri(ce_type: str) -> str:
    """Return what ``ce_dataschema`` says of ``ce_type``: the ``$id`` of its JSON Schema, an absolute URI."""
    return f"urn:tricast:schema:{ce_type}"


def encode(record: Normalized) -> bytes:
    """Return ``record`` as UTF-8 JSON; equal records give equal bytes."""
    return _ENCODER.encode(record)


def decode(ce_type: str, value: bytes) -> Normalized:
    """Return the record in ``value``.

    Raises:
        ContractError: The type is unknown, or the value does not satisfy it.
    """
    decoder = _DECODERS.get(ce_type)
    if decoder is None:
        raise ContractError(f"no model for ce_type {ce_type!r}")
    try:
        return decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"{ce_type}: {error}") from error


def validate(ce_type: str, value: bytes) -> None:
    """Check ``value`` against its type.

    Raises:
        ContractError: The type is unknown, or the value does not satisfy it.
    """
    decode(ce_type, value)
