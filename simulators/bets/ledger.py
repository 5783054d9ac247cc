"""The platform's ledger: what it wrote to ``rms.bets`` and what it knew, one JSON object a line.

A line has these keys; those that do not apply are left out::

    kind         placed | answered
    at_ns        when, UTC nanoseconds since 1970: as in the record
    customer, slip
    position     of the record, <topic>/<partition>/<offset>
    code         answered: bet code
    disposition  answered: as written
    tries        answered: calls of place-bet
    status       answered: HTTP status of the last; left out when no request left, 0 when no whole answer came

A line follows its record: a platform that was killed may have written records that its ledger lacks.
"""

from typing import Literal

import msgspec


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the ledger; the module's text says what its fields mean."""

    kind: Literal["placed", "answered"]
    at_ns: int
    customer: str
    slip: str
    position: str
    code: str | None = None
    disposition: str | None = None
    tries: int | None = None
    status: int | None = None
