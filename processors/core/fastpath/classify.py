"""Tell what a packet is, by shape alone and in the order of fact sheet §12; never raises."""

from typing import Any, Final

from msgspec import Raw

from processors.core.exact import Flaw, FlawedError, canonical, read_object, spelling
from processors.core.fastpath.findings import RejectedError, Unreadable
from processors.core.fastpath.identity import body_hash, key_hash
from processors.core.fastpath.numbers import sequence_number
from processors.core.fastpath.packet import (
    ActionPacket,
    ElementPacket,
    Heartbeat,
    Message,
    Packet,
    StatisticsPacket,
    StatusPacket,
)
from processors.core.vendor_time import vendor_time_ns
from schemas.fastpath.codes import Code, Count
from schemas.fastpath.feed import Feed, Kind
from schemas.fastpath.wire import ACTION_TYPE_IDS, SEND_TYPES, STATES

_NO_ACTION_BODY: Final = frozenset({"fixtureSeqNum", "timelineSequence"})
MAX_NAME: Final = 200
"""Longest id, state or time taken as one, in characters: they go into keys, state and every record that follows."""

_FLAWS: Final = {
    Flaw.NOT_JSON: Code.NOT_JSON,
    Flaw.BAD_UTF8: Code.BAD_UTF8,
    Flaw.TOO_DEEP: Code.TOO_DEEP,
    Flaw.DUPLICATE_KEY: Code.DUPLICATE_KEY,
    Flaw.NOT_AN_OBJECT: Code.NOT_AN_OBJECT,
}
_SEND_TYPE_NAMES: Final = frozenset(SEND_TYPES.values())
_STATES: Final = {state.casefold(): state for state in STATES}


def classify(value: bytes, feed: Feed) -> Packet:
    """Return what the frame ``value`` of ``feed`` is."""
    try:
        return _classify(read_object(value), feed)
    except RejectedError as rejected:
        return rejected.finding
    except FlawedError as error:
        return Unreadable(_FLAWS[error.flaw], error.detail)


def _classify(tree: dict[str, Any], feed: Feed) -> Packet:
    if "fixtureAction" in tree:
        return _action(tree, feed, None)
    if "dataType" in tree or ("feedType" in tree and type(tree.get("message")) is dict):
        return _multiplexed(tree, feed)
    return _bare(tree, feed, None, feed.kind)


def _multiplexed(tree: dict[str, Any], feed: Feed) -> Packet:
    """Take the golf multiplexer's envelope off (§4.4); numbers are counted per feedType and eventId in there."""
    data_type = _text(tree.get("dataType")).casefold()
    if data_type in {"heartbeats", "heartbeat"}:
        return Heartbeat()
    feed_type, event_id = _text(tree.get("feedType")), _text(tree.get("eventId"))
    fixture_id = f"{feed_type}/{event_id}" if feed_type or event_id else feed.fixture
    inner = tree.get("message")
    if type(inner) is not dict:
        raise RejectedError(Code.BAD_ENVELOPE, f"dataType {data_type!r}, message of type {type(inner).__name__}"[:80])
    if data_type == "connectionstate":
        return _status(inner, fixture_id)
    if "fixtureAction" in inner:
        return _action(inner, feed, fixture_id)
    # As the paths have it: the rounds are told stroke by stroke, the other feeds are aggregates.
    return _bare(inner, feed, fixture_id, "actions" if feed_type.casefold() == "rounddetails" else "statistics")


def _bare(tree: dict[str, Any], feed: Feed, envelope_id: str | None, kind: Kind) -> Packet:
    """Classify everything that is no action."""
    named, numbered = spelling(tree, "eventElementType"), spelling(tree, "seqNum")
    element_type = None if named is None else tree[named]
    if type(element_type) is str and element_type:
        folded = element_type.casefold()
        if folded == "heartbeat":
            return Heartbeat()
        if folded == "connectionstatechanged":
            return _status(tree, envelope_id or feed.fixture)
        return _element(tree, feed, envelope_id, element_type, numbered)
    message = _message(tree, anonymous=numbered is None and "fixtureId" not in tree)
    return message or _untyped(tree, feed, envelope_id, kind, numbered)


def _untyped(
    tree: dict[str, Any], feed: Feed, envelope_id: str | None, kind: Kind, numbered: str | None
) -> StatisticsPacket | ElementPacket:
    """Classify what has no ``eventElementType`` by its number, else by where it came."""
    if numbered is not None and "fixtureId" not in tree and kind != "statistics":
        return _element(tree, feed, envelope_id, None, numbered)
    if numbered is None and not (kind == "statistics" and ("timestamp" in tree or "fixtureId" in tree)):
        shown = ", ".join(list(tree)[:8])[:120]
        raise RejectedError(Code.UNKNOWN_SHAPE, f"fields {shown}" if tree else "an empty object")
    return _statistics(tree, feed, envelope_id, numbered)


def _action(tree: dict[str, Any], feed: Feed, envelope_id: str | None) -> ActionPacket:
    action = tree["fixtureAction"]
    if type(action) is not dict:
        raise RejectedError(Code.BAD_ACTION, f"fixtureAction of type {type(action).__name__}")
    counts: list[Count] = []
    number = sequence_number(action["fixtureSeqNum"]) if "fixtureSeqNum" in action else None
    vendor_time, time_ns = _time(action.get("timestamp"), counts)
    summary, metadata = _object(tree.get("fixtureSummary")), _object(action.get("metadata"))
    delay_status = _delay_status(action.get("delayStatus") or tree.get("delayStatus"))
    _note_types(action, counts)
    if number is None:
        counts.append(Count.UNORDERED)
    if feed.kind == "statistics":
        counts.append(Count.MISPLACED)
    return ActionPacket(
        fixture_id=_fixture(action.get("fixtureId"), feed, envelope_id, counts),
        number=number,
        key=key_hash(_text(action.get("actionId")), _send_type(action)),
        body=body_hash(action, _NO_ACTION_BODY),
        vendor_time=vendor_time,
        vendor_time_ns=time_ns,
        delay_status=delay_status,
        finished=tree.get("finished") is True or summary.get("finished") is True,
        counts=tuple(counts),
        tree=tree,
        collection=_collection(metadata.get("collectionStatus")),
        summary_collection=_text(summary.get("collectionStatus")) or None,
    )


def _element(
    tree: dict[str, Any], feed: Feed, envelope_id: str | None, element_type: str | None, numbered: str | None
) -> ElementPacket:
    counts: list[Count] = []
    number = None if numbered is None else sequence_number(tree[numbered])
    vendor_time, time_ns = _time(tree.get("timestamp"), counts)
    if number is None:
        counts.append(Count.UNORDERED)
    return ElementPacket(
        fixture_id=_fixture(tree.get("fixtureId"), feed, envelope_id, counts),
        number=number,
        key=key_hash(element_type or "", vendor_time or ""),
        body=body_hash(tree, frozenset({numbered or "", "traceId"})),
        vendor_time=vendor_time,
        vendor_time_ns=time_ns,
        delay_status=_delay_status(tree.get("delayStatus")),
        finished=tree.get("finished") is True,
        counts=tuple(counts),
        tree=tree,
        element_type=element_type,
    )


def _statistics(tree: dict[str, Any], feed: Feed, envelope_id: str | None, numbered: str | None) -> StatisticsPacket:
    counts: list[Count] = []
    number = None if numbered is None else sequence_number(tree[numbered])
    vendor_time, time_ns = _time(tree.get("timestamp"), counts)
    if number is None:
        counts.append(Count.UNORDERED)
    if feed.kind == "actions":
        counts.append(Count.MISPLACED)
    return StatisticsPacket(
        fixture_id=_fixture(tree.get("fixtureId"), feed, envelope_id, counts),
        number=number,
        key=key_hash(vendor_time or ""),
        body=body_hash(tree, frozenset({numbered or "", "traceId"})),
        vendor_time=vendor_time,
        vendor_time_ns=time_ns,
        delay_status=_delay_status(tree.get("delayStatus")),
        finished=tree.get("finished") is True,
        counts=tuple(counts),
        tree=tree,
    )


def _status(tree: dict[str, Any], fixture_id: str) -> StatusPacket:
    named = spelling(tree, "state")
    state = None if named is None else tree[named]
    if type(state) is not str or not state.strip() or len(state) > MAX_NAME:
        raise RejectedError(Code.BAD_STATUS, f"state of type {type(state).__name__}, or empty, or endless")
    vendor_time, time_ns = _time(tree.get("timestamp"), [])
    return StatusPacket(
        state=_STATES.get(state.strip().casefold(), state),
        vendor_time=vendor_time,
        vendor_time_ns=time_ns,
        fixture_id=fixture_id,
    )


def _message(tree: dict[str, Any], *, anonymous: bool) -> Message | Heartbeat | None:
    """Return the control message or error object in ``tree`` (§2, §6); ``anonymous``: it could be no packet."""
    text, level = tree.get("message"), tree.get("level")
    if type(text) is str and (anonymous or type(level) is str):
        if text.casefold().startswith("heartbeat"):
            return Heartbeat()
        return Message(text=text, level=_text(level).upper())
    for name in ("errorMessage", "error"):
        text = tree.get(name)
        if anonymous and type(text) is str:
            status = tree.get("status")
            return Message(text=text, level="ERROR", status=status if type(status) is int else None)
    return None


# Fields.


def _text(value: Any) -> str:
    """Return an id or a name as text; empty if it is none."""
    text = value if type(value) is str else str(value) if type(value) is int else ""
    return text if len(text) <= MAX_NAME else ""


def _object(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _time(value: Any, counts: list[Count]) -> tuple[str | None, int | None]:
    text = _text(bytes(value).decode() if type(value) is Raw else value)
    time_ns = vendor_time_ns(text) if text else None
    if time_ns is None:
        counts.append(Count.NO_VENDOR_TIME)
    return text or None, time_ns


def _fixture(named: Any, feed: Feed, envelope_id: str | None, counts: list[Count]) -> str:
    if envelope_id is not None:
        return envelope_id
    fixture_id = _text(named)
    if not fixture_id or fixture_id == feed.fixture:
        return feed.fixture
    if fixture_id.casefold() == feed.fixture.casefold():  # a UUID is the same in both cases
        return feed.fixture
    if feed.family == "a":
        counts.append(Count.OTHER_FIXTURE)
    return fixture_id


def _send_type(action: dict[str, Any]) -> str:
    """Return the name that holds."""
    name, number = action.get("sendType"), action.get("sendTypeId")
    if type(name) is str and name:
        return name
    return SEND_TYPES.get(number, "") if type(number) is int else ""


def _note_types(action: dict[str, Any], counts: list[Count]) -> None:
    """Note names that are new, and ids that disagree with theirs."""
    name, number = action.get("sendType"), action.get("sendTypeId")
    if type(name) is str and name not in _SEND_TYPE_NAMES:
        counts.append(Count.UNKNOWN_SEND_TYPE)
    elif type(name) is str and type(number) is int and SEND_TYPES.get(number) != name:
        counts.append(Count.TYPE_ID_DISAGREES)
    action_type, type_id = action.get("fixtureActionType"), action.get("fixtureActionTypeId")
    if type(action_type) is str and type(type_id) is int and ACTION_TYPE_IDS.get(action_type, type_id) != type_id:
        counts.append(Count.TYPE_ID_DISAGREES)


def _delay_status(value: Any) -> str | None:
    """Return what says that a packet is not live: any value that is not empty (§13)."""
    if value is None or value is False or value == "":
        return None
    return value if type(value) is str else canonical(value).decode()


def _collection(value: Any) -> int | str | None:
    if type(value) is Raw:
        try:
            return sequence_number(value)
        except RejectedError:
            return None
    text = _text(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text or None
