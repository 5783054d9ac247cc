"""The shipped hops before the join, fed with the frames and records that the world's customers and platforms write."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any, Final
from urllib.parse import urlencode

from processors.core.rms.approvals.processor import RmsApprovals
from processors.core.rms.bets.processor import RmsBets
from processors.engine.task import Batch, Partition, StreamTask
from schemas.raw import Kind, RawHeaders
from schemas.rms.pending import Evident, Time, decode
from schemas.topics import TOPICS
from tests.core.driver import Driver, Record
from tests.oracle.rms.core import CoreTask
from tests.oracle.rms.course import Course, Raw
from tests.oracle.rms.customer import BetRecord, Choice, Covered, Customer
from tests.oracle.rms.said import SECOND_NS, Rules
from tests.oracle.rms.source import Source
from tests.oracle.rms.world import MS_NS

_RAW: Final = "tricast.rms.raw"
_BETS: Final = "tricast.rms.bets"
_PENDING: Final = "rms.pending"
_NAMES: Final = ({"slip": "betSlipId", "code": "bet_code"}, {"slip": "bet_slip_id", "code": "betCode"})
_EVENT: Final = {"accept": "RESERVE_BET_ACCEPT", "reject": "RESERVE_BET_REJECT"}
_STATUS: Final = {"accept": ("accepted", "Approved"), "reject": ("rejected", "DECLINED"), None: ("reserve", "pending")}


class Shipped:
    """Approvals hop, router and join as they are shipped."""

    def __init__(self) -> None:
        self._partitions = count()
        self._router = Driver(RmsBets())

    def source(self, customer: Customer, random: Random) -> Source:
        """Return the approvals hop of a customer, in a task of its own."""
        return _Frames(customer, random, next(self._partitions))

    def route(self, bet: BetRecord) -> list[tuple[str, bytes]]:
        """Return what the router makes of a record."""
        offset = int(bet.position.rpartition("/")[2])
        key = f"{bet.customer}/{bet.slip}".encode()
        self._router.outputs.clear()
        value = json.dumps(_written(bet)).encode()
        record = Record(offset=offset, value=value, headers=(), topic=_BETS, timestamp=bet.logged_ns // MS_NS, key=key)
        self._router.feed_record(record)
        assert {letter.code for letter in self._router.dead_letters} <= {"rms.bet-too-old"}
        return [(output.key.decode(), output.value) for output in self._router.outputs]

    def task(self, rules: Rules, /) -> CoreTask:
        """Return a task of the join."""
        return CoreTask(rules)


def _written(bet: BetRecord) -> dict[str, Any]:
    seconds, ns = divmod(bet.at_ns, SECOND_NS)
    at = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09d}Z"
    named = {"customer": int(bet.customer), "bet_slip_id": bet.slip}
    if bet.is_answer:
        answer = {"type": "answered", "answered_at": at, "bet_code": bet.code, "disposition": bet.disposition}
        return named | answer
    selections = [{"event_id": 7, "odds": odds} for odds in bet.odds]
    placed = {"type": "placed", "placed_at": at, "context": bet.context, "stake": bet.stake, "selections": selections}
    return named | placed


class _Line:
    """One socket of a customer; or its look-ups, which are a line as well."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.connects = 0
        self.frame = 0
        self.covered: Covered | None = None


class _Frames(Source):
    """The approvals hop of one customer, fed with what its connectors record; some have two sockets."""

    def __init__(self, customer: Customer, random: Random, partition: int) -> None:
        super().__init__(customer, random, dedupes=True, tells_end=True)
        name = f"rms-{customer.name}"
        self._lines = [_Line(name)]
        self._look_ups = _Line(f"{name}-lookups")
        self._partition = partition
        self._task = self._new()
        if random.random() < 0.25:
            self._replicate()
        holes = [covered for covered in customer.covered if covered.is_our_hole]
        for choice in customer.choices:
            if any(hole.until_ns < choice.at_ns < hole.told_ns for hole in holes):
                self.at(choice.at_ns, ("lost", choice))

    def _replicate(self) -> None:
        """Add a second socket, which is there some of the time."""
        self._lines.append(_Line(f"{self._lines[0].name}@b"))
        start_ns = min(covered.since_ns for covered in self.customer.covered)
        middle_ns = self._awake(self._random.randrange(start_ns, self.customer.end_ns))
        end_ns = self._awake(self._random.randrange(middle_ns, self.customer.end_ns) + 1)
        covered = Covered(middle_ns, end_ns, end_ns + self._random.randrange(1, SECOND_NS))
        self.at(covered.since_ns, ("begin b", covered), 1)
        self.at(covered.told_ns, ("end b", covered), 0)
        for choice in self.customer.choices:
            if (
                covered.since_ns < choice.said_ns
                and choice.at_ns <= covered.until_ns
                and not self.customer.hears(choice.at_ns)
            ):
                self.at(choice.at_ns, choice)

    def _awake(self, at_ns: int) -> int:
        return next((ended for begun, ended in self.customer.stalls if begun < at_ns <= ended), at_ns)

    def _new(self) -> StreamTask:
        processor = RmsApprovals()
        return StreamTask(
            Partition(_RAW, self._partition),
            processor,
            topics={name: TOPICS[name] for name in (*processor.outputs, "rms.dead-letters")},
            version="test",
            stop_ratio=1.0,
            window=1000,
        )

    def _restart(self) -> None:
        before, self._task = self._task, self._new()
        for key, value in before.store.items():
            self._task.store.put(key, value)
        self._task.store.keep()
        self._task.repeats = before.repeats
        self._task.position, self._task.stream_time_ns = before.position, before.stream_time_ns

    def _messages(self, at_ns: int, what: object, course: Course) -> list[tuple[str, bytes]]:
        if self._random.random() < 0.03:
            self._restart()
            course.contents["restarts of the approvals hop"] += 1
        found: list[tuple[str, bytes]] = []
        match what:
            case Choice():
                for line in self._lines:
                    covered = line.covered
                    if covered is not None and covered.since_ns <= what.said_ns and at_ns <= covered.until_ns:
                        found += self._write(line, "frame", self._event(what), at_ns, course, what)
            case Raw():
                found += self._answer(what, at_ns, course)
            case ("lost", Choice()):
                found += self._lose(at_ns, course)
            case (str() as name, Covered() as covered):
                line = self._lines[name.endswith(" b")]
                begun = name.startswith("begin")
                found += self._begin(line, covered, course) if begun else self._end_of(line, covered, at_ns, course)
            case _:
                for line in self._lines:
                    if line.connects:
                        found += self._write(line, "tick", self._standing(line, at_ns), at_ns, course)
        return found

    def _lose(self, at_ns: int, course: Course) -> list[tuple[str, bytes]]:
        """Hear a frame that never comes to Kafka; the next record shows it, or one says so."""
        line = self._lines[0]
        line.frame += 1
        course.contents["frames lost by us"] += 1
        if self._random.random() < 0.5:
            return []
        facts = {"lost": 1, "first_frame": line.frame, "last_frame": line.frame}
        return self._write(line, "overflow", facts, at_ns, course)

    def _begin(self, line: _Line, covered: Covered, course: Course) -> list[tuple[str, bytes]]:
        if line.covered is not None:  # only frames were lost
            line.covered = covered
            return []
        line.covered = covered
        line.connects += 1
        line.frame = 0
        at_ns = covered.since_ns
        found = self._write(line, "opened", {"customer": self.customer.name, "url": "wss://simulated"}, at_ns, course)
        found += self._write(line, "frame", b'0{"sid":"s"}', at_ns, course)
        return found + self._write(line, "frame", b'30[{"status":"ok"}]', at_ns, course)

    def _end_of(self, line: _Line, covered: Covered, at_ns: int, course: Course) -> list[tuple[str, bytes]]:
        if covered.is_our_hole:
            return []
        found: list[tuple[str, bytes]] = []
        if self._random.random() < 0.7:  # read when its connector woke; what the vendor sent after it is lost
            found += self._write(line, "frame", b'2["NEWS",{}]', at_ns, course)
            course.contents["frames read after a stall"] += 1
        line.covered = None
        facts = {"code": 1006, "reason": "cut", "frames": line.frame, "heard_ns": covered.proven_ns}
        return found + self._write(line, "closed", facts, at_ns, course)

    def _standing(self, line: _Line, at_ns: int) -> dict[str, Any]:
        covered = line.covered
        facts = {"open": covered is not None, "joined": covered is not None, "heard_ns": None, "token_age_s": 60}
        if covered is not None:
            until_ns = at_ns if covered.is_our_hole else covered.until_ns
            heard_ns = min(self.customer.read_by(at_ns) - self._random.choice((0, 0, 1, 700_000_000)), until_ns)
            facts["heard_ns"] = max(heard_ns, covered.since_ns)
        return facts | {"refresh_age_s": 600, "connects_left": 9, "requests_left": 90, "lookups_waiting": 0}

    def _event(self, choice: Choice) -> bytes:
        names = self._random.choice(_NAMES)
        told: dict[str, Any] = {names["slip"]: choice.slip, names["code"]: choice.code}
        told = {name: known for name, known in told.items() if known is not None}
        told["customerId"] = int(self.customer.name)
        told |= {name: known for name, known in (("stake", choice.stake), ("odds", choice.odds)) if known is not None}
        shape: Any = self._random.choice((told, json.dumps(told), [told]))
        return f"2{json.dumps([_EVENT[choice.said], shape])}".encode()

    def _answer(self, raw: Raw, at_ns: int, course: Course) -> list[tuple[str, bytes]]:
        line, request = self._look_ups, raw.request
        assert request is not None
        found: list[tuple[str, bytes]] = []
        if not line.connects:
            line.connects = 1
            found += self._write(
                line, "opened", {"customer": self.customer.name, "url": "https://simulated"}, at_ns, course
            )
        status = self._random.choice(_STATUS[raw.said])
        body: Any = {"success": True, "data": {"code": request.code, "status": status}}
        if raw.status != 200:
            body = {"result": False, "message": "no"}
        return found + self._write(line, "snapshot", json.dumps(body).encode(), at_ns, course, raw)

    def _write(
        self,
        line: _Line,
        kind: Kind,
        value: bytes | dict[str, Any],
        at_ns: int,
        course: Course,
        of: Choice | Raw | None = None,
    ) -> list[tuple[str, bytes]]:
        line.frame += kind in {"frame", "snapshot"}
        asked = of.request if isinstance(of, Raw) else None
        headers = RawHeaders(
            feed="rms",
            line=line.name,
            connection=f"{line.name}-{line.connects}",
            frame=line.frame,
            received_ns=at_ns,
            kind=kind,
            position=None if asked is None else f"bet/detail?{urlencode({'code': asked.code, 'slip': asked.slip})}",
            requested_ns=of.requested_ns if isinstance(of, Raw) else None,
            status=of.status if isinstance(of, Raw) else None,
        ).to_kafka()
        after_ns = at_ns - self._random.randrange(2 * SECOND_NS) if of is None else None
        after_ns = of.after_ns if isinstance(of, Choice) else after_ns
        if kind == "frame" and after_ns is not None:
            headers.append(("tc-after-ns", b"%d" % after_ns))
        offset = next(course.offsets)
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        record = Record(
            offset=offset,
            value=content,
            headers=headers,
            topic=_RAW,
            partition=self._partition,
            timestamp=at_ns // MS_NS,
            key=self.customer.name.encode(),
        )
        self._task.process(Batch(0, self._task.position, offset + 1, [record]))
        found: list[tuple[str, bytes]] = []
        for topic, key, written, _, _ in self._task.take_outputs():
            assert topic != "rms.dead-letters", content
            if topic == _PENDING and key is not None and written is not None:
                found.append((key.decode(), written))
        self._note(found, offset, of, course)
        return found

    def _note(self, found: list[tuple[str, bytes]], offset: int, of: Choice | Raw | None, course: Course) -> None:
        """Keep for the judges what was told."""
        last = b""
        for _, value in found:
            message = decode(value)
            if isinstance(message, Time) and value != last:
                course.times.setdefault(message.customer, []).append(message)
                last = value
            elif isinstance(message, Evident) and isinstance(of, Raw):
                course.raw.append(course.heard(replace(of, offset=offset)))
            elif isinstance(message, Evident) and isinstance(of, Choice):
                raw = Raw(message.customer, offset, message.received_ns, of, said=of.said)
                course.raw.append(course.heard(raw))
