from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from processors.engine.store import MemoryStore

KEYS = st.sampled_from([b"a", b"ab", b"b", b""])
VALUES = st.sampled_from([b"", b"1", b"2"])


class StoreAgainstModel(RuleBasedStateMachine):
    """Three dicts are the model: what reads see, what ``keep`` made safe, and what the changelog has."""

    def __init__(self):
        super().__init__()
        self.store = MemoryStore()
        self.seen: dict[bytes, bytes] = {}
        self.kept: dict[bytes, bytes] = {}
        self.changelog: dict[bytes, bytes] = {}

    @rule(key=KEYS, value=VALUES)
    def put(self, key, value):
        self.store.put(key, value)
        self.seen[key] = value

    @rule(key=KEYS)
    def delete(self, key):
        self.store.delete(key)
        self.seen.pop(key, None)

    @rule()
    def keep(self):
        self.store.keep()
        self.kept = dict(self.seen)

    @rule()
    def rollback(self):
        self.store.rollback()
        self.seen = dict(self.kept)

    @rule()
    def end_cycle(self):
        self.keep()
        for key, value in self.store.take_changes().items():
            if value is None:
                self.changelog.pop(key, None)
            else:
                self.changelog[key] = value
        assert self.changelog == self.seen
        assert self.store.take_changes() == {}

    @rule()
    def restart(self):
        """A worker that dies between cycles has what the changelog has."""
        self.store = MemoryStore()
        for key, value in self.changelog.items():
            self.store.restore(key, value)
        self.seen, self.kept = dict(self.changelog), dict(self.changelog)
        assert self.store.take_changes() == {}

    @rule()
    def clear(self):
        self.store.clear()
        self.seen, self.kept, self.changelog = {}, {}, {}

    @invariant()
    def reads_agree(self):
        assert dict(self.store.items()) == self.seen
        assert len(self.store) == len(self.seen)
        assert {key: self.store.get(key) for key in (b"a", b"ab", b"b", b"")} == {
            key: self.seen.get(key) for key in (b"a", b"ab", b"b", b"")
        }
        assert dict(self.store.items(b"a")) == {k: v for k, v in self.seen.items() if k.startswith(b"a")}


TestStoreAgainstModel = StoreAgainstModel.TestCase
TestStoreAgainstModel.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


def test_restore_of_a_deletion_removes():
    store = MemoryStore()
    store.restore(b"a", b"1")
    store.restore(b"a", None)
    store.restore(b"b", None)
    assert dict(store.items()) == {}
    assert store.take_changes() == {}


def test_deleting_what_is_not_there_writes_nothing():
    store = MemoryStore()
    store.delete(b"a")
    assert store.take_changes() == {}
