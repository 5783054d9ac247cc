"""The processor of ``kambi.state``: facts in, what holds now out, and tombstones of what is gone."""

from processors.core.kambi.latest.states import States
from processors.core.latest import FACT_ERRORS, is_time_to_sweep, read_fact, read_value
from processors.core.processor import Context, Hole, SourceRecord
from schemas.kambi import events
from schemas.kambi.codes import Code, Count


class KambiState:
    """Folds the facts of one topic and partition; each task knows what its own topic says, and nothing else."""

    name = "kambi.state"
    feed = "kambi"
    sources = (events.EVENTS, events.OFFERS, events.SCORES)
    outputs = (events.STATE,)

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one fact of any topic."""
        try:
            fact, value = read_fact(record), read_value(record)
            states = States(fact, value, context)
            is_changed = value.get("late") is not True and states.fold()
        except FACT_ERRORS as error:
            # Nothing is written before all of it was read.
            context.dead_letter(record.value or b"", Code.BAD_FACT, f"{type(error).__name__}: {error}")
            return
        if not is_changed:
            context.count(Count.NO_STATE)
        if is_time_to_sweep(context.store, fact.received_ns):
            states.sweep()

    def on_hole(self, hole: Hole, context: Context) -> None:
        """Never told: facts have no numbers of connections."""
