"""Messages of ``rms.pending`` for the join's road: bets, answers, aliases, approvals and time of three customers.

A second holds 250 bets. Of ten two are referred; their approvals come up to a minute later, most by slip id,
some by bet code alone, which takes them through two tasks; some never come. So thousands of bets wait at any time.
"""

import time
import uuid
from collections.abc import Iterator
from random import Random

from aiokafka.partitioner import murmur2

from benchmarks.road_frames import Frame
from processors.core.rms.everywhere import EVERYWHERE
from schemas.rms import pending
from schemas.rms.pending import Alias, Answered, AnyMessage, Evident, Placed, Time
from schemas.topics import TOPICS

CUSTOMERS = ("90210", "90211", "90212")
BETS_PER_SECOND = 250
REFERRED, BY_CODE, IGNORED = 1 / 5, 1 / 10, 1 / 10
SLOWEST_S = 60
SECOND_NS = 1_000_000_000
_PARTITIONS = TOPICS["rms.pending"].partitions


def frames(count: int) -> Iterator[Frame]:
    """Yield ``count`` messages and what is left of their second, time told at its end."""
    chance = Random(1)
    now_ns = time.time_ns()
    due: dict[int, list[Evident]] = {}
    by_code = dict.fromkeys(CUSTOMERS, 0)
    second = sent = offset = 0
    while sent < count:
        second += 1
        now_ns += SECOND_NS
        for _ in range(BETS_PER_SECOND):
            bet = _Bet(chance, now_ns)
            for frame in bet.frames():
                yield frame
                sent += 1
            if bet.disposition == "referred" and chance.random() >= IGNORED:
                due.setdefault(second + 1 + chance.randrange(SLOWEST_S), []).append(bet.approval(chance))
        for waiting in due.pop(second, ()):
            offset += 1
            approval = _told(waiting, offset, now_ns, by_code)
            yield _to(_key_of(approval), approval)
            sent += 1
        for customer in CUSTOMERS:
            told = Time(customer=customer, now_ns=now_ns, since_ns=0, proven_ns=now_ns, by_code=by_code[customer])
            yield from (_to(key, told) for key in EVERYWHERE)


class _Bet:
    def __init__(self, chance: Random, now_ns: int) -> None:
        self._customer = chance.choice(CUSTOMERS)
        self._slip = str(uuid.UUID(int=chance.getrandbits(128)))
        self._code = f"{chance.getrandbits(64):x}"
        self._now_ns = now_ns
        self._context = chance.choice(("prematch", "live"))
        self.disposition = "referred" if chance.random() < REFERRED else "accepted"

    def frames(self) -> Iterator[Frame]:
        slip_key = pending.slip_key(self._customer, self._slip)
        placed = Placed(
            customer=self._customer,
            slip=self._slip,
            context=self._context,
            stake="12.50",
            odds=("1.95",),
            placed_ns=self._now_ns,
            logged_ns=self._now_ns,
            content=self._code,
            position="tricast.rms.bets/0/1",
        )
        answered = Answered(
            customer=self._customer,
            slip=self._slip,
            disposition="referred" if self.disposition == "referred" else "accepted",
            code=self._code,
            answered_ns=self._now_ns,
            logged_ns=self._now_ns,
            position="tricast.rms.bets/0/2",
        )
        alias = Alias(customer=self._customer, code=self._code, slip=self._slip, position="tricast.rms.bets/0/2")
        yield _to(slip_key, placed)
        yield _to(slip_key, answered)
        yield _to(pending.code_key(self._customer, self._code), alias)

    def approval(self, chance: Random) -> Evident:
        return Evident(
            customer=self._customer,
            slip=None if chance.random() < BY_CODE else self._slip,
            code=self._code,
            evidence="approval",
            said=chance.choice(("accept", "reject")),
            raw=(0, 0, 0),
            received_ns=0,
        )


def _told(waiting: Evident, offset: int, now_ns: int, by_code: dict[str, int]) -> Evident:
    before = by_code[waiting.customer]
    ordinal = 0
    if waiting.slip is None:
        ordinal = by_code[waiting.customer] = before + 1
    return Evident(
        customer=waiting.customer,
        slip=waiting.slip,
        code=waiting.code,
        evidence="approval",
        said=waiting.said,
        raw=(0, offset, 0),
        received_ns=now_ns,
        decided_ns=now_ns,
        ordinal=ordinal,
        by_code_before=before,
    )


def _key_of(approval: Evident) -> bytes:
    if approval.slip is not None:
        return pending.slip_key(approval.customer, approval.slip)
    return pending.code_key(approval.customer, approval.code or "")


def _to(key: bytes, message: AnyMessage) -> Frame:
    return (murmur2(key) & 0x7FFFFFFF) % _PARTITIONS, key, pending.encode(message), []
