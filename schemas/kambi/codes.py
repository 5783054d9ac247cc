"""Why a part of a Kambi frame became a dead letter or no record at all: two closed lists."""

from enum import StrEnum

from schemas.dead_letter import DeadLetterCode


class Code(DeadLetterCode):
    """Dead-letter codes. Without index the whole frame failed; with index one child of it."""

    # Whole records.
    BAD_HEADERS = "kambi.bad-headers", "tc- headers missing, unreadable or of the future: not from our connector"
    UNKNOWN_KIND = "kambi.unknown-kind", "tc-kind is none that this processor knows"
    BAD_CONTROL = "kambi.bad-control", "the value of a control record is not the JSON object it should be"
    NOT_A_PACKET = "kambi.not-a-packet", "not a Socket.IO packet"
    NOT_JSON = "kambi.not-json", "the packet's payload, or the string in it, is not JSON"
    NOT_AN_ARRAY = "kambi.not-an-array", "the message's argument is neither an array nor an object"
    BINARY = "kambi.binary", "a binary Socket.IO event, which this feed does not use"
    BAD_SNAPSHOT = (
        "kambi.bad-snapshot",
        "an HTTP answer that is not the JSON its path promises: HTML, cut off, an error",
    )
    # One child.
    CHILD_NOT_JSON = (
        "kambi.child-not-json",
        "this part of the array is not JSON (nor are NaN and Infinity), or has a number of thousands of digits",
    )
    BAD_UTF8 = "kambi.bad-utf8", "broken UTF-8 or half of a surrogate pair"
    TOO_DEEP = "kambi.too-deep", "nested deeper than our JSON readers go"
    DUPLICATE_KEY = "kambi.duplicate-key", "an object names a key twice; which one holds cannot be known"
    INEXACT_NUMBER = "kambi.inexact-number", "a number with fraction or exponent from 2^53 on cannot be read exactly"
    NOT_AN_OBJECT = "kambi.not-an-object", "a child is something else than an object"
    NO_TYPE = "kambi.no-type", "mt is missing or no integer"
    UNKNOWN_TYPE = "kambi.unknown-message-type", "mt is no number of the vendor sheet"
    NO_ELEMENT = "kambi.no-element", "the object that mt promises is missing"
    BAD_ELEMENT = "kambi.bad-element", "a field that is needed is missing, or a field has another type than the sheet's"
    NO_EVENT_ID = "kambi.no-event-id", "no event id, so no key; of a bor: and nobody knows its bet offer"
    NO_OFFER_ID = "kambi.no-offer-id", "an outcome names no bet offer and neither does its message"
    NO_OUTCOMES = "kambi.no-outcomes", "a message about outcomes has none"
    ID_CONFLICT = "kambi.id-conflict", "two places in one message name different events"
    BAD_ODDS = "kambi.bad-odds", "odds below 1.000 that are not -1 (starting price)"
    # Latest states.
    BAD_FACT = "kambi.bad-fact", "a record of kambi.events, .offers or .scores that is no fact of ours; by kambi.state"
    # Replays.
    BAD_REPLAY = "kambi.bad-replay", "a record of kind replay that is no request of `tricast dlq replay`"
    REPLAY_REFUSED = (
        "kambi.replay-refused",
        "a replay that would bring nothing, or something older than what is out; the detail says what",
    )


class Count(StrEnum):
    """What yields no record on purpose, or is worth counting beside one."""

    CONTROL_PACKET = "kambi.control-packet"
    """Engine.IO ping, pong, upgrade, noop; Socket.IO connect, disconnect, connect error."""
    ACK = "kambi.ack"
    """Answer to a subscribe."""
    OTHER_EVENT = "kambi.other-event"
    """A Socket.IO event that is no ``message``, e.g. ``error``."""
    SUBSCRIPTION_ERROR = "kambi.subscription-error"
    """A 429 object ``{code, message, topic}`` sent as ``message``; the connector acts on it."""
    EMPTY_BULK = "kambi.empty-bulk"
    """An array without children."""
    DUPLICATE = "kambi.duplicate"
    """A candidate of which every fact was seen on another line."""
    PARTIAL_DUPLICATE = "kambi.partial-duplicate"
    """A candidate that went out with fewer outcomes than it came with."""
    NO_VENDOR_TIME = "kambi.no-vendor-time"
    """``t`` is missing or unusable; the record goes out with the time of receipt."""
    FACTS_EVICTED = "kambi.facts-evicted"
    """Facts forgotten before their window ended because there are too many; copies of them would pass."""
    FOREIGN_EVENT = "kambi.foreign-event"
    """A child, or a part of a snapshot, about an event of another shard."""
    LATE = "kambi.late"
    """A fact older than what is known of its entity; it went out marked."""
    COPY = "kambi.copy"
    """A fact taken for a copy although its ``t`` differs from that of the other line."""
    VENDOR_TIME_AHEAD = "kambi.vendor-time-ahead"
    """``t`` lies in the future, so the time of receipt orders the fact."""
    COPY_UNMATCHED = "kambi.copy-unmatched"
    """A bet-offer fact of the general line whose copy on the event's own line did not come."""
    CONTRADICTION = "kambi.contradiction"
    """Two lines said different things of one entity at one ``t``; both went out, the later is current."""
    UNKEPT = "kambi.unkept"
    """An entity that went out but found no room in the book, so that a late fact of it cannot be told; by kambi.state:
    one that has no room in its event's state."""
    NO_STATE = "kambi.no-state"
    """By kambi.state: a fact that changes no state, because it is late, of a kind that is none, or says what holds."""
    EVENTS_EVICTED = "kambi.events-evicted"
    """Events dropped from the book with their offers because there are too many."""
    RACED = "kambi.raced"
    """An entity that a snapshot left alone because push changed it since the request."""
    SNAPSHOT_BASELINE = "kambi.snapshot-baseline"
    """Records from the first snapshot of an event since it was covered."""
    SNAPSHOT_REPAIRED = "kambi.snapshot-repaired"
    """Records from a snapshot after a gap: what was lost in it."""
    SNAPSHOT_PUSH_MISSED = "kambi.snapshot-push-missed"
    """Records from a snapshot that no gap explains: push lost them silently."""
    SNAPSHOT_NOT_FOUND = "kambi.snapshot-not-found"
    """An answer 404: none of the events asked for exists any more."""
    SNAPSHOT_OUTDATED = "kambi.snapshot-outdated"
    """An answer that came so long after the rest that removals since its request may be forgotten; passed over."""
    SNAPSHOT_SHORT = "kambi.snapshot-short"
    """An answer whose range is shorter than the whole, so what is absent from it says nothing."""
