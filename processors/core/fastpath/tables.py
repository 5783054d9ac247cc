"""What the fields of a packet are called in its record, and what they may be."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from processors.core.fastpath.numbers import decimal_text

# Each reader returns the value as the record has it, or _ODD.

_ODD: Final = object()
_LEAST, _GREATEST = -(2**63), 2**63 - 1


def _text(value: Any) -> Any:
    if type(value) is str:
        return value
    return str(value) if type(value) is int else _ODD


def _name(value: Any) -> Any:
    return value if type(value) is str else _ODD


def _filled(value: Any) -> Any:
    return value if type(value) is str and value else _ODD


def _integer(value: Any) -> Any:
    if type(value) is str and len(value) < 20 and value.isascii() and value.removeprefix("-").isdecimal():
        value = int(value)  # quoted to preserve precision, as the general page says (§4)
    return value if type(value) is int and _LEAST <= value <= _GREATEST else _ODD


def _flag(value: Any) -> Any:
    return value if type(value) is bool else _ODD


def _decimal(value: Any) -> Any:
    text = decimal_text(value)
    return _ODD if text is None else text


def _object(value: Any) -> Any:
    return value if type(value) is dict else _ODD


def _ids(value: Any) -> Any:
    return value if type(value) is list and all(type(part) is str for part in value) else _ODD


def _objects(value: Any) -> Any:
    return value if type(value) is list and all(type(part) is dict for part in value) else _ODD


Fields = Mapping[str, tuple[str, Callable[[Any], Any]]]

TEAM: Final[Fields] = {"id": ("id", _text), "name": ("name", _text), "homeTeam": ("home", _flag)}
PERIOD: Final[Fields] = {
    "id": ("id", _integer),
    "type": ("type", _name),
    "label": ("label", _name),
    "start": ("start", _name),
    "end": ("end", _name),
    "homeTeamScore": ("home_score", _integer),
    "awayTeamScore": ("away_score", _integer),
    "homeTeamPeriodScore": ("home_period_score", _integer),
    "awayTeamPeriodScore": ("away_period_score", _integer),
}
SUMMARY: Final[Fields] = {
    "homeTeamScore": ("home_score", _integer),
    "awayTeamScore": ("away_score", _integer),
    "isTied": ("tied", _flag),
    "finished": ("finished", _flag),
    "currentPeriod": ("current_period", _integer),
    "currentStatus": ("current_status", _name),
    "currentClockTime": ("current_clock_time", _name),
    "currentClockState": ("current_clock_state", _name),
    "collectionStatus": ("collection_status", _name),
    "isHomeTeamInPossesion": ("home_in_possession", _flag),  # sic (§4.1)
    "isHomeTeamInPossession": ("home_in_possession", _flag),  # snooker (§15)
    "periods": ("periods", _objects),
}
ACTION: Final[Fields] = {
    "actionId": ("action_id", _text),
    "sendType": ("send_type", _name),
    "sendTypeId": ("send_type_id", _integer),
    "fixtureActionType": ("action_type", _name),
    "fixtureActionTypeId": ("action_type_id", _integer),
    "fixtureActionSubType": ("action_sub_type", _name),
    "fixtureActionSubTypeId": ("action_sub_type_id", _integer),
    "period": ("period", _integer),
    "clockTime": ("clock_time", _name),
    "timelineSequence": ("timeline_sequence", _decimal),
    "team": ("team", _object),
    "player": ("player", _object),
    "relatedFixtureActionIds": ("related_action_ids", _ids),
    "metadata": ("metadata", _object),
    "delayStatus": ("delay_status", _filled),
}
AROUND: Final[Fields] = {
    "traceId": ("trace_id", _name),
    "version": ("version", _integer),
    "finished": ("finished", _flag),
    "fixtureSummary": ("summary", _object),
}
"""Beside ``fixtureAction``."""
ELEMENT: Final[Fields] = {"traceId": ("trace_id", _name), "delayStatus": ("delay_status", _filled)}
STATISTICS: Final[Fields] = {
    "traceId": ("trace_id", _name),
    "version": ("version", _integer),
    "finished": ("finished", _flag),
}


class Reader:
    """Reads the objects of one packet by table.

    Attributes:
        odd: How many named fields were of another type than they should be, and so stay under the vendor's name.
    """

    __slots__ = ("odd",)

    def __init__(self) -> None:
        self.odd = 0

    def split(self, tree: Mapping[str, Any], fields: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the named fields of ``tree`` by our names, and all others by the vendor's."""
        named: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for key, value in tree.items():
            field = fields.get(key)
            if field is None:
                others[key] = value
            elif value is not None:  # absent stays absent
                name, read = field
                found = read(value)
                if found is _ODD or name in named:
                    self.odd += 1
                    others[key] = value
                else:
                    named[name] = found
        return named, others

    def whole(self, tree: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
        """Return the named fields of ``tree``, and all others in ``details`` if there are any."""
        named, others = self.split(tree, fields)
        if others:
            named["details"] = others
        return named
