"""Bulks to Socket.IO packets, and the faults that are built into packets."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import orjson

from simulators.kambi.bulking import Bulk
from simulators.kambi.config import FaultSwitch
from simulators.kambi.copies import Copy
from simulators.kambi.ledger import Fact, at_child
from simulators.kambi.messages import unknown_message


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One packet to hand to every connection that holds ``key``; ``faults`` in the order in which they struck."""

    key: str
    packet: str
    facts: tuple[Fact, ...] = ()
    faults: tuple[str, ...] = ()


JUNK: tuple[str, ...] = (
    '2["message","[{\\"t\\":\\"1790000000001\\",\\"mt\\":11,"]',  # argument is not JSON
    '2["message","42"]',  # not an array
    '2["message","[]"]',  # nothing in it
    '2["message",[{"t":"1790000000001","mt":18,"er":{"eventId":1}}]]',  # argument is no string
    '2["message"]',  # no argument
    '2["message","[{\\"t\\":\\"1790000000001\\",\\"er\\":{\\"eventId\\":1}}]"]',  # no mt
    '2["message","[{\\"t\\":\\"1790000000001\\",\\"mt\\":11}]"]',  # no element
    '2["message","[{\\"t\\":\\"1790000000001\\",\\"mt\\":11,\\"boou\\":7}]"]',  # element of another type
    '2["message","[{\\"t\\":\\"1790000000001\\",\\"mt\\":7,\\"bor\\":{\\"betOfferId\\":NaN,\\"eventId\\":1}}]"]',
    '2["message","[{\\"t\\":\\"1790000000001\\",\\"mt\\":7,\\"mt\\":18,\\"er\\":{\\"eventId\\":1,\\"eventId\\":2}}]"]',
    '2["message","[null,7,\\"text\\",{}]"]',  # children that are no messages
    '2["message","\\ud800"]',  # half a character
    '2["message"',  # the packet itself is cut short
    "hello",  # no Socket.IO packet
)
"""Malformed packets, sent by turns."""


class FrameBuilder:
    """Turn bulks into packets, with the faults that were asked for; counts its bulks, so it is repeatable.

    Args:
        faults: Which faults, how often.
    """

    def __init__(self, faults: FaultSwitch) -> None:
        self._faults = faults
        self._bulks = 0
        self._junk = 0

    def build(self, bulk: Bulk, t_ms: int) -> Iterator[Frame]:
        """Yield the frames of one bulk: one, unless a fault makes it more."""
        self._bulks += 1
        faults = self._faults.current
        if self._strikes(faults.bare_object_every):
            for message in bulk.messages:
                yield _frame(bulk.key, message.envelope, message.facts, (*_faults((message,)), "bare-object"))
        else:
            unknown = self._strikes(faults.unknown_mt_every)
            envelopes = [message.envelope for message in bulk.messages] + ([unknown_message(t_ms)] if unknown else [])
            array = b"[" + b",".join(envelopes) + b"]"
            built_in = (*_faults(bulk.messages), *(["unknown-mt"] if unknown else []))
            frame = _frame(bulk.key, array, _facts(bulk.messages), built_in)
            yield frame
            if self._strikes(faults.duplicate_every):
                yield replace(frame, faults=(*frame.faults, "duplicate"))
        if self._strikes(faults.junk_every):
            self._junk += 1
            yield Frame(key=bulk.key, packet=JUNK[(self._junk - 1) % len(JUNK)], faults=("junk",))

    def _strikes(self, every: int) -> bool:
        return every > 0 and self._bulks % every == 0


def event_packet(name: str, argument: object) -> str:
    """Return the Socket.IO packet of an event with one argument."""
    return "2" + orjson.dumps([name, argument]).decode()


def _frame(key: str, text: bytes, facts: tuple[Fact, ...], faults: tuple[str, ...]) -> Frame:
    return Frame(key=key, packet=event_packet("message", text.decode()), facts=facts, faults=faults)


def _facts(messages: tuple[Copy, ...]) -> tuple[Fact, ...]:
    return tuple(fact for child, message in enumerate(messages) for fact in at_child(message.facts, child))


def _faults(messages: tuple[Copy, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(message.fault for message in messages if message.fault))
