"""Ask for consumer groups: everybody's, as far as they read the topics looked at."""

import asyncio
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from aiokafka.errors import GroupAuthorizationFailedError
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.group import MemberAssignment

from tricast.monitor.look import GroupLook, Place
from tricast.monitor.peek import Ask
from tricast.monitor.picture import NOT_VISIBLE
from tricast.monitor.protocol import DescribeGroups, ListGroups

FOREIGN_S: Final = 30.0
"""How long a group that reads other topics only is left alone; a shared Kafka may have many."""
_CONSUMERS: Final = "consumer"
"""Protocol type; Connect and others coordinate something else by groups."""
_DEAD: Final = "Dead"


class Groups:
    """Remembers what a coordinator said until it says something else; one that is silent keeps its groups as they were.

    Args:
        ask: Sends a request to a broker.
        expected: Groups that are asked for even if Kafka does not list them: it lists what this user may see.
    """

    def __init__(self, ask: Ask, expected: Collection[str] = ()) -> None:
        self._ask = ask
        self._expected = expected
        self._seen: dict[str, GroupLook] = {}
        self._foreign: dict[str, float] = {}

    async def look(self, brokers: Sequence[int], silent: set[int], places: set[Place]) -> dict[str, GroupLook]:
        """Return the groups that have committed offsets in ``places``, or that members have partitions of there.

        Of those expected also the ones that this user may not see.

        Args:
            brokers: Who may coordinate a group.
            silent: Of them those that did not answer; it grows meanwhile.
            places: Partitions looked at.
        """
        answers = await asyncio.gather(*(self._of(node, places) for node in brokers))
        seen = {name: group for answer in answers for name, group in answer.items()}
        if silent.intersection(brokers):
            seen = self._seen | seen
        self._seen = seen
        return seen | await self._hidden([name for name in self._expected if name not in seen], brokers, silent)

    async def _hidden(
        self, names: Sequence[str], brokers: Sequence[int], silent: Collection[int]
    ) -> dict[str, GroupLook]:
        """Return those of ``names`` that are refused: any broker does, before it looks who coordinates them."""
        answering = [node for node in brokers if node not in silent]
        if not names or not answering:
            return {}
        described = await self._ask(answering[0], DescribeGroups(list(names)))
        return {
            row[1]: GroupLook(state=NOT_VISIBLE, members=None, committed={})
            for row in (described.groups if described is not None else ())
            if row[0] == GroupAuthorizationFailedError.errno
        }

    async def _of(self, node: int, places: set[Place]) -> dict[str, GroupLook]:
        listed = await self._ask(node, ListGroups())
        if listed is None or listed.error_code:
            return {}
        now_s = time.monotonic()
        states = {
            name: state
            for name, protocol, state, _ in listed.groups
            if protocol in {_CONSUMERS, ""} and now_s - self._foreign.get(name, float("-inf")) > FOREIGN_S
        }
        if not states:
            return {}
        described, *offsets = await asyncio.gather(
            self._ask(node, DescribeGroups(list(states))),
            *(self._ask(node, OffsetFetchRequest(name, None)) for name in states),
        )
        members = {row[1]: row for row in described.groups} if described is not None else {}
        found: dict[str, GroupLook] = {}
        for (name, state), answer in zip(states.items(), offsets, strict=True):
            if answer is None or answer.error_code:
                if name in self._seen:
                    found[name] = self._seen[name]
                continue
            group = _group(state, members.get(name), answer, places)
            if group.committed or group.owners:
                found[name] = group
            elif answer.topics:
                self._foreign[name] = now_s
        return found


def _group(listed: str, described: Any, answer: Any, places: set[Place]) -> GroupLook:
    committed = {
        (topic, number): offset
        for topic, partitions in answer.topics
        for number, offset, _, error in partitions
        if error == 0 and offset >= 0 and (topic, number) in places
    }
    if described is None or described[0] or described[2] == _DEAD != listed:
        return GroupLook(state=listed, members=None, committed=committed)  # a group of the protocol `consumer`
    _, _, state, _, _, members = described
    owners = {
        (topic, number): client
        for _, client, _, _, assignment in members
        for topic, numbers in _assigned(assignment)
        for number in numbers
        if (topic, number) in places
    }
    return GroupLook(state=state, members=len(members), committed=committed, owners=owners)


def _assigned(assignment: bytes) -> Iterable[tuple[str, list[int]]]:
    if not assignment:  # while a group rebalances
        return ()
    decoded: Any = MemberAssignment.decode(assignment)
    rows: Iterable[tuple[str, list[int]]] = decoded.assignment
    return rows
