"""The headers that records have, by what their topic holds: the registry behind docs, AsyncAPI and `topics check`."""

from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict

from schemas.raw import KINDS
from schemas.replay import ATTEMPT, ID, OF, PART, REPLAY, REPLAYED, REQUEST, SOURCE
from schemas.topics.topic import Content

_NUMBER: Final = r"^[0-9]{1,19}$"
_POSITION: Final = r"^[^/]+/[0-9]{1,19}/[0-9]{1,19}$"
_PART: Final = r"^[^/]+/[0-9]{1,19}/[0-9]{1,19}(/[0-9]{1,19})?$"


class Header(BaseModel):
    """One header of a record; its value is UTF-8 text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """As in Kafka."""
    meaning: str
    """For a person; units included."""
    pattern: str = "^.+"
    """Regular expression, of ECMA 262 and Python alike, that every value of it matches."""
    required: bool = True
    """Whether every record has it."""


CLOUDEVENTS: Final = (
    Header(name="ce_specversion", meaning="CloudEvents 1.0, binary mode", pattern=r"^1\.0$"),
    Header(
        name="ce_id",
        meaning="unique: position of the source record and an index, `<topic>/<partition>/<offset>/<index>`; of what is"
        " told with another record an index below that; of a state the fact it was changed by; of frames that never"
        " came `<line>/<connection>/<first>-<last>/<index>`; the same after any restart",
        pattern=r"^.+/[0-9]{1,19}$",
    ),
    Header(
        name="ce_source",
        meaning="`tricast/<feed>/<line>`: which line said it; of `kambi.health` with `/health` behind; of what the join"
        " decides `tricast/rms/join`; of latest states `tricast/<feed>/state`",
        pattern="^tricast/(kambi|fastpath|rms)/.+",
    ),
    Header(name="ce_type", meaning="type and version of the value", pattern=r"^tricast\.[a-z0-9.-]+\.v[0-9]+$"),
    Header(
        name="ce_time",
        meaning="when it happened: by the vendor's clock where the vendor says so, else when it was received; UTC",
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
    ),
    Header(name="ce_subject", meaning="what it is about: event, outcome, fixture, feed, bet, line"),
    Header(name="content-type", meaning="datacontenttype of CloudEvents; UTF-8", pattern="^application/json$"),
    Header(
        name="ce_dataschema",
        meaning="`urn:tricast:schema:<ce_type>`: the `$id` of `schemas/json/<ce_type>.json`",
        pattern=r"^urn:tricast:schema:tricast\.[a-z0-9.-]+\.v[0-9]+$",
    ),
    Header(
        name="ce_tcreceived",
        meaning="extension: when tricast received what it rests on, UTC ns",
        pattern=r"^[0-9]{1,20}$",
    ),
    Header(
        name="ce_tccause",
        meaning="extension, of `source: snapshot`: why push did not say it",
        pattern="^(baseline|repaired|push-missed)$",
        required=False,
    ),
    Header(
        name=REPLAYED,
        meaning="extension: it came out by a replay; position of the request",
        pattern=_POSITION,
        required=False,
    ),
)
"""Of normalized records."""

_STAMPS: Final = (
    Header(name="tc-feed", meaning="feed", pattern="^(kambi|fastpath|rms)$"),
    Header(name="tc-line", meaning="connector line: one socket's place, kept over reconnects"),
    Header(name="tc-connection", meaning="UUID of one connect of the line"),
    Header(
        name="tc-frame", meaning="number in its connection, from 1; of a control: of the last before", pattern=_NUMBER
    ),
    Header(name="tc-received-ns", meaning="when the connector had it, UTC ns", pattern=_NUMBER),
    Header(
        name="tc-kind",
        meaning="frame, snapshot; controls: opened, closed, overflow, tick",
        pattern=f"^({'|'.join(sorted(KINDS))})$",
    ),
    Header(name="tc-position", meaning="request of a snapshot; position asked for", pattern="^", required=False),
    Header(
        name="tc-requested-ns", meaning="of a snapshot: when it was asked for, UTC ns", pattern=_NUMBER, required=False
    ),
    Header(name="tc-status", meaning="of a snapshot: HTTP status", pattern="^[0-9]{1,3}$", required=False),
    Header(
        name="tc-after-ns", meaning="of a frame of RMS: it was sent after this, UTC ns", pattern=_NUMBER, required=False
    ),
)
RAW: Final = _STAMPS
"""Of what connectors write."""

REPLAY_REQUEST: Final = (
    Header(name="tc-kind", meaning="a request to process a dead letter again", pattern=f"^{REPLAY}$"),
    Header(name=OF, meaning="`tc-source` of the dead letter", pattern=_PART),
    Header(name=ID, meaning="position of the dead letter", pattern=_POSITION),
    Header(name=ATTEMPT, meaning="how often it was replayed, from 1", pattern="^[1-9][0-9]{0,18}$"),
    Header(name="tc-replay-code", meaning="`tc-code` of the dead letter"),
    Header(name="tc-replay-timestamp-ms", meaning="Kafka timestamp of the original record", pattern=_NUMBER),
)
"""Of requests to replay in raw and input topics; what the original record had is under `tc-replay-…`."""

DEAD_LETTERS: Final = (
    Header(name="tc-code", meaning="why, for programs"),
    Header(name="tc-detail", meaning="why, for people"),
    Header(name=SOURCE, meaning="position of the source record; with `/<index>`: one part of it", pattern=_PART),
    Header(name="tc-version", meaning="version of the code that could not process it"),
    Header(name=PART, meaning="what the record calls the part", pattern="^", required=False),
    *(stamp.model_copy(update={"required": False, "pattern": "^"}) for stamp in _STAMPS),
    Header(name="tc-truncated", meaning="bytes there were, if more than here", pattern=_NUMBER, required=False),
    Header(name=REQUEST, meaning="of a failed replay: position of the request", pattern=_POSITION, required=False),
    Header(name=ID, meaning="of a failed replay: position of the letter", pattern=_POSITION, required=False),
    Header(name=ATTEMPT, meaning="of a failed replay: which attempt it was", pattern=_NUMBER, required=False),
)
"""Of dead letters; those of the source record as far as it had them, as they were."""

HEADERS: Final[MappingProxyType[Content, tuple[Header, ...]]] = MappingProxyType(
    {"events": CLOUDEVENTS, "raw": RAW, "dead-letters": DEAD_LETTERS, "input": (), "messages": (), "state": ()}
)
"""By what a topic holds."""
