"""Why a FastPath packet became a dead letter or no record at all: two closed lists."""

from enum import StrEnum

from schemas.dead_letter import DeadLetterCode


class Code(DeadLetterCode):
    """Dead-letter codes. Always the whole packet failed: one is one message of the feed."""

    BAD_HEADERS = (
        "fastpath.bad-headers",
        "the raw record lacks tc- headers or they cannot be read; not from our connector",
    )
    UNKNOWN_KIND = "fastpath.unknown-kind", "tc-kind is none that this processor knows"
    BAD_CONTROL = "fastpath.bad-control", "the value of a control record is not the JSON object it should be"
    NOT_JSON = "fastpath.not-json", "not JSON (nor are NaN and Infinity), or a number of thousands of digits"
    BAD_UTF8 = "fastpath.bad-utf8", "broken UTF-8 or half of a surrogate pair"
    TOO_DEEP = "fastpath.too-deep", "nested deeper than any packet"
    DUPLICATE_KEY = "fastpath.duplicate-key", "an object names a key twice; which one holds cannot be known"
    NOT_AN_OBJECT = "fastpath.not-an-object", "JSON, but no object"
    UNKNOWN_SHAPE = "fastpath.unknown-shape", "an object that is none of the vendor's packets"
    BAD_ACTION = "fastpath.bad-action", "fixtureAction is no object"
    BAD_SEQUENCE = "fastpath.bad-sequence", "the sequence number is no whole number from 0 to 2^63-1"
    BAD_STATUS = "fastpath.bad-status", "ConnectionStateChanged without a state"
    BAD_ENVELOPE = "fastpath.bad-envelope", "the multiplexer's envelope holds no message, or none that is an object"
    # Latest states.
    BAD_FACT = "fastpath.bad-fact", "a record of fastpath.actions that is no fact of ours; by fastpath.state"
    # Replays.
    BAD_REPLAY = "fastpath.bad-replay", "a record of kind replay that is no request of `tricast dlq replay`"
    REPLAY_REFUSED = (
        "fastpath.replay-refused",
        "a replay that would bring nothing, or something older than what is out; the detail says what",
    )


class Count(StrEnum):
    """What yields no record on purpose, or is worth counting beside one."""

    HEARTBEAT = "fastpath.heartbeat"
    """A heartbeat, in any of its shapes."""
    MESSAGE = "fastpath.message"
    """A control message: authorisation accepted, information, a warning."""
    ERROR_MESSAGE = "fastpath.error-message"
    """A control message of level ERROR, or one of the two error objects."""
    COPY = "fastpath.copy"
    """A packet that another line brought already."""
    NO_VENDOR_TIME = "fastpath.no-vendor-time"
    """The timestamp is missing or unusable; the record goes out with the time of receipt."""
    TYPE_ID_DISAGREES = "fastpath.type-id-disagrees"
    """sendTypeId is another than the documented one of sendType; the name is trusted, both are kept."""
    UNKNOWN_SEND_TYPE = "fastpath.unknown-send-type"
    """A sendType of no documented name; kept."""
    ODD_FIELD = "fastpath.odd-field"
    """A field of another type than it should have; kept in details under the vendor's name."""
    MISPLACED = "fastpath.misplaced"
    """Statistics on an actions feed or an action on a statistics feed: it goes out, and takes no part in the order."""
    UNORDERED = "fastpath.unordered"
    """A packet of the match without a sequence number."""
    OTHER_FIXTURE = "fastpath.other-fixture"
    """A packet that names another fixture than the path; it has an account of its own."""
    FORGOTTEN = "fastpath.forgotten"
    """A packet whose number is so old that what it said is forgotten; only a copy of it is plausible."""
    STATUS_REPEATED = "fastpath.status-repeated"
    """A connection status that says what is known."""
    STATUS_OUTDATED = "fastpath.status-outdated"
    """A connection status of another connection, older than what is known."""
    LATE_CONTROL = "fastpath.late-control"
    """A control record about a connection that another has replaced."""
    NO_STATE = "fastpath.no-state"
    """By fastpath.state: a record that changes no state, because it is late, repaired, in conflict, or of a kind to
    come."""
    UNPLACED_HOLE = "fastpath.unplaced-hole"
    """Frames that never came, of a line whose name is no feed's; the record that showed it is a dead letter."""
