"""Read an answer of the HTTP API: what it says, as records, and which parts of it cannot be read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import UNSET, Raw

from processors.core.kambi.exact import is_plain, read_object
from processors.core.kambi.findings import READ_ERRORS, RejectedError, Unreadable
from processors.core.kambi.normalize.offering import event_opened
from processors.core.kambi.normalize.offers import offer_added
from processors.core.kambi.normalize.scores import live_data_changed
from processors.core.kambi.normalize.values import event_id
from schemas.kambi import events, http, wire
from schemas.kambi.codes import Code

FULL_PAGE: Final = 1000
"""So many offers fill the smallest page that the vendor is said to have; without a total there may be more."""
_NARROWING: Final = ("type", "onlyMain", "category", "range_start", "range_size")
"""Parameters that leave offers out."""

What = Literal["offers", "live-data", "live-open", "list-view"]
Facts = Sequence[events.Fact]


@dataclass(frozen=True, slots=True)
class Broken:
    """One entry of an answer that becomes a dead letter; the others hold."""

    value: bytes
    finding: Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an answer says.

    Attributes:
        what: Kind of request.
        asked: Events that the path names; empty where it asks for all.
        whole: Nothing is missing in it: no page was cut, nothing left out, every entry could be read. Only then is
            absence a statement.
        facts: In the answer's order, without vendor time: ``EventOpened`` for every event it describes, ``OfferAdded``
            for every offer, ``ClockChanged``, ``ScoreChanged``, ``StatisticsChanged``, ``EventDescriptionChanged``.
        broken: Entries that could not be read.
    """

    what: What
    asked: tuple[int, ...]
    whole: bool
    facts: Facts
    broken: Sequence[Broken]


@dataclass(frozen=True, slots=True)
class Refused:
    """No answer but an error, as HTTP status or in the body of a 200; 404: none of what was asked for exists."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class _Request:
    what: What
    asked: tuple[int, ...]
    narrow: bool


def read_answer(position: str, status: int, body: bytes) -> Answer | Refused | Unreadable:
    """Return what the answer ``body`` says.

    Args:
        position: Path and query of the request, below the offering.
        status: HTTP status.
        body: As received, decompressed.
    """
    request = _request(position)
    if request is None:
        return Unreadable(Code.BAD_SNAPSHOT, "a request of another kind than offers, live data, live events, list view")
    if status != 200:
        return Refused(status, f"HTTP {status}")
    try:
        sections = _sections(body)
        if isinstance(sections, dict) and bytes(sections.get("error", b"null")) != b"null":
            return _refused(sections["error"])
        return _READERS[request.what](request, sections)
    except RejectedError as rejected:
        return rejected.finding
    except READ_ERRORS as error:
        return Unreadable(Code.BAD_SNAPSHOT, f"{len(body)} bytes that are not the JSON asked for: {error}")


def _request(position: str) -> _Request | None:
    path, _, query = position.partition("?")
    narrow = any(name in parse_qs(query, keep_blank_values=True) for name in _NARROWING)
    match path.strip("/").removesuffix(".json").split("/"):
        case ["betoffer", "event", ids]:
            what: What = "offers"
        case ["event", "live", "open"]:
            return _Request("live-open", (), narrow)
        case ["event", "livedata", ids] | ["event", ids, "livedata"]:
            what = "live-data"
        case ["listView", *_]:
            return _Request("list-view", (), narrow)
        case _:
            return None
    numbers = ids.split(",")
    if not all(number.isascii() and number.isdecimal() and len(number) <= 19 for number in numbers):
        return None
    asked = tuple(map(int, numbers))
    return _Request(what, asked, narrow) if max(asked) <= wire.MAX_ID else None


def _sections(body: bytes) -> dict[str, Raw] | Raw:
    bare = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not bare.startswith(b"{"):
        return Raw(bare)
    sections = _SECTIONS.decode(bare)
    # A key that stands there twice is kept once: a colon is missing then.
    if bare.count(b":") != sum(key.count(":") + 1 + bytes(value).count(b":") for key, value in sections.items()):
        raise RejectedError(Code.BAD_SNAPSHOT, "the answer names a key twice")
    return sections


def _refused(error: Raw) -> Refused:
    try:
        said = _ERROR.decode(error)
    except READ_ERRORS:
        return Refused(0, "an error without status")
    try:
        return Refused(int(said.status or 0), said.message or "")
    except ValueError:
        return Refused(0, said.message or "")


def _offers(request: _Request, sections: dict[str, Raw] | Raw) -> Answer:
    listed = _section(sections, "betOffers")
    offers = _Reading(listed, _BET_OFFERS, _BET_OFFER, lambda offer: [_offer(offer, request)])
    described = _Reading(
        sections.get("events", _NOTHING) if isinstance(sections, dict) else _NOTHING, _EVENTS, _EVENT, _event
    )
    cut = request.narrow or _is_cut(sections, offers.entries)
    return _answer(request, described, offers, whole=not cut)


def _live_data(request: _Request, sections: dict[str, Raw] | Raw) -> Answer:
    listed = _section({"liveData": sections} if isinstance(sections, Raw) else sections, "liveData")
    if bytes(listed).startswith(b"{"):
        listed = Raw(b"[%b]" % bytes(listed))
    return _answer(request, _Reading(listed, _LIVE_DATA, _LIVE_DATUM, lambda live: _live(live, request)))


def _live_open(request: _Request, sections: dict[str, Raw] | Raw) -> Answer:
    return _answer(request, _Reading(_section(sections, "liveEvents"), _LIVE_EVENTS, _LIVE_EVENT, _opened))


def _list_view(request: _Request, sections: dict[str, Raw] | Raw) -> Answer:
    return _answer(request, _Reading(_section(sections, "events"), _LISTED_EVENTS, _LISTED_EVENT, _listed))


def _section(sections: dict[str, Raw] | Raw, name: str) -> Raw:
    """Return the list that the answer is about. Its absence must not look like an empty one."""
    found = sections.get(name) if isinstance(sections, dict) else None
    if found is None or bytes(found) == b"null":
        raise RejectedError(Code.BAD_SNAPSHOT, f"no {name} in the answer")
    return found


class _Reading:
    """The entries of one list: at once if all of them are in order, one by one if not."""

    def __init__(
        self,
        listed: Raw,
        at_once: msgspec.json.Decoder[Any],
        one: msgspec.json.Decoder[Any],
        normalize: Callable[[Any], Facts],
    ) -> None:
        self.facts: list[events.Fact] = []
        self.broken: list[Broken] = []
        self.entries = 0
        parts: list[Raw] | None = None
        for number, entry in enumerate(_entries(listed, at_once, one)):
            self.entries += 1
            try:
                if isinstance(entry, RejectedError):
                    raise entry
                self.facts += normalize(entry)
            except RejectedError as rejected:
                parts = parts or _PARTS.decode(listed)
                self.broken.append(Broken(bytes(parts[number]), rejected.finding))


def _entries(listed: Raw, at_once: msgspec.json.Decoder[Any], one: msgspec.json.Decoder[Any]) -> Iterator[Any]:
    if bytes(listed) == bytes(_NOTHING):
        return iter(())
    try:
        if is_plain(bytes(listed).decode()):
            return iter(at_once.decode(listed))
    except READ_ERRORS:
        pass
    return (_entry(bytes(part), one) for part in _PARTS.decode(listed))


def _entry(part: bytes, one: msgspec.json.Decoder[Any]) -> Any:
    try:
        read_object(part)
        return one.decode(part)
    except RejectedError as rejected:
        return rejected
    except READ_ERRORS as error:
        return RejectedError(Code.BAD_ELEMENT, str(error))


def _answer(request: _Request, *readings: _Reading, whole: bool = True) -> Answer:
    broken = [broken for reading in readings for broken in reading.broken]
    return Answer(
        what=request.what,
        asked=request.asked,
        whole=whole and not broken,
        facts=[fact for reading in readings for fact in reading.facts],
        broken=broken,
    )


def _is_cut(sections: dict[str, Raw] | Raw, entries: int) -> bool:
    shown: http.Range | None
    try:
        shown = _RANGE.decode(sections.get("range", _NOTHING)) if isinstance(sections, dict) else None
    except READ_ERRORS:
        return True  # it says something about what is missing, and nobody knows what
    if shown is not None and shown.total is not None:
        return entries < shown.total
    return entries >= FULL_PAGE or (shown is not None and bool(shown.start))


def _event_of(sent: int | str | None, request: _Request) -> int:
    return event_id(sent, request.asked[0] if sent is None and len(request.asked) == 1 else None)


def _offer(offer: wire.BetOffer, request: _Request) -> events.Fact:
    return offer_added(offer, _event_of(offer.event_id, request), UNSET)


def _event(event: wire.Event) -> Facts:
    return event_opened(wire.LiveEventOpened(event=event), UNSET)


def _opened(opened: wire.LiveEventOpened) -> Facts:
    return event_opened(opened, UNSET)


def _live(live: http.LiveDataOfEvent, request: _Request) -> Facts:
    event = _event_of(live.event_id, request)
    facts = live_data_changed(live, event, UNSET)
    if live.description:
        facts.append(events.EventDescriptionChanged(event_id=event, description=live.description))
    return facts


def _listed(listed: http.ListedEvent) -> Facts:
    facts = event_opened(wire.LiveEventOpened(event=listed.event, live_data=listed.live_data), UNSET)
    event = facts[0].event_id
    return [*facts, *(offer_added(offer, event_id(event, offer.event_id), UNSET) for offer in listed.bet_offers or ())]


_NOTHING = Raw(b"null")
_SECTIONS = msgspec.json.Decoder(dict[str, Raw])
_PARTS = msgspec.json.Decoder(list[Raw])
_ERROR = msgspec.json.Decoder(http.ErrorBody)
_RANGE: msgspec.json.Decoder[http.Range | None] = msgspec.json.Decoder(http.Range | None)
_BET_OFFERS = msgspec.json.Decoder(http.BetOffers)
_BET_OFFER = msgspec.json.Decoder(wire.BetOffer)
_EVENTS = msgspec.json.Decoder(http.Events)
_EVENT = msgspec.json.Decoder(wire.Event)
_LIVE_DATA = msgspec.json.Decoder(http.LiveDataList)
_LIVE_DATUM = msgspec.json.Decoder(http.LiveDataOfEvent)
_LIVE_EVENTS = msgspec.json.Decoder(http.LiveEvents)
_LIVE_EVENT = msgspec.json.Decoder(wire.LiveEventOpened)
_LISTED_EVENTS = msgspec.json.Decoder(http.ListedEvents)
_LISTED_EVENT = msgspec.json.Decoder(http.ListedEvent)
_READERS: dict[What, Callable[[_Request, dict[str, Raw] | Raw], Answer]] = {
    "offers": _offers,
    "live-data": _live_data,
    "live-open": _live_open,
    "list-view": _list_view,
}
