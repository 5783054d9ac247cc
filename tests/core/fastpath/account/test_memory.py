"""What an account costs and how it ends: bounds, forgetting, entries and tombstones (R10)."""

import pytest

from processors.core.fastpath.account import accounts as module
from processors.core.fastpath.account.accounts import FINISHED_S, KEPT, SILENT_S, accounts
from processors.core.fastpath.account.arrival import AccountSettings
from processors.core.fastpath.account.gaps import MAX_GAPS, MAX_RANGES
from processors.engine.store import MemoryStore
from tests.core.fastpath.account.lines import Task, brief
from tests.core.fastpath.account.test_order import kinds, opened


def test_next_in_line_costs_two_small_writes():
    store = MemoryStore()
    task = Task(store=store)
    task.open("a1")
    task.say_all("a1", *range(1, 200))
    store.take_changes()
    task.say("a1", 200)
    changes = store.take_changes().values()
    assert len(changes) == 2
    assert sum(len(change or b"") for change in changes) < 80


def test_old_numbers_are_forgotten():
    task = opened(remembered=10)
    task.say_all("a1", *range(1, 41))
    assert len(list(task.store.items(b"n"))) == 10
    task.open("b1")
    assert task.say("b1", 5) == ["forgotten"]
    assert task.say("b1", 31) == ["copy"]
    task.say("a1", 60)
    assert len(list(task.store.items(b"n"))) == 1
    assert kinds(task.say("a1", 55)) == []  # what is missing is never too old


def test_what_fills_below_the_remembered_is_not_kept():
    task = opened(remembered=3)
    task.say_all("a1", 1, 2, 4)
    task.pass_time(2_000)
    task.say_all("a1", *range(5, 20))
    assert kinds(task.say("a1", 3)) == ["gap_closed", (3, "3", "late"), ("standing", 0)]
    assert len(list(task.store.items(b"n"))) == 3


def test_silent_account_is_forgotten_with_all_its_entries():
    task = opened()
    task.say_all("a1", 1, 2, 3, 5)
    task.pass_time(2_000)
    task.pass_time(30_000)
    assert task.pass_time(30_000)[-1] == ("standing", 0)
    task.pass_time((SILENT_S - 63) * 1_000)
    assert list(task.store.items(b"n"))
    task.pass_time(1_000)
    assert [key[:2] for key in task.store.entries] == [b"af"]
    task.pass_time(1_000)
    assert task.store.entries == {}
    assert kinds(task.say("a1", 6)) == ["baseline"]


def finished(numbers, **settings):
    task = opened(**settings)
    task.say_all("a1", *range(1, numbers))
    task.say("a1", numbers, finished=True)
    task.close("a1")
    return task


def test_of_a_finished_fixture_only_the_newest_numbers_are_kept():
    task = finished(200)
    task.pass_time(FINISHED_S * 1_000 - 1_000)
    assert len(list(task.store.items(b"n"))) == 200
    task.pass_time(1_000)
    assert len(list(task.store.items(b"n"))) == KEPT
    task.pass_time(SILENT_S * 1_000)
    assert not list(task.store.items(b"n"))
    assert not list(task.store.items(b"as"))


@pytest.mark.parametrize("forgetful", [False, True])
@pytest.mark.parametrize("numbering", ["fixture", "connection"])
def test_a_finished_fixture_that_goes_on_doubles_nothing(numbering, forgetful):
    task = finished(200)
    task.forgetful = forgetful
    task.pass_time(3 * 3_600_000)
    task.open("a2", 198)
    own = 198 if numbering == "connection" else 0
    told = [one for number in range(199, 204) for one in task.say("a2", number - own, number)]
    assert [one for one in told if not isinstance(one, dict)] == [
        "copy",
        "copy",
        *((number, str(number), "in_order") for number in range(201, 204)),
    ]
    task.open("b1", 0)
    assert set(task.say_all("b1", *range(1, 204))) == {"forgotten", "copy"}
    assert len(task.found("baseline")) == 1


def test_time_that_jumps_over_a_finished_fixture_forgets_it_at_once():
    task = finished(200)
    task.pass_time(2 * SILENT_S * 1_000)
    assert not list(task.store.items(b"n"))


def test_time_that_jumps_over_everything_still_says_what_is_missing():
    task = opened()
    task.say_all("a1", 1, 3)
    told = kinds(task.pass_time(2 * SILENT_S * 1_000))
    assert told == [
        "gap_suspected",
        ("ask", "a", (2, 2), 0, 1),
        (3, "3", "timeout", 2 * SILENT_S * 1_000),
        ("standing", 1),
        "not_repairable",
        ("standing", 0),
    ]
    assert task.found("not_repairable")[0].reason == "forgotten"


def test_one_record_forgets_only_so_much(monkeypatch):
    monkeypatch.setattr(module, "DELETES_PER_RECORD", 5)
    for forgetful in (False, True):
        task = Task(forgetful=forgetful)
        task.open("a1")
        for fixture in "pqr":
            for number in range(1, 5):
                task.say("a1", number, fixture=fixture)
        left = []
        for _ in range(3):
            task.pass_time(SILENT_S * 1_000)
            left.append(len(list(task.store.items(b"ah"))))
        assert left == [1, 0, 0]


def test_accounts_of_a_feed_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "MAX_ACCOUNTS", 8)
    task = opened()
    task.say("a1", 1, fixture="f0")
    task.say("a1", 3, fixture="f0")
    for number in range(1, 20):
        task.say("a1", 1, fixture=f"f{number}", ms=1)
    assert len(list(task.store.items(b"ah"))) == 8
    assert [(one.fixture_id, one.missing) for one in task.found("not_repairable")] == [("f0", ((2, 2),))]
    assert (3, "3", "overfull", 8) in [brief(one) for one in task.log]


def test_making_room_for_one_fixture_deletes_no_more_than_any_record(monkeypatch):
    monkeypatch.setattr(module, "MAX_ACCOUNTS", 16)
    monkeypatch.setattr(module, "DELETES_PER_RECORD", 4)
    task = opened()
    for fixture in range(16):
        for number in range(1, 5):
            task.say("a1", number, fixture=f"f{fixture:02}", ms=1)
    task.say("a1", 1, fixture="new")
    assert len(list(task.store.items(b"ah"))) == 16  # one of sixteen went; two would have been an eighth


def test_gaps_are_bounded_and_what_goes_is_on_record():
    task = opened(hold_count=10_000)
    task.say_all("a1", *range(1, 2 * MAX_GAPS + 20, 2))
    assert len(list(task.store.items(b"ag"))) == MAX_GAPS
    gone = [
        n for one in task.found("not_repairable") for first, last in one.missing or () for n in range(first, last + 1)
    ]
    assert gone == list(range(2, 2 + 2 * len(gone), 2))
    assert task.say("a1", 2) == ["forgotten"]


def test_ranges_are_bounded():
    task = opened(hold_count=10_000)
    task.say_all("a1", 1, 5_000, *range(3, 3 + 2 * MAX_RANGES, 2))
    (told,) = task.found("not_repairable")
    assert told.reason == "forgotten"
    assert len(told.missing or ()) == MAX_RANGES + 1


def test_many_reconnects_leave_little_behind():
    task = opened()
    task.say_all("a1", 1)
    sizes = set()
    for number in range(2, 300):
        task.close(f"a{number - 1}")
        task.open(f"a{number}", number - 1)
        task.say(f"a{number}", number)
        sizes.add(sum(len(value) for key, value in task.store.entries.items() if key[:1] == b"a"))
    assert max(sizes) < 2_000


def test_hold_back_survives_a_restart():
    task = opened()
    task.say_all("a1", 1, 3)
    task.memory.clear()
    assert kinds(task.pass_time(2_000))[2] == (3, "3", "timeout", 2_000)


def test_rolled_back_record_leaves_nothing_once_memory_is_gone():
    store = MemoryStore()
    task = Task(store=store)
    task.open("a1")
    task.say_all("a1", 1, 3)
    store.keep()
    before = dict(store.items())
    task.say("a1", 2)
    store.rollback()
    task.memory.clear()
    assert dict(store.items()) == before
    assert kinds(task.say("a1", 2)) == ["reordered", (2, "2", "in_order"), (3, "3", "filled")]


def test_accounts_live_in_the_tasks_memory():
    task = opened()
    memory: dict[str, object] = {}
    first = accounts(task.store, memory, AccountSettings())
    assert accounts(task.store, memory, AccountSettings()) is first
    memory.clear()
    assert accounts(task.store, memory, AccountSettings()) is not first


def test_names_of_any_letters():
    task = Task("soccer/fixtures/\u00fc\u4e16\U0001f600/actions")
    task.open("a1")
    task.say("a1", 1, fixture="\u4e16" * 1_000)
    task.memory.clear()
    assert task.say("a1", 2, fixture="\u4e16" * 1_000) == [(2, "2", "in_order")]


@pytest.mark.parametrize("first", [True, False])
def test_loss_before_anything_is_known_of_a_connection(first):
    task = Task()
    if not first:
        task.open("a1")
    task.lose("a1", frames=2)
    task.pass_time(0)
    task.say("a1", 2)
    assert task.pass_time(2_000)[0]["ours"] is True
