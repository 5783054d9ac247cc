"""Why an RMS record became a dead letter or no record at all: two closed lists."""

from enum import StrEnum

from schemas.dead_letter import DeadLetterCode


class Code(DeadLetterCode):
    """Dead-letter codes. Without index the whole record failed; with index one approval of its packet."""

    # rms.raw: whole records.
    BAD_HEADERS = "rms.bad-headers", "tc- headers or the key missing or unreadable: not from our connector"
    UNKNOWN_KIND = "rms.unknown-kind", "tc-kind is none that this processor knows"
    BAD_CONTROL = "rms.bad-control", "the value of a control record is not the JSON object it should be"
    BAD_PACKET = "rms.bad-packet", "not a Socket.IO packet, or an event without name or argument"
    TOO_MANY = "rms.too-many", "an event with more approvals than any trader's desk sends at once"
    BINARY = "rms.binary", "a binary Socket.IO event, which this feed does not use"
    LOOKUP_FAILED = "rms.lookup-failed", "an answer of bet/detail with status 200 that does not say how the bet stands"
    LOOKUP_MISMATCH = "rms.lookup-mismatch", "bet/detail answered for another bet code than the one asked for"
    UNKNOWN_STATUS = "rms.unknown-status", "bet/detail told a status that is no decision, nor known to mean none yet"
    # rms.raw: one approval. rms.bets: one record.
    NOT_JSON = "rms.not-json", "not JSON (nor are NaN and Infinity), or a number of thousands of digits"
    BAD_UTF8 = "rms.bad-utf8", "broken UTF-8 or half of a surrogate pair"
    TOO_DEEP = "rms.too-deep", "nested deeper than anything the vendor or a bet platform sends"
    DUPLICATE_KEY = "rms.duplicate-key", "an object names a key twice; which one holds cannot be known"
    NOT_AN_OBJECT = "rms.not-an-object", "JSON, but no object"
    # rms.raw: one approval.
    NO_ID = "rms.no-id", "no usable bet slip id and no usable bet code: neither text nor a whole number, or too long"
    IDS_DIFFER = "rms.ids-differ", "two spellings of the same id have different values"
    WRONG_CUSTOMER = "rms.wrong-customer", "it names another customer than its socket belongs to"
    # rms.bets.
    EMPTY = "rms.empty", "a record without value"
    UNKNOWN_TYPE = "rms.unknown-type", "type is neither placed nor answered"
    BAD_FIELD = "rms.bad-field", "a field is missing, or is not what the contract says"
    NO_SLIP_ID = "rms.no-slip-id", "no usable bet slip id"
    KEY_DIFFERS = "rms.key-differs", "the record's key is another bet's than its value says"
    BAD_CUSTOMER = "rms.bad-customer", "the customer is no number of up to 20 digits"
    BAD_STAKE = "rms.bad-stake", "the stake is no decimal above 0"
    BAD_CONTEXT = "rms.bad-context", "the context is empty or longer than 40 characters"
    UNKNOWN_DISPOSITION = "rms.unknown-disposition", "the disposition is none of the contract's"
    BAD_TIME = "rms.bad-time", "placed_at or answered_at is no time"
    FUTURE_TIME = "rms.future-time", "placed_at or answered_at lies more than an hour after the record itself"
    BET_TOO_OLD = "rms.bet-too-old", "the bet is older than what is remembered; it is never opened again"
    # rms.pending.
    BAD_MESSAGE = "rms.bad-message", "no message of rms.pending; somebody else writes to an internal topic"
    TOO_MUCH_EVIDENCE = "rms.too-much-evidence", "more approvals or look-ups of one bet than are kept"
    # Replays.
    BAD_REPLAY = "rms.bad-replay", "a record of kind replay that is no request of `tricast dlq replay`"
    REPLAY_REFUSED = (
        "rms.replay-refused",
        "a replay that would bring nothing, or something older than what is out; the detail says what",
    )


class Count(StrEnum):
    """What yields no record on purpose, or is worth counting beside one."""

    # rms.raw.
    CONTROL_PACKET = "rms.control-packet"
    """Engine.IO ping, pong, upgrade, noop; Socket.IO connect, disconnect, connect error."""
    ACK = "rms.ack"
    """The answer to a join."""
    UNKNOWN_EVENT = "rms.unknown-event"
    """An event of another name than the two; kept in the raw topic only."""
    NO_DECIDED_TIME = "rms.no-decided-time"
    """An approval without usable time of decision; it goes out without."""
    ODD_FIELD = "rms.odd-field"
    """A field of another type than it should have; kept in details under the vendor's name."""
    LATE_CONTROL = "rms.late-control"
    """A control record about a connection that another has replaced."""
    UNPLACED_HOLE = "rms.unplaced-hole"
    """Frames that never came, of a line that was never heard of."""
    # Any hop.
    REPEAT = "rms.repeat"
    """What was said already, by another socket or again: an approval, a bet, an answer."""
    # rms.bets.
    UNKNOWN_CONTEXT = "rms.unknown-context"
    """A context of no known name; the shorter window holds."""
    # rms.pending.
    DUPLICATE = "rms.duplicate"
    """Evidence that says what was decided already."""
    NO_BET = "rms.no-bet"
    """A look-up that found no decision, or news of a bet code, for a bet that is not there any more."""
