"""The topics of RMS in memory: what connector and bet platform write, and what the three processors make of it."""

import json
from dataclasses import dataclass, field, replace

from aiokafka.partitioner import murmur2

from processors.core.rms.approvals.processor import RmsApprovals
from processors.core.rms.bets.processor import RmsBets
from processors.core.rms.join.processor import RmsJoin
from schemas.raw import RawHeaders
from tests.core.driver import Driver, Record
from tricast.audit.report import Report
from tricast.audit.rms.books import Books
from tricast.audit.rms.cabinet import Cabinet
from tricast.audit.rms.case import Windows
from tricast.audit.rms.common import Desk
from tricast.audit.rms.facts import Truth
from tricast.audit.rms.judge import HealthRecord, judge_case, judge_gaps
from tricast.audit.scratch import scratch_database

CUSTOMER = "90210"
S = 1_000_000_000
START_NS = 1_790_000_000 * S
WINDOWS = Windows(
    prematch_ns=600 * S,
    live_ns=120 * S,
    orphan_ns=600 * S,
    verify_ns=900 * S,
    unanswered_ns=3600 * S,
    remember_ns=21_600 * S,
)


@dataclass
class World:
    """Topics by name (without prefix) and partition; time is seconds since the start."""

    prefix: str = "t."
    now_s: float = 0.0
    topics: dict[str, list[Record]] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    truths: list[tuple[str, str, Truth]] = field(default_factory=list)
    connection: str = "c1"
    open: bool = False
    joined: bool = False
    read_s: float | None = None
    """Until when all that had come was read, if the connector stood still after that."""
    held: dict[str, list[Record]] = field(default_factory=dict)
    """Records that wait for a processor that is stopped, by source topic."""

    def __post_init__(self):
        self.tasks = {
            name: {partition: Driver(make()) for partition in range(4)}
            for name, make in (("rms.raw", RmsApprovals), ("rms.bets", RmsBets), ("rms.pending", RmsJoin))
        }

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, topic, key, value, headers=(), at_s=None):
        """Append a record, and let the processors take it and what comes of it."""
        name = topic.removeprefix(self.prefix)
        partition = (murmur2(key) & 0x7FFFFFFF) % 4
        records = self.topics.setdefault(name, [])
        record = Record(
            topic=self.prefix + name,
            partition=partition,
            offset=sum(each.partition == partition for each in records),
            timestamp=self.at_ns(at_s) // 1_000_000,
            key=key,
            value=value,
            headers=list(headers),
        )
        records.append(record)
        if name in self.held:
            self.held[name].append(record)
        elif name in self.tasks:
            self._process(self.tasks[name][partition], record)
        return record

    def stop(self, topic):
        """Let records of a topic wait."""
        self.held.setdefault(topic, [])

    def start(self, topic):
        """Process what waited, one partition after the other, and what comes from now on at once."""
        while waiting := self.held.pop(topic, []):
            self.held[topic] = []  # what the processor sends to itself comes after what waits
            for record in sorted(waiting, key=lambda record: (record.partition, record.offset)):
                self._process(self.tasks[topic][record.partition], record)

    def _process(self, task, record):
        task.feed_record(record)
        source = f"{record.topic}/{record.partition}/{record.offset}"
        outputs, letters = task.outputs[:], task.dead_letters[:]
        for taken in (task.outputs, task.dead_letters, task.tombstones):
            taken.clear()
        for letter in letters:
            place = source if letter.index is None else f"{source}/{letter.index}"
            headers = [("tc-source", place.encode()), ("tc-code", letter.code.encode())]
            self.write("rms.dead-letters", record.key or b"", letter.value, headers)
        for output in outputs:
            self.write(output.topic, output.key, output.value, output.headers)

    def at_ns(self, at_s=None):
        return START_NS + int((self.now_s if at_s is None else at_s) * S)

    def raw(self, kind, value, line=f"rms-{CUSTOMER}", connection=None, frame=None, **more):
        connection = connection or self.connection
        if kind in ("frame", "snapshot") and frame is None:
            self.frames[connection] = self.frames.get(connection, 0) + 1
        if kind == "frame":
            more.setdefault("after_ns", self.at_ns(self.now_s - 0.2 if self.read_s is None else self.read_s))
        headers = RawHeaders(
            feed="rms",
            line=line,
            connection=connection,
            frame=self.frames.get(connection, 0) if frame is None else frame,
            received_ns=self.at_ns(),
            kind=kind,
            **more,
        )
        value = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.write("rms.raw", CUSTOMER.encode(), value, headers.to_kafka())

    # -- what happens ------------------------------------------------------------------------------------------------

    def connect(self, connection="c1", previous=None):
        self.connection, self.open = connection, True
        self.raw("opened", {"customer": CUSTOMER, "previous_connection": previous})
        self.raw("frame", b'0{"sid":"%s"}' % connection.encode())
        self.raw("frame", b'30[{"status":"ok"}]')
        self.joined = True

    def close(self, heard_s=None):
        self.open = self.joined = False
        self.raw("closed", {"code": 1006, "reason": "lost", "frames": 2, "heard_ns": self.at_ns(heard_s)})

    def stand_still(self, until_s):
        """Let the connector stand still; what it reads until the next tick may be as old as that."""
        self.read_s, self.now_s = self.now_s, until_s

    def wake(self):
        """Write the tick that comes on waking, before all is read."""
        self.raw("tick", {"open": self.open, "joined": self.joined, "heard_ns": self.at_ns(self.read_s)})

    def tick(self, until_s, step_s=5.0, heard=True):
        self.read_s = None if until_s > self.now_s else self.read_s
        while self.now_s < until_s:
            self.now_s = min(until_s, self.now_s + step_s)
            heard_ns = self.at_ns() if self.open and heard else None
            self.raw("tick", {"open": self.open, "joined": self.joined, "heard_ns": heard_ns})

    def say(self, said, slip=None, code=None, **more):
        body = {"betSlipId": slip, "bet_code": code, "customerId": int(CUSTOMER)} | more
        body = {name: value for name, value in body.items() if value is not None}
        return self.event(said, body)

    def event(self, said, *arguments):
        packet = json.dumps([f"RESERVE_BET_{said.upper()}", *arguments]).encode()
        return self.raw("frame", b"2" + packet)

    def bet(self, kind, slip, **fields):
        value = {"type": kind, "customer": CUSTOMER, "bet_slip_id": slip, f"{kind}_at": self.at_ns() // 1_000_000}
        return self.write("rms.bets", f"{CUSTOMER}/{slip}".encode(), json.dumps(value | fields).encode())

    def placed(self, slip, context="prematch", stake="10", **fields):
        return self.bet("placed", slip, context=context, stake=stake, **fields)

    def answered(self, slip, disposition="referred", code=None, **fields):
        return self.bet("answered", slip, disposition=disposition, bet_code=code or f"code-{slip}", **fields)

    def looked_up(self, slip, status=200, word="reserve", requested_s=None, code=None):
        code = code or f"code-{slip}"
        body = {"success": True, "data": {"code": code, "status": word}} if status == 200 else {"result": False}
        requested_ns = self.at_ns(self.now_s - 1 if requested_s is None else requested_s)
        position = f"bet/detail?code={code}&slip={slip}"
        line = f"rms-{CUSTOMER}-lookups"
        more = {"position": position, "status": status, "requested_ns": requested_ns}
        return self.raw("snapshot", body, line=line, connection="l1", **more)

    # -- lies --------------------------------------------------------------------------------------------------------

    def of(self, topic, **wanted):
        """Return the records of a topic whose values say all of this."""
        said = ((r, json.loads(r.value)) for r in self.topics[topic] if r.value and r.value[:1] == b"{")
        return [record for record, value in said if wanted.items() <= value.items()]

    def change(self, record, **fields):
        """Let a record say something else; a dotted name with two underscores; ``None`` takes a field out."""
        value = json.loads(record.value)
        for name, new in fields.items():
            *path, last = name.split("__")
            node = value
            for part in path:
                node = node[part]
            if new is None:
                node.pop(last, None)
            else:
                node[last] = new
        self.swap(record, replace(record, value=json.dumps(value).encode()))

    def swap(self, record, *others):
        records = self.topics[record.topic.removeprefix(self.prefix)]
        at = records.index(record)
        records[at : at + 1] = others

    def drop(self, record):
        self.swap(record)

    def again(self, record, identity=None):
        """Return a copy of a record at the end of its partition, with another ``ce_id`` where one is given."""
        records = self.topics[record.topic.removeprefix(self.prefix)]
        offset = 1 + max(each.offset for each in records if each.partition == record.partition)
        headers = [(n, v if n != "ce_id" or identity is None else identity.encode()) for n, v in record.headers]
        records.append(replace(record, offset=offset, headers=headers))
        return records[-1]

    # -- the audit ---------------------------------------------------------------------------------------------------

    def judged(self, **settled):
        """Return the report of an audit over all of it."""
        report = Report()
        with scratch_database() as database:
            books = Books(Desk(cabinet=Cabinet(database), report=report, prefix=self.prefix, windows=WINDOWS))
            for take, topic in (
                (books.products.take_decision, "rms.decisions"),
                (books.products.take_letter, "rms.dead-letters"),
                (books.products.take_approval, "rms.approvals"),
                (books.take_pending, "rms.pending"),
                (books.vendor.take_raw, "rms.raw"),
                (books.platform.take_bet, "rms.bets"),
            ):
                for record in self.topics.get(topic, ()):
                    take(record)
            books.leftovers()
            health = [
                HealthRecord(f"{r.topic}/{r.partition}/{r.offset}", (r.key or b"").decode(), r.value or b"")
                for r in self.topics.get("rms.health", ())
            ]
            judge_gaps(health, books.coverage, report)
            for customer, slip, truth in self.truths:
                books.put_truth(customer, slip, truth)
            for case in books.cases():
                judge_case(case, report, is_settled=True)
        return report


def findings(world):
    report = world.judged()
    return {kind: number for kind, number in report.findings.items() if number}
