"""Read topics with confluent-kafka: committed records only, each as an ``Event``, from where the reader left off."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any, Final, Self

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from tricast.consumer.errors import RecordsGone, TopicMissing
from tricast.consumer.event import Event, Place, event_of
from tricast.consumer.reading import Reading

_POLL_S: Final = 0.5
_ANSWER_S: Final = 15.0
_MOST_RECORDS: Final = 500
_LOG: Final = logging.getLogger("tricast.consumer")
_REFUSALS: Final = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED}
_STARTS: Final = {"earliest": OFFSET_BEGINNING, "latest": OFFSET_END}


class Reader(Reading):
    """An iterator over the committed records of topics; use it with ``with``, in one thread.

    Groups, positions and what is done when: as ``tricast.consumer.Reader`` has them. What it takes: see ``Reading``.
    """

    _consumer: Any
    _last_said = ""

    def __enter__(self) -> Self:
        settings = _settings(self._kafka) | {"group.id": self._group or "tricast-consumer", "error_cb": self._said}
        self._consumer = Consumer(settings)
        self._next: dict[Place, int] = {}
        try:
            self._open()
        except BaseException:
            self._consumer.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._try_commit()
        finally:
            self._consumer.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        """Return the next record, waiting for it as long as it takes.

        Raises:
            RecordsGone: What was to be read next is not kept any more.
            MissingRight: Rights were taken away.
            EnvironmentFault: Kafka refused something else.
        """
        self._progress.settle()
        self._commit_if_due()
        while not self._waiting:
            self._fetch()
            self._commit_if_due()  # the last of a burst is done, too, though no other follows
        return self._hand_out()

    def until_now(self) -> Iterator[Event]:
        """Yield what was committed when this was called; to load the state that a compacted topic holds."""
        if self._group is not None:
            raise ValueError("a group's partitions come and go: load state with a reader of its own, without group")
        with self._naming():
            ends = {self._place(tp.topic, tp.partition): tp.offset for tp in self._ends()}
        while True:
            while self._waiting:
                yield self._hand_out()
            if all(self._next.get(place, 0) >= end for place, end in ends.items()):
                return
            self._fetch()

    def wait(self) -> None:
        """Wait for records, for half a second at most."""
        if not self._waiting:
            self._fetch()

    def commit(self) -> None:
        """Commit all that was handed out, the record in hand included, for the group.

        Raises:
            EnvironmentFault: It could not be; what was not committed comes again.
        """
        self._progress.settle()
        with self._naming():
            self._commit()

    def _open(self) -> None:
        partitions = self._partitions()
        if self._group is not None:
            self._consumer.subscribe(self._names, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)
            return
        for tp in partitions:
            tp.offset = self._positions.get(self._place(tp.topic, tp.partition), _STARTS[self._start])
        self._consumer.assign(partitions)

    def _partitions(self) -> list[TopicPartition]:
        found = []
        for name in self._names:
            try:
                described = self._consumer.list_topics(name, timeout=_ANSWER_S).topics[name]
            except KafkaException as error:
                self._consumer.poll(0)  # nothing is read yet: lets librdkafka tell what was wrong
                raise self._named(error.args[0], name) from error
            if described.error is not None and described.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                with self._naming():
                    raise TopicMissing(name, self._consumer.list_topics(timeout=_ANSWER_S).topics)
            if described.error is not None:
                raise self._named(described.error, name)
            found += [TopicPartition(name, number) for number in described.partitions]
        return found

    def _ends(self) -> list[TopicPartition]:
        """Return where what was committed ends now, by one request: one a partition would wait behind fetches."""
        wanted = [TopicPartition(tp.topic, tp.partition, OFFSET_END) for tp in self._consumer.assignment()]
        found: list[TopicPartition] = self._consumer.offsets_for_times(wanted, timeout=_ANSWER_S)
        return found

    def _fetch(self) -> None:
        """Wait for a record, and take what else is there: ``consume`` alone waits until it has as many as asked."""
        with self._naming():
            first = self._consumer.poll(_POLL_S)
            messages = [] if first is None else [first, *self._consumer.consume(_MOST_RECORDS, 0)]
        for message in messages:
            error = message.error()
            if error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED and self._group is None:
                continue  # librdkafka asks for a group that it never uses
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise self._failed(message)
            place = self._place(message.topic(), message.partition())
            if error is not None:
                self._next[place] = message.offset()  # behind the markers of transactions, which do not come
                continue
            self._next[place] = message.offset() + 1
            event = event_of(
                place, message.offset(), key=message.key(), value=message.value(), headers=message.headers() or ()
            )
            self._waiting.append(event)

    def _commit_if_due(self) -> None:
        if self._commit_is_due():
            self._try_commit()

    def _commit(self) -> None:
        if not (offsets := self._to_commit()):
            return
        try:
            self._consumer.commit(
                offsets=[TopicPartition(self._prefix + at.topic, at.partition, to) for at, to in offsets.items()],
                asynchronous=False,
            )
        except BaseException:
            self._progress.put_back(offsets)
            raise

    def _try_commit(self) -> None:
        """Commit unasked: what cannot be committed now is tried again, or comes again."""
        try:
            self._commit()
        except KafkaException as error:
            if error.args[0].code() in _REFUSALS:
                raise self._named(error.args[0], "") from error
            _LOG.warning("not-committed group=%s error=%s", self._group, error.args[0].str())

    # Rebalances; called from within ``consume``.

    def _assigned(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        for tp in (known := consumer.committed(partitions, timeout=_ANSWER_S)):
            if tp.offset < 0:  # the group is new there
                tp.offset = _STARTS[self._start]
        consumer.assign(known)

    def _revoked(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        """Somebody else may go on with them: from what is done here, not from what was committed last."""
        self._try_commit()
        self._lost(consumer, partitions)

    def _lost(self, _consumer: Any, partitions: list[TopicPartition]) -> None:
        self._lose({self._place(tp.topic, tp.partition) for tp in partitions})

    # Errors.

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            raise self._named(error.args[0], "") from error

    def _said(self, error: KafkaError) -> None:
        """Keep what librdkafka says of its connections: its calls only tell that the time was up."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last_said = error.str()

    def _failed(self, message: Any) -> EnvironmentFault:
        if message.error().code() != KafkaError._AUTO_OFFSET_RESET:
            return self._named(message.error(), message.topic() or "")
        tp = TopicPartition(message.topic(), message.partition())
        place = self._place(tp.topic, tp.partition)
        wanted = self._next.get(place, self._positions.get(place))
        if wanted is None:
            [committed] = self._consumer.committed([tp], timeout=_ANSWER_S)
            wanted = committed.offset
        return RecordsGone(place, wanted, *self._consumer.get_watermark_offsets(tp, timeout=_ANSWER_S))

    def _named(self, error: KafkaError, topic: str) -> EnvironmentFault:
        """Return what to tell a person about ``error``."""
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return self._lacks(f"Read on topic {topic}")
        if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return self._lacks(f"Read on group {self._group}")
        servers = self._kafka.bootstrap_servers
        if error.code() in {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN}:
            return EnvironmentFault(
                f"no Kafka answers at {servers}: {self._last_said or error.str()}",
                action="check that Kafka runs there, and the protocol, mechanism, user and CA of the settings",
            )
        return EnvironmentFault(
            f"Kafka at {servers}: {error.str()}", action="check that the cluster is up and reachable"
        )


def _settings(kafka: KafkaSettings) -> dict[str, Any]:
    settings = {
        "bootstrap.servers": kafka.bootstrap_servers,
        "security.protocol": kafka.security_protocol,
        "sasl.mechanism": kafka.sasl_mechanism,
        "sasl.username": kafka.sasl_username,
        "sasl.password": None if kafka.sasl_password is None else kafka.sasl_password.get_secret_value(),
        "ssl.ca.location": kafka.ssl_cafile,
        "client.id": "tricast-consumer",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,  # it would commit what is only being worked on
        "heartbeat.interval.ms": 1000,  # who is asked to share hears of it then; until all have, nobody reads
        "auto.offset.reset": "error",  # others pass over lost records without a word
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 100,  # other questions wait behind a fetch
        "allow.auto.create.topics": False,
    }
    return {name: value for name, value in settings.items() if value is not None}
