"""Why a connection is refused (sheet §5.1), and how that is said. Pure."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import orjson

from simulators.rms.config import Refusal, RmsCredentialSettings
from simulators.rms.tokens import Access

MESSAGES: Final[dict[Refusal, str]] = {
    "400": "Invalid customerid header: must be numeric",
    "401": "Missing customerid header",
    "402": "Account is inactive or subscription has expired",
    "403": "Customer not found",
    "429": "Too Many Requests",
    "500": "Internal server error",
}
"""The vendor documents meanings only; of the wording the second alone is known."""
UNAUTHORIZED: Final = "Unauthorized"


def why_refused(customer: str | None, access: Access, credentials: Sequence[RmsCredentialSettings]) -> Refusal | None:
    """Return what a client with a token that holds is refused with, if it is.

    Args:
        customer: Header ``customerid``.
        access: What its token is worth.
        credentials: All there are.
    """
    if customer is None:
        return "401"
    if not (customer.isascii() and customer.isdecimal()):
        return "400"
    accounts = [credential for credential in credentials if credential.customer_id == customer]
    # The vendor's gateway takes the customer out of the token: another one's header cannot open his rooms.
    if not accounts or access.credential.customer_id != customer:
        return "403"
    return None if access.credential.active else "402"


def connect_error(status: Refusal, message: str, form: Literal["status", "bare", "text"]) -> str:
    """Return the Socket.IO CONNECT_ERROR packet."""
    body: Any = {"message": message}
    if form == "status":
        body["data"] = {"statusCode": int(status)}
    elif form == "text":
        body = message
    return "4" + orjson.dumps(body).decode()
