"""A customer's tokens as look-ups need them: always there, or not; and what the bet API says of a bet that waits."""

import asyncio

from connectors.rms.ports import Bearer
from connectors.shown import masked, without_secrets

CUSTOMER = "90210"
PENDING = {"success": True, "data": {"code": "c-1", "status": "reserve"}}
TOKEN = "PLANTED-TOKEN-c0ffee"


class Tokens:
    """Tokens that are always there, or not."""

    def __init__(self):
        self.serial = 1
        self.there = asyncio.Event()
        self.there.set()
        self.accepted_serials = []

    @property
    def in_force(self):
        return Bearer(f"{TOKEN}-{self.serial}", self.serial) if self.there.is_set() else None

    async def bearer(self):
        await self.there.wait()
        return self.in_force

    def refused(self, bearer, *, rights=False):
        assert bearer.serial == self.serial
        self.serial += 1

    def accepted(self, bearer):
        self.accepted_serials.append(bearer.serial)

    def redacted(self, text):
        return without_secrets(text, [TOKEN])

    def masked(self, payload):
        return masked(payload, [TOKEN])
