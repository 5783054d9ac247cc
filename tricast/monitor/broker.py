"""Ask the brokers: partitions, offsets, groups, sizes. A few requests a look, however many partitions there are."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.offset import OffsetRequest

from schemas.kafka import KafkaSettings
from tricast.monitor.groups import Groups
from tricast.monitor.look import Look, PartitionLook, Place
from tricast.monitor.oldest import Oldest
from tricast.monitor.peek import first_readable, newest_ms, pieces
from tricast.monitor.picture import Record
from tricast.monitor.protocol import DescribeLogDirs

REQUEST_TIMEOUT_MS: Final = 5_000
"""For each request: how long a broker may hang before it is silent."""
SILENT_TIMEOUT_S: Final = 1.0
"""The same for one that was silent at the look before: it must not hold up what is seen of the others."""
SLOW_S: Final = 10.0
"""How often topics are listed, and sizes and oldest offsets asked for."""
BEFORE_END: Final = 2
"""Where the newest record is looked for: the last offset of a transaction is its marker."""
FAR_BEFORE_END: Final = 50
"""The same, where only markers were found."""
MOST_PEEKS: Final = 1_000
"""Records read at a look."""
_LATEST: Final = -1
_EARLIEST: Final = -2


class Broker:
    """An async context manager over one client; looks, and remembers what it saw for brokers that are silent.

    Args:
        kafka: How to reach it.
        is_wanted: Which topics to look at, by physical name.
        expected: Physical names that are asked for even if Kafka does not list them: it lists what this user may see.
        groups: Consumer groups that are asked for likewise.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        is_wanted: Callable[[str], bool],
        expected: Iterable[str] = (),
        groups: Collection[str] = (),
    ) -> None:
        self._client = AIOKafkaClient(
            **kafka.client(), request_timeout_ms=REQUEST_TIMEOUT_MS, client_id="tricast-monitor"
        )
        self._is_wanted = is_wanted
        self._expected = frozenset(expected)
        self._names: list[str] = []
        self._hidden: frozenset[str] = frozenset()
        self._partitions: dict[Place, PartitionLook] = {}
        self._groups = Groups(self._ask, groups)
        self._oldest = Oldest(self._ask)
        self._silent: set[int] = set()
        self._away: tuple[int, ...] = ()
        self._was_silent: frozenset[int] = frozenset()
        self._slow_at_s = float("-inf")
        self._newest_of: dict[Place, int] = {}

    async def __aenter__(self) -> Self:
        try:
            await self._client.bootstrap()
        except BaseException:
            await self._client.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def look(self) -> Look:
        """Look once.

        Raises:
            KafkaError: No broker answers.
        """
        self._was_silent, self._silent = frozenset(self._silent), set()
        is_slow_turn = time.monotonic() - self._slow_at_s >= SLOW_S
        if is_slow_turn:
            await self._list_topics()
        brokers = await self._describe()
        # Positions first: a lag taken the other way round could be negative, or miss what came in between.
        groups = await self._groups.look(brokers, self._silent, set(self._partitions))
        at_ms = time.time_ns() // 1_000_000
        await self._offsets()
        if is_slow_turn:
            await asyncio.gather(self._starts(), self._sizes(brokers))
            self._slow_at_s = time.monotonic()
        await self._newest()
        groups = await self._oldest.of(groups, self._partitions)
        if self._silent.issuperset(brokers):
            raise KafkaError("every broker has fallen silent")
        return Look(
            at_ms=at_ms,
            brokers=tuple(sorted({*brokers, *self._away})),
            silent=tuple(sorted({*self._silent, *self._away})),
            partitions=dict(self._partitions),
            groups=groups,
            hidden=self._hidden,
        )

    async def record(self, topic: str, partition: int, offset: int) -> Record | None:
        """Return the record at this offset; ``None`` when there is none that a read_committed reader would get.

        Raises:
            KafkaError: Its broker does not answer.
        """
        place = (topic, partition)
        leader = self._leaders([place]).get(place)
        if leader is None:
            return None
        piece = (await pieces(self._client.send, {place: leader}, {place: offset})).get(place)
        if piece is None:
            return None
        record, _ = first_readable(place, piece)
        if record is None or record.offset != offset:
            return None
        return Record(
            topic=topic,
            partition=partition,
            offset=offset,
            at_ms=record.timestamp,
            key=record.key,
            headers=tuple((name, value or b"") for name, value in record.headers),
            value=record.value,
        )

    # -- topics -------------------------------------------------------------------------------------------------------

    async def _list_topics(self) -> None:
        answer = await self._ask_any(MetadataRequest(None))
        self._names = sorted(self._expected.union(row[1] for row in answer.topics if self._is_wanted(row[1])))

    async def _describe(self) -> tuple[int, ...]:
        answer = await self._ask_any(MetadataRequest(self._names, allow_auto_topic_creation=False))
        self._client.cluster.update_metadata(answer)
        seen: dict[Place, PartitionLook] = {}
        for error, topic, _, partitions in (row[:4] for row in answer.topics):
            if error:
                continue
            for _, number, leader, replicas, in_sync, *_ in sorted(partitions, key=lambda row: int(row[1])):
                place = (topic, number)
                before = self._partitions.get(place)
                now = PartitionLook(
                    leader=leader if leader >= 0 else None, replicas=len(replicas), in_sync=len(in_sync)
                )
                seen[place] = (
                    now
                    if before is None
                    else replace(before, leader=now.leader, replicas=now.replicas, in_sync=now.in_sync)
                )
        self._partitions = seen
        self._hidden = frozenset(row[1] for row in answer.topics if row[0] == TopicAuthorizationFailedError.errno)
        self._away = away(answer)
        return tuple(sorted(row[0] for row in answer.brokers))

    # -- offsets ------------------------------------------------------------------------------------------------------

    async def _offsets(self) -> None:
        # The last stable offset first: taken after it, an end is never before it.
        for place, offset in (await self._list_offsets(READ_COMMITTED, _LATEST)).items():
            self._note(place, last_stable=offset)
        for place, offset in (await self._list_offsets(READ_UNCOMMITTED, _LATEST)).items():
            self._note(place, end=offset)

    async def _starts(self) -> None:
        for place, offset in (await self._list_offsets(READ_UNCOMMITTED, _EARLIEST)).items():
            self._note(place, start=offset)

    async def _list_offsets(self, isolation: int, which: int) -> dict[Place, int]:
        def request(places: Sequence[Place]) -> OffsetRequest:
            return OffsetRequest(-1, isolation, [(t, [(n, which) for n in ns]) for t, ns in _by_topic(places).items()])

        found: dict[Place, int] = {}
        for answer in await self._ask_leaders(request):
            for topic, partitions in answer.topics:
                for number, error, _, offset, *_ in partitions:
                    if error == 0:
                        found[topic, number] = offset
        return found

    async def _sizes(self, brokers: Iterable[int]) -> None:
        topics = list(_by_topic(self._partitions).items())
        for node, answer in zip(
            brokers, await asyncio.gather(*(self._ask(node, DescribeLogDirs(topics)) for node in brokers)), strict=True
        ):
            for error, _, held in answer.log_dirs if answer is not None else ():
                for topic, partitions in held if error == 0 else ():
                    for number, size, _, is_future in partitions:
                        known = self._partitions.get((topic, number))
                        if known is not None and known.leader == node and not is_future:
                            self._note((topic, number), size_bytes=size)

    # -- single records -----------------------------------------------------------------------------------------------

    async def _newest(self) -> None:
        """Read the newest record of partitions where something came since."""
        moved = {
            place: look.last_stable
            for place, look in self._partitions.items()
            if look.last_stable and look.last_stable != self._newest_of.get(place)
        }
        # Longest unread first, so that each has its turn where there are too many.
        turns = sorted(moved, key=lambda place: place in self._newest_of)[:MOST_PEEKS]
        for distance in (BEFORE_END, FAR_BEFORE_END):
            wanted = {place: max(0, self._partitions[place].start or 0, moved[place] - distance) for place in turns}
            for place, piece in (await pieces(self._ask, self._leaders(wanted), wanted)).items():
                newest = newest_ms(piece)
                if newest is not None:
                    self._note(place, newest_ms=newest)
                self._newest_of[place] = moved[place]
            turns = [place for place in turns if self._partitions[place].newest_ms is None]

    # -- asking -------------------------------------------------------------------------------------------------------

    def _note(self, place: Place, **values: int) -> None:
        if place in self._partitions:
            self._partitions[place] = replace(self._partitions[place], **values)

    def _leaders(self, places: Iterable[Place]) -> dict[Place, int]:
        return {
            place: leader
            for place in places
            if place in self._partitions and (leader := self._partitions[place].leader) is not None
        }

    async def _ask(self, node: int, request: Any) -> Any:
        """Return a broker's answer, ``None`` when it gives none; it is not asked again at this look."""
        if node in self._silent:
            return None
        try:
            async with asyncio.timeout(SILENT_TIMEOUT_S if node in self._was_silent else None):
                return await self._client.send(node, request)
        except (KafkaError, OSError):  # a TimeoutError is an OSError
            self._silent.add(node)
            return None

    async def _ask_any(self, request: Any) -> Any:
        nodes = [broker.nodeId for broker in self._client.cluster.brokers()]
        for node in sorted(nodes, key=self._was_silent.__contains__):
            if (answer := await self._ask(node, request)) is not None:
                return answer
        raise KafkaError("no broker answers")

    async def _ask_leaders(self, request: Callable[[Sequence[Place]], Any]) -> list[Any]:
        by_leader: dict[int, list[Place]] = {}
        for place, leader in self._leaders(self._partitions).items():
            by_leader.setdefault(leader, []).append(place)
        asked: list[Awaitable[Any]] = [self._ask(node, request(places)) for node, places in by_leader.items()]
        return [answer for answer in await asyncio.gather(*asked) if answer is not None]


def away(answer: Any) -> tuple[int, ...]:
    """Return the brokers that hold replicas and are not listed: the cluster forgets one within seconds of its end.

    Args:
        answer: A metadata response.
    """
    holders = {broker for topic in answer.topics for partition in topic[3] for broker in partition[3]}
    return tuple(sorted(holders - {row[0] for row in answer.brokers}))


def _by_topic(places: Iterable[Place]) -> dict[str, list[int]]:
    topics: dict[str, list[int]] = {}
    for topic, number in places:
        topics.setdefault(topic, []).append(number)
    return topics
