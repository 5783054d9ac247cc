"""Mutants: each removes one property of the engine; the tests named must turn red, or the property is unguarded."""

from dataclasses import dataclass

ENGINE = "tests/engine/"


class StaleMutant(Exception):
    """The text a mutant replaces does not stand in the tree exactly once; the catalogue has to follow the code."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``old``, which must stand in ``path`` exactly once, by ``new``."""

    path: str
    old: str
    new: str

    def apply(self, text: str) -> str:
        """Return ``text`` of ``path`` as edited.

        Raises:
            StaleMutant: The text is not there exactly once.
        """
        if text.count(self.old) != 1:
            raise StaleMutant(f"{self.path} has {text.count(self.old)} times: {self.old!r}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken engine and the tests that must notice."""

    name: str
    removes: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


def _in(module: str, old: str, new: str) -> Edit:
    return Edit(f"processors/engine/{module}.py", old, new)


WAKES = ENGINE + "test_exactly_once.py::test_a_worker_that_wakes_with_a_cycle_in_hand_cannot_commit_it"
REFUSED = ENGINE + "test_exactly_once.py::test_a_cycle_whose_output_the_broker_refuses_leaves_nothing"
RESTART = ENGINE + "test_exactly_once.py::test_state_goes_on_where_the_last_worker_left_it"
ORDER = ENGINE + "test_engine.py::test_a_transaction_is_written_in_the_one_safe_order"
PIPELINE = ENGINE + "test_pipeline.py::"
CLOSING = PIPELINE + "test_closing_waits_for_what_is_computed_and_written_and_drops_what_waits"
DETACHED = PIPELINE + "test_what_is_computed_meanwhile_is_no_part_of_the_transaction_on_its_way"
READ_ON = ENGINE + "test_engine.py::test_a_task_that_somebody_may_have_owned_in_between_is_read_on"
STILL_A_BUG = "tests/dlq/test_kambi.py::test_a_bug_that_is_there_still_makes_a_letter_that_counts"
RULES = ENGINE + "test_position_rules.py"

_PLAIN_PRODUCER = """
    async def _outside(self, topic, rows):
        from aiokafka import AIOKafkaProducer
        async with AIOKafkaProducer(bootstrap_servers=self._producer._producer.client._bootstrap_servers) as plain:
            for partition, key, value, headers in rows:
                await plain.send_and_wait(topic, value, key=key, partition=partition, headers=headers)
"""

_TAKES_BACK = "            self._take_back(written)\n"
_STATE_ONLY = "            self.store.rollback()\n"
_OUTPUTS_ONLY = "            del self.outputs[written:]\n"
_LETTER = "            self.dead_letter(record.value"
_FINAL = "                raise\n            else"
_FAILED_REPLAY = "            remember(replay, self.store)\n            detail"

MUTANTS = (
    Mutant(
        "no-fence",
        "offsets are committed as a member of a generation (TxnOffsetCommit v3)",
        (
            _in(
                "transactions",
                "            self._membership.generation,\n            self._membership.member_id,\n",
                '            -1,\n            "",\n',
            ),
        ),
        (WAKES, ENGINE + "test_engine.py::test_a_refused_offset_commit_is_a_fenced_error_and_nothing_is_visible"),
    ),
    Mutant(
        "membership-at-commit",
        "generation and member id are bound when the cycle begins",
        (
            _in(
                "cycle",
                "            await future\n        await producer.send_offsets",
                "            await future\n        membership = self.membership_now()\n"
                "        await producer.send_offsets",
            ),
            _in(
                "engine",
                "await self._writer.write(cycle",
                "self._writer.membership_now = lambda: Membership(*self._seek.__self__.consumer.group_membership())\n"
                "                await self._writer.write(cycle",
            ),
        ),
        (WAKES,),
    ),
    Mutant(
        "no-checkpoint",
        "each transaction writes its checkpoint",
        (_in("cycle", "    yield CHECKPOINT_KEY, encode_checkpoint(checkpoint), _NO_HEADERS, timestamp_ms\n", ""),),
        (RESTART,),
    ),
    Mutant(
        "old-checkpoint",
        "the checkpoint says the offset of this transaction, not of the one before",
        (
            _in(
                "cycle",
                "            offset=work.position,\n",
                "            offset=work.task.checkpoint.offset if work.task.checkpoint else 0,\n",
            ),
        ),
        (RESTART,),
    ),
    Mutant(
        "checkpoint-outside",
        "the checkpoint is inside the transaction",
        (
            _in(
                "cycle",
                "            state = _changelog_rows(work, checkpoint, cycle.timestamp_ms)\n",
                "            state = list(_changelog_rows(work, checkpoint, cycle.timestamp_ms))\n"
                "            topic = self._changelogs[partition.topic]\n"
                "            await self._outside(topic, [(partition.partition, *state[0][:3])])\n",
            ),
            _in("cycle", "    def forget(self)", _PLAIN_PRODUCER.lstrip("\n") + "\n    def forget(self)"),
        ),
        (REFUSED, WAKES),
    ),
    Mutant(
        "dead-letter-outside",
        "dead letters are inside the transaction",
        (
            _in(
                "cycle",
                "            place = name, partition(physical[name], key)\n",
                "            place = name, partition(physical[name], key)\n"
                '            if name.endswith("dead-letters"):\n'
                "                row = name, place[1], key, value, headers\n"
                '                self.__dict__.setdefault("outside", []).append(row)\n'
                "                continue\n",
            ),
            _in(
                "cycle",
                "        produces = []\n",
                '        for name, *row in cycle.__dict__.get("outside", []):\n'
                "            await self._outside(self._physical[name], [row])\n"
                "        produces = []\n",
            ),
            _in("cycle", "    def forget(self)", _PLAIN_PRODUCER.lstrip("\n") + "\n    def forget(self)"),
        ),
        (WAKES,),
    ),
    Mutant(
        "close-does-not-wait",
        "a revoke waits for the cycle that computes",
        (
            _in(
                "engine",
                "        async with self._computing:\n            await self._written()\n",
                "        async with asyncio.Lock():\n            await self._written()\n",
            ),
        ),
        (CLOSING, PIPELINE + "test_closing_while_nothing_is_written_waits_for_computing"),
    ),
    Mutant(
        "close-leaves-a-write",
        "a revoke waits for the transaction on its way",
        (
            _in(
                "engine",
                "            await self._written()\n            self._pending.clear()\n",
                "            self._pending.clear()\n",
            ),
        ),
        (CLOSING,),
    ),
    Mutant(
        "close-holds-the-fetch",
        "closing lets a fetch go on that was held back",
        (_in("engine", "            self._room.set()\n            for partition", "            for partition"),),
        (CLOSING,),
    ),
    Mutant(
        "two-transactions",
        "a transaction waits for the one before",
        (
            _in(
                "engine",
                "await self._compute(membership)\n                    await self._written()\n",
                "await self._compute(membership)\n",
            ),
        ),
        (PIPELINE + "test_there_is_never_more_than_one_transaction_and_they_come_in_order",),
    ),
    Mutant(
        "failure-passed-over",
        "after a failed transaction nothing is written",
        (_in("engine", "await asyncio.shield(self._writing)", "await asyncio.wait({self._writing})"),),
        (PIPELINE + "test_a_transaction_that_fails_stops_the_engine_before_the_next_one",),
    ),
    Mutant(
        "membership-at-write",
        "what was computed as one member is written as that member",
        (
            _in(
                "engine",
                "self._write(cycle, membership)",
                'self._write(cycle, self._membership or Membership(-1, ""))',
            ),
        ),
        (PIPELINE + "test_nothing_computed_as_one_member_is_written_as_another",),
    ),
    Mutant(
        "live-checkpoint",
        "the checkpoint is of the transaction's records, not of those computed since",
        (_in("cycle", "            offset=work.position,\n", "            offset=work.task.position,\n"),),
        (DETACHED,),
    ),
    Mutant(
        "live-offsets",
        "the source offsets are of the transaction's records, not of those computed since",
        (
            _in(
                "cycle",
                "work.task.partition: work.position for work",
                "work.task.partition: work.task.position for work",
            ),
        ),
        (DETACHED,),
    ),
    Mutant(
        "live-stream-time",
        "stream time is of the transaction's records, not of those computed since",
        (_in("cycle", "stream_time_ns=work.stream_time_ns", "stream_time_ns=work.task.stream_time_ns"),),
        (DETACHED,),
    ),
    Mutant(
        "live-state",
        "state and frame numbers are of the transaction's records, not of those computed since",
        (
            _in(
                "cycle",
                "list(state_records(task.repeats.take_changes(), task.store.take_changes()))",
                "state_records(task.repeats.take_changes(), task.store.take_changes())",
            ),
        ),
        (DETACHED,),
    ),
    Mutant(
        "live-outputs",
        "outputs are of the transaction's records, not of those computed since",
        (
            _in(
                "cycle",
                "        return Cycle(self._producer, self.partitioner, self._physical)\n",
                "        self._cycle = getattr(self, '_cycle', None) or"
                " Cycle(self._producer, self.partitioner, self._physical)\n        return self._cycle\n",
            ),
        ),
        (DETACHED,),
    ),
    Mutant(
        "outputs-not-forgotten",
        "what a task wrote is taken into one cycle only",
        (_in("cycle", "in task.take_outputs():", "in task.outputs:"),),
        (PIPELINE + "test_there_is_never_more_than_one_transaction_and_they_come_in_order",),
    ),
    Mutant(
        "no-gathering",
        "what arrives during a transaction goes into one cycle",
        (_in("engine", "self._writing.done() or self._pending:", "self._writing.done() or True:"),),
        (PIPELINE + "test_records_that_arrive_during_a_transaction_join_one_cycle",),
    ),
    Mutant(
        "endless-cycle",
        "a cycle ends at its records",
        (_in("engine", "records < limit and ", ""),),
        (PIPELINE + "test_a_cycle_ends_at_its_records",),
    ),
    Mutant(
        "heavy-cycle",
        "a cycle ends at its bytes",
        (_in("engine", "max(size, cycle.output_bytes) < CYCLE_BYTES", "cycle.output_bytes < CYCLE_BYTES"),),
        (PIPELINE + "test_a_cycle_ends_at_its_bytes",),
    ),
    Mutant(
        "heavy-outputs",
        "a cycle ends at the bytes of its outputs",
        (_in("engine", "max(size, cycle.output_bytes) < CYCLE_BYTES", "size < CYCLE_BYTES"),),
        (PIPELINE + "test_a_cycle_ends_at_the_bytes_of_its_outputs",),
    ),
    Mutant(
        "no-back-pressure",
        "the fetch is held back while two cycles wait",
        (_in("engine", "            self._room.clear()\n", "            pass\n"),),
        (PIPELINE + "test_the_fetch_is_held_back_while_two_cycles_wait",),
    ),
    Mutant(
        "room-after-each-part",
        "the fetch goes on only when there is room",
        (_in("engine", "        if self._has_room:\n            self._room.set()", "        self._room.set()"),),
        (PIPELINE + "test_what_waits_is_bounded_though_batches_are_taken_in_parts",),
    ),
    Mutant(
        "parts-end-at-records",
        "the parts of a batch cover its offsets",
        (_in("task", "Batch(self.seek, start, self.end, ", "Batch(self.seek, start, self.records[-1].offset + 1, "),),
        (ENGINE + "test_task.py::test_the_parts_of_a_batch_cover_its_offsets_without_hole_or_overlap",),
    ),
    Mutant(
        "close-keeps-pending",
        "closing drops batches that wait",
        (_in("engine", "            self._pending.clear()\n", ""),),
        (CLOSING,),
    ),
    Mutant(
        "dirty-source",
        "the source is read read_committed",
        (_in("transport", "self.consumer.in_transaction = True", "self.consumer.in_transaction = False"),),
        (ENGINE + "test_exactly_once.py::test_a_source_with_transactions_gives_exactly_its_committed_records",),
    ),
    Mutant(
        "dirty-restore",
        "the changelog is restored read_committed",
        (
            _in(
                "opening",
                'self.consumer("read_committed") as committed',
                'self.consumer("read_uncommitted") as committed',
            ),
        ),
        (ENGINE + "test_exactly_once.py::test_the_changelog_is_read_committed_only",),
    ),
    Mutant(
        "offsets-before-produces",
        "produces are awaited before the offsets go",
        (
            _in("cycle", "        for future in produces:\n            await future\n", ""),
            _in(
                "cycle",
                "        await producer.commit()\n",
                "        for future in produces:\n            await future\n        await producer.commit()\n",
            ),
        ),
        (ORDER,),
    ),
    Mutant(
        "produces-not-awaited",
        "a produce that failed stops the commit",
        (_in("cycle", "            await future\n", "            await asyncio.wait([future])\n"),),
        (REFUSED,),
    ),
    Mutant(
        "newcomer-not-announced",
        "a newcomer's checkpoint is acknowledged before anything else is written",
        (_in("cycle", "        if newcomers:\n", "        if not newcomers:\n"),),
        (ORDER,),
    ),
    Mutant(
        "no-repeat-filter",
        "repeated frames are dropped",
        (_in("task", '            if seen.verdict == "repeat":\n', '            if seen.verdict == "never":\n'),),
        (ENGINE + "test_task.py::test_repeats_are_dropped_counted_and_move_the_position",),
    ),
    Mutant(
        "repeats-not-in-changelog",
        "the frame numbers survive a restart",
        (_in("cycle", "state_records(task.repeats.take_changes(), ", "state_records(iter(()), "),),
        (ENGINE + "test_exactly_once.py::test_repeats_are_dropped_and_holes_told_over_a_restart",),
    ),
    Mutant(
        "silent-earliest",
        "a lost position is refused",
        (_in("opening", "        if offsets.committed is not None:\n", "        if False:\n"),),
        (RULES, ENGINE + "test_positions.py::test_an_emptied_changelog_is_refused"),
    ),
    Mutant(
        "clamped-position",
        "a checkpoint outside the source is refused",
        (
            _in(
                "opening",
                "    if not offsets.first <= checkpoint.offset <= offsets.end:\n",
                "    if checkpoint.offset < offsets.first:\n        return offsets.first\n    if False:\n",
            ),
        ),
        (RULES, ENGINE + "test_positions.py::test_a_worker_that_was_away_longer_than_the_retention_is_refused"),
    ),
    Mutant(
        "foreign-changelog",
        "another deployment's changelog is refused",
        (_in("opening", "!= (FORMAT, group, *partition):\n", "!= (FORMAT, checkpoint.group, *partition):\n"),),
        (RULES, ENGINE + "test_positions.py::test_a_foreign_changelog_is_refused[group]"),
    ),
    Mutant(
        "stale-batches",
        "batches fetched before the last seek are not taken",
        (
            _in(
                "engine",
                "if self.open_partitions.get(partition) != batch.seek:",
                "if partition not in self.open_partitions:",
            ),
        ),
        (ENGINE + "test_engine.py::test_a_batch_fetched_before_the_last_seek_is_not_taken",),
    ),
    Mutant(
        "one-look-up",
        "a broker that dies while it looks for a coordinator does not end the producer",
        (_in("transactions", "if not isinstance(error.__cause__, kafka_errors.KafkaConnectionError):", "if True:"),),
        (ENGINE + "test_transactions.py::test_a_broker_that_dies_while_it_looks_for_a_coordinator_is_not_the_end",),
    ),
    Mutant(
        "unknown-end-is-final",
        "what became of a transaction is asked for again when Kafka does not know",
        (
            _in(
                "transactions",
                "                if now() > deadline:\n                    raise\n            else",
                _FINAL,
            ),
        ),
        (
            ENGINE + "test_unknown_end.py::test_a_commit_with_an_unknown_answer_is_asked_for_again",
            ENGINE + "test_unknown_end.py::test_a_fenced_commit_with_an_unknown_answer_ends_as_fenced",
        ),
    ),
    Mutant(
        "unknown-end-for-ever",
        "a broker that never knows what became of a transaction is not asked for ever",
        (_in("transactions", "deadline = now() + self._txn_manager", "deadline = now() + 1e9 + self._txn_manager"),),
        (ENGINE + "test_unknown_end.py::test_a_broker_that_never_knows_is_not_asked_for_ever",),
    ),
    Mutant(
        "patient-with-a-hung-broker",
        "a request may take half a transaction's time at most",
        (_in("transactions", "int(transaction_timeout_s * 1000 / 2))", "10**9)"),),
        (ENGINE + "test_transactions.py::test_a_broker_that_hangs_leaves_time_to_ask_another_within_the_transaction",),
    ),
    Mutant(
        "refusal-unheard",
        "a worker that its group refuses ends",
        (_in("transport", "        self._consumer._coordinator.check_errors()\n", ""),),
        (ENGINE + "test_group.py::test_a_worker_that_its_group_refuses_ends_with_70",),
    ),
    Mutant(
        "fetch-waits-for-a-task",
        "a worker without an open task stays in its group",
        (
            _in(
                "transport",
                "            batches = await self._thread",
                "            while not self.app.engine.open_partitions:\n                await asyncio.sleep(0.05)\n"
                "            batches = await self._thread",
            ),
        ),
        (ENGINE + "test_group.py::test_a_worker_that_opens_for_longer_than_it_may_be_silent_stays_in_its_group",),
    ),
    Mutant(
        "always-kept",
        "a task is kept only when nobody can have owned it in between",
        (
            _in(
                "engine",
                "was == Membership(membership.generation - 1, membership.member_id)",
                "was.member_id == membership.member_id",
            ),
        ),
        (READ_ON,),
    ),
    Mutant(
        "kept-by-anybody",
        "a task is kept only by the same member",
        (
            _in(
                "engine",
                "was == Membership(membership.generation - 1, membership.member_id)",
                "was.generation == membership.generation - 1",
            ),
        ),
        (READ_ON,),
    ),
    Mutant(
        "dead-owner-not-fenced",
        "a dead owner's open transaction is ended",
        (_in("opening", "            await fence(self._kafka, owner, self._settings.transaction_timeout_s)\n", ""),),
        (ENGINE + "test_opening.py::test_a_dead_owners_transaction_is_ended_at_once_and_cannot_be_committed_later",),
    ),
    Mutant(
        "living-owner-fenced",
        "a living owner is not fenced",
        (_in("opening", "if owner in alive or not is_current():", "if not is_current():"),),
        (ENGINE + "test_opening.py::test_a_living_owner_is_waited_for_and_not_fenced",),
    ),
    Mutant(
        "fence-of-old-generation",
        "nobody is fenced for a generation that is over",
        (_in("opening", "if owner in alive or not is_current():", "if owner in alive:"),),
        (ENGINE + "test_opening.py::test_nobody_is_fenced_for_a_generation_that_is_over",),
    ),
    Mutant(
        "no-rollback",
        "a failed record's state is taken back",
        (_in("task", _TAKES_BACK + _LETTER, _OUTPUTS_ONLY + _LETTER),),
        (ENGINE + "test_task.py::test_a_failed_record_leaves_neither_state_nor_outputs_and_its_siblings_stay",),
    ),
    Mutant(
        "outputs-of-failed",
        "a failed record's outputs are taken back",
        (_in("task", _TAKES_BACK + _LETTER, _STATE_ONLY + _LETTER),),
        (ENGINE + "test_task.py::test_a_failed_record_leaves_neither_state_nor_outputs_and_its_siblings_stay",),
    ),
    Mutant(
        "no-rollback-of-a-replay",
        "a failed replay's state is taken back",
        (_in("task", _TAKES_BACK + _FAILED_REPLAY, _OUTPUTS_ONLY + _FAILED_REPLAY),),
        (STILL_A_BUG,),
    ),
    Mutant(
        "outputs-of-a-failed-replay",
        "a failed replay's outputs are taken back",
        (_in("task", _TAKES_BACK + _FAILED_REPLAY, _STATE_ONLY + _FAILED_REPLAY),),
        (STILL_A_BUG,),
    ),
    Mutant(
        "failed-replay-forgotten",
        "a letter whose replay failed is not replayed again; the new letter is",
        (_in("task", _FAILED_REPLAY, "            detail"),),
        (STILL_A_BUG,),
    ),
    Mutant(
        "replayed-again",
        "a second request of a letter is refused",
        (_in("task", "        if is_replayed(replay, self.store):\n", "        if False:\n"),),
        ("tests/dlq/test_kambi.py::test_a_second_request_of_a_letter_is_refused",),
    ),
    Mutant(
        "time-far-ahead",
        "a time of receipt far after the record's own moves no stream time",
        (_in("task", " and not is_ahead:\n", ":\n"),),
        (
            ENGINE + "test_task.py"
            "::test_time_of_receipt_far_after_the_records_own_moves_no_stream_time_and_is_a_dead_letter",
        ),
    ),
    Mutant(
        "no-stop-ratio",
        "a broken core stops the worker",
        (_in("task", "> self._stop_ratio * self._window:", "> 10**9:"),),
        (ENGINE + "test_task.py::test_the_stop_ratio_stops_at_the_first_failure_above_it",),
    ),
    Mutant(
        "skipped-records",
        "a batch that begins behind the position is refused",
        (_in("task", "        if batch.start > self.position:\n", "        if batch.start < 0:\n"),),
        (
            ENGINE + "test_task.py::test_a_batch_that_begins_behind_the_position_is_refused_whole",
            ENGINE + "test_engine.py::test_a_batch_that_skips_records_stops_the_engine",
        ),
    ),
    Mutant(
        "no-trim",
        "records already processed are not processed again",
        (_in("task", "            if record.offset < self.position:\n", "            if record.offset < 0:\n"),),
        (ENGINE + "test_task.py::test_records_already_processed_are_trimmed",),
    ),
    Mutant(
        "checkpoint-forgotten",
        "a task reopened with nothing new in its changelog goes on",
        (_in("cycle", "            task.checkpoint = checkpoint\n", ""),),
        (ENGINE + "test_engine.py::test_a_task_closed_twice_in_a_row_goes_on_without_a_new_checkpoint",),
    ),
)
